"""A refusal is an outcome of its own, right or wrong by the case."""

from __future__ import annotations

from dataclasses import replace

import pytest

from genaiops.evaluation.reactions import reaction_of, reactions, refusals_line
from genaiops.evaluation.records import CaseResult
from genaiops.records import Answer, Case, Query, Usage
from tests.promotion.builders import run_of


def result(case_id: str, wanted: bool, refused: bool | None) -> CaseResult:
    case = Case(case_id, "?", reference="yes" if wanted else "")
    answer = Answer(Query("?"), "…", bool(refused), (), (), Usage(), None, {}, "m", "p", "i")
    return CaseResult(case, None if refused is None else answer, "", {})


@pytest.mark.parametrize(
    ("wanted", "refused", "reaction"),
    [
        (True, False, "answered"),
        (True, True, "wrongly refused"),
        (False, True, "refused"),
        (False, False, "wrongly answered"),
        (True, None, "no answer"),
    ],
)
def test_the_case_decides_whether_a_refusal_is_right(wanted: bool, refused: bool | None, reaction: str) -> None:
    assert reaction_of(result("q", wanted, refused)) == reaction


def test_a_run_names_its_wrong_refusals_and_its_wrong_answers() -> None:
    results = (
        result("a", True, False),
        *(result(f"r{n}", False, True) for n in range(12)),
        result("q4", True, True),
        *(result(f"w{n}", False, False) for n in range(4)),
    )
    run = replace(run_of({}), results=results)
    assert reactions(run)["wrongly refused"] == ["q4"]
    assert refusals_line(run) == (
        "refusals: 12 right; 1 wrong (q4); 4 answered where a refusal is wanted (w0, w1, w2, …)"
    )
    assert refusals_line(replace(run, results=results[:1])) == ""
