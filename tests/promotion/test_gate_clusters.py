"""Cases of one document are not independent, and the gate counts them for what they are worth."""

from __future__ import annotations

from typing import Any

import pytest

from genaiops.promotion import judge_run
from genaiops.records import Case, Evidence
from tests.promotion.builders import Value, bits, gate_of, run_of

RULE = {"measure": "recall@5", "not_worse_than": "champion", "margin": 0.05}


def cases_of(documents: int, each: int) -> list[Case]:
    """`each` cases about every document, document after document."""
    return [
        Case(f"d{d:02}-{n}", f"question {n} about {d}?", "answerable", "yes", (Evidence(f"d{d}.md", f"quote {n}"),))
        for d in range(documents)
        for n in range(each)
    ]


def judged(column: list[Value], champion: list[Value], cases: list[Case], **settings: Any) -> Any:
    gate = gate_of(RULE, **settings)
    return judge_run(gate, run_of({"recall@5": column}, cases=cases), run_of({"recall@5": champion}, cases=cases))


def test_a_drop_that_lies_in_one_document_is_no_proof_about_others() -> None:
    cases = cases_of(12, 10)
    fine: list[Value] = [1.0] * 120
    in_one: list[Value] = [*[0.0] * 20, *[1.0] * 100]  # two documents lost whole
    decision = judged(in_one, fine, cases)
    assert decision.verdict == "inconclusive"
    result = decision.rules[0]
    assert result.documents == 12
    assert result.effective is not None and result.effective < 20
    assert "120 pairs, worth about" in result.reason and "those of one document come out alike" in result.reason
    assert judged(in_one, fine, cases, clusters="none").verdict == "fail"


def test_the_same_drop_spread_over_the_documents_is_proof() -> None:
    cases = cases_of(12, 10)
    spread: list[Value] = [0.0 if n % 6 == 0 else 1.0 for n in range(120)]
    decision = judged(spread, [1.0] * 120, cases)
    assert decision.verdict == "fail"


def test_an_unchanged_run_of_few_documents_passes_as_one_of_many_does() -> None:
    same: list[Value] = [1.0, 0.0, 1.0, 1.0] * 30
    decision = judged(same, same, cases_of(4, 30))
    assert decision.verdict == "pass"
    assert decision.rules[0].effective is None


def test_cases_without_evidence_stand_for_themselves() -> None:
    decision = judge_run(gate_of({"measure": "recall@5", "at_least": 0.8}), run_of({"recall@5": bits(95, 5)}), None)
    assert decision.rules[0].effective is None
    assert decision.rules[0].documents == 100


def test_more_cases_are_asked_for_where_those_of_one_document_are_alike() -> None:
    cases = cases_of(15, 8)
    column: list[Value] = [1.0 if n // 8 % 15 != 3 else 0.0 for n in range(120)]
    gate = {"measure": "recall@5", "at_least": 0.85}
    run = run_of({"recall@5": column}, cases=cases)
    apart, together = (judge_run(gate_of(gate, clusters=how), run, None).rules[0] for how in ("none", "document"))
    assert apart.verdict == "pass"
    assert together.verdict == "inconclusive"
    assert together.cases_needed is not None and together.cases_needed > 200


@pytest.mark.parametrize("value", ["'chapter'", "1", "[document]"])
def test_another_cluster_than_document_or_none_is_refused(value: str, tmp_path: Any) -> None:
    from genaiops.errors import ConfigurationError
    from genaiops.promotion import load_gate

    path = tmp_path / "gate.yaml"
    path.write_text(f"clusters: {value}\nrules: [{{measure: recall@5, at_least: 0.9}}]\n")
    with pytest.raises(ConfigurationError, match="clusters"):
        load_gate(path)
