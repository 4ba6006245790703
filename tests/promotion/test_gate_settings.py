"""gate.yaml is refused with file and line when it does not say exactly one thing per rule."""

from __future__ import annotations

from pathlib import Path

import pytest

from genaiops.errors import ConfigurationError
from genaiops.promotion import load_gate

GOOD = """\
coverage: 1.0
confidence: 0.95
rules:
  - {measure: groundedness, at_least: 0.80}
  - {measure: groundedness, not_worse_than: champion, margin: 0.02}
  - {measure: latency_p95_s, at_most: 2}
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "gate.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_gate_is_read_from_its_file_or_its_folder(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD)
    gate = load_gate(path)
    assert gate == load_gate(tmp_path)
    assert [str(rule) for rule in gate.rules] == [
        "groundedness at_least 0.8",
        "groundedness not_worse_than champion margin 0.02",
        "latency_p95_s at_most 2",
    ]


def test_only_the_content_of_a_gate_decides_its_digest(tmp_path: Path) -> None:
    gate = load_gate(write(tmp_path, GOOD))
    assert load_gate(write(tmp_path, "# a comment\n" + GOOD)).digest == gate.digest
    assert load_gate(write(tmp_path, GOOD.replace("0.80", "0.79"))).digest != gate.digest


def test_coverage_and_confidence_have_strict_defaults(tmp_path: Path) -> None:
    gate = load_gate(write(tmp_path, "rules: [{measure: recall@5, at_least: 0.9}]\n"))
    assert (gate.coverage, gate.confidence) == (1.0, 0.95)


@pytest.mark.parametrize(
    ("line", "text", "words"),
    [
        (3, "rules: []", "at least 1 item"),
        (1, "coverage: 1.0", "'rules' is missing"),
        (3, "rules:\n  - {measure: recall@5}", "exactly one of at_least, at_most, not_worse_than"),
        (4, "rules:\n  - {measure: recall@5, at_least: 0.9, at_most: 1}", "exactly one of"),
        (4, "rules:\n  - {measure: recall@5, not_worse_than: champion}", "needs a margin"),
        (4, "rules:\n  - {measure: recall@5, not_worse_than: champion, margin: 0}", "above 0"),
        (4, "rules:\n  - {measure: recall@5, not_worse_than: champion, margin: -0.1}", "above 0"),
        (
            4,
            "rules:\n  - {measure: recall@5, at_least: 1.01}",
            "at_least must be in [0, 1] as recall@5 is, got 1.01",
        ),
        (4, "rules:\n  - {measure: groundedness, at_most: -0.5}", "at_most must be in"),
        (4, "rules:\n  - {measure: refusal, not_worse_than: champion, margin: 2}", "margin must be in"),
        (4, "rules:\n  - {measure: recall@5, not_worse_than: yesterday, margin: 0.1}", "champion"),
        (4, "rules:\n  - {measure: recall@5, at_least: 0.9, margin: 0.1}", "takes no margin"),
        (4, "rules:\n  - {measure: recall@5, at_least: .nan}", "at_least"),
        (4, "rules:\n  - {measure: recall@5, at_least: -.inf}", "at_least"),
        (4, "rules:\n  - {measure: recall@5, at_least: '0.9'}", "at_least"),
        (4, "rules:\n  - {measure: '', at_least: 0.9}", "measure"),
        (4, "rules:\n  - {measure: recall@5, atleast: 0.9}", "unknown key"),
        (3, "rules:\n  - {measure: a, at_least: 0.9}\n  - {measure: a, at_least: 0.1}", "two rules at_least"),
        (1, "coverage: 1.1\nrules: [{measure: a, at_least: 0.9}]", "coverage"),
        (1, "coverage: .nan\nrules: [{measure: a, at_least: 0.9}]", "coverage"),
        (1, "confidence: 0.5\nrules: [{measure: a, at_least: 0.9}]", "confidence"),
        (1, "confidence: 1\nrules: [{measure: a, at_least: 0.9}]", "confidence"),
        (1, "skip: true\nrules: [{measure: a, at_least: 0.9}]", "unknown key 'skip'"),
    ],
)
def test_a_gate_that_could_wave_changes_through_is_refused(tmp_path: Path, line: int, text: str, words: str) -> None:
    prefix = "" if text.startswith(("coverage", "confidence", "skip")) else "#\n#\n"
    path = write(tmp_path, prefix + text + "\n")
    with pytest.raises(ConfigurationError) as error:
        load_gate(path)
    assert words in str(error.value)
    assert str(error.value).startswith(f"{path}:")
    found = int(error.value.where.rsplit(":", 1)[1])
    assert abs(found - line) <= 1


def test_a_missing_gate_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="does not exist"):
        load_gate(tmp_path)
