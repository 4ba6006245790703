"""`new` writes a flow that works at once; `doctor` finds what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from genaiops.delivery import gate_flow
from genaiops.delivery.doctor import examine
from genaiops.delivery.scaffold import scaffold
from genaiops.errors import ConfigurationError
from genaiops.flow import Flow
from genaiops.golden_sets import GoldenSet, lint
from tests.flow import workshop


def test_a_new_flow_builds_answers_and_passes_the_lint_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GENAIOPS_HOME", raising=False)
    files = scaffold("support", tmp_path)
    assert all((tmp_path / path).is_file() for path in files)
    assert not any("{{name}}" in (tmp_path / path).read_text() for path in files)
    (tmp_path / "genaiops.yaml").write_text("tracking: none\n")
    flow = workshop.load(tmp_path / "flows" / "support", "embedding.precision=fp32")
    assert flow.build().quarantined == ()
    assert "30 days" in flow.ask("How many days do I have to send an item back?").text
    golden = GoldenSet.load(flow.golden_set_path)
    assert [problem for problem in lint(golden, flow.documents()) if problem.severity == "error"] == []
    # Four cases prove nothing, and the gate of the template says so; it does not fail.
    decision = gate_flow(flow).decision
    assert decision.verdict in ("pass", "inconclusive")
    assert all(rule.verdict != "fail" for rule in decision.rules)


def test_a_second_flow_joins_the_project_and_touches_nothing(tmp_path: Path) -> None:
    scaffold("one", tmp_path)
    project = (tmp_path / "genaiops.yaml").read_text()
    (tmp_path / "genaiops.yaml").write_text(project + "# mine\n")
    assert Path("genaiops.yaml") not in scaffold("two", tmp_path)
    assert (tmp_path / "genaiops.yaml").read_text().endswith("# mine\n")
    assert Flow.load(tmp_path / "flows" / "two").name == "two"


def test_a_name_that_is_taken_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    (tmp_path / "eval_datasets" / "shop").mkdir(parents=True)
    (tmp_path / "eval_datasets" / "shop" / "golden.jsonl").write_text("mine\n")
    with pytest.raises(ConfigurationError, match="choose another name"):
        scaffold("shop", tmp_path)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["golden.jsonl"]


@pytest.mark.parametrize("name", ["", "../up", "Shop", "a/b", "-x", "x" * 65, "é"])
def test_a_name_that_is_no_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationError, match="not a valid name"):
        scaffold(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_sound_project_is_found_sound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GENAIOPS_HOME", raising=False)
    checks = {check.what: check for check in examine(workshop.copy(tmp_path))}
    assert all(check.ok for check in checks.values()), checks
    assert "prod:" in checks["registry"].found
    assert checks["flow workshop"].found.startswith("index ")


def test_what_is_wrong_is_found_with_its_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GENAIOPS_HOME", raising=False)
    root = workshop.copy(tmp_path)
    (root / "flows" / "workshop" / "flow.yaml").write_text("name: workshop\nprompt: 3\n")
    scaffold("unbuilt", root)
    scaffold("blind", root)
    settings = root / "flows" / "blind" / "flow.yaml"
    given = settings.read_text().replace("chunking: {", "chunking: {unit: tokens, ")
    assert "unit: tokens" in given
    settings.write_text(given)
    checks = {check.what: check for check in examine(root)}
    bad = {name: check for name, check in checks.items() if not check.ok}
    assert set(bad) == {"flow workshop", "flow blind"}
    assert "vector search would be blind" in bad["flow blind"].found
    assert "flow.yaml:2" in bad["flow workshop"].found or "flow.yaml:1" in bad["flow workshop"].found
    unbuilt = checks["flow unbuilt"]
    assert unbuilt.note and unbuilt.remedy.startswith("genaiops build ") and unbuilt.remedy.endswith("flows/unbuilt")


def test_a_broken_project_file_is_one_finding(tmp_path: Path) -> None:
    (tmp_path / "genaiops.yaml").write_text("environments: []\n")
    checks = examine(tmp_path)
    assert [check.what for check in checks if not check.ok] == ["project"]
    assert "genaiops.yaml:1" in checks[-1].found
