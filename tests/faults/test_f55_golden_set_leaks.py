"""A golden set that was changed in one row, and one whose answers were given away beforehand."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from genaiops.delivery import find_evaluation, gate_flow
from genaiops.golden_sets import CHECKS, GoldenSet, Problem, lint
from genaiops.records import Case, Document
from tests.flow import workshop

WORDS = "alpha beta gamma delta omega kappa sigma lambda theta zeta iota rho".split()
QUESTIONS = [f"How does {a} change the {b} of {c}?" for a in WORDS for b in WORDS for c in WORDS if a != b][:500]
CASES = tuple(Case(f"c{n}", question, reference="x") for n, question in enumerate(QUESTIONS))
COPIES: dict[str, Callable[[str], str]] = {
    "exact": lambda question: question,
    "other case and marks": lambda question: question.upper().replace("?", " ?!"),
    "a word more": lambda question: question.replace("How", "So how"),
    "another order": lambda question: "In what way, of " + " ".join(reversed(question[:-1].split()[4:])) + "?",
}


def leaks(prompts: dict[str, str], documents: list[Document]) -> list[Problem]:
    golden = GoldenSet("planted", CASES)
    return lint(golden, documents, prompts=prompts, ignore=set(CHECKS) - {"leaked"})


@pytest.mark.parametrize("copy", ["exact", "other case and marks", "a word more"])
def test_f55_every_question_planted_in_a_prompt_or_a_document_is_found(copy: str) -> None:
    planted = [COPIES[copy](question) for question in QUESTIONS]
    shots = "\n\n".join(f"User: {question}\nAssistant: x" for question in planted)
    found = leaks({"shots": shots}, [])
    assert {p.case_id for p in found} == {case.id for case in CASES}
    assert {p.severity for p in found} == {"error"}
    page = Document("faq.md", "\n\n".join(f"**{question.removesuffix('!')}** Because." for question in planted))
    found = leaks({}, [page])
    assert {p.case_id for p in found} == {case.id for case in CASES}
    assert {p.severity for p in found} == {"warning"}


def test_f55_texts_that_ask_something_else_are_no_leaks() -> None:
    other = "\n\n".join(f"User: {COPIES['another order'](question)}" for question in QUESTIONS)
    assert leaks({"shots": other}, [Document("page.md", " ".join(WORDS) * 50)]) == []


def test_f55_a_set_with_one_changed_row_is_another_set_and_no_run_of_the_old_one_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GENAIOPS_HOME", raising=False)
    flow = workshop.load(workshop.copy(tmp_path) / "flows" / "workshop")
    before = find_evaluation(flow, flow.served)
    assert before is not None
    path = flow.golden_set_path / "golden.jsonl"
    rows = path.read_text().splitlines()
    row = json.loads(rows[3])
    path.write_text("\n".join([*rows[:3], json.dumps({**row, "reference": "Whatever you like."}), *rows[4:]]))
    assert find_evaluation(flow, flow.served) is None
    gated = gate_flow(flow)
    assert gated.evaluated.run.golden_set_digest != before.golden_set_digest
    assert gated.decision.verdict != "pass"
    assert any(
        "not comparable" in reason or "changed" in reason or "differ" in reason for reason in gated.decision.reasons
    )
