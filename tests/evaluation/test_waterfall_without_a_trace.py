"""What the waterfall can say of an application whose inside nobody can look into."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from genaiops.evaluation import evaluate
from genaiops.evaluation.records import CaseResult, Run, Stage
from genaiops.evaluation.waterfall import STAGES, told_in_lines, waterfall, wrong_because
from genaiops.golden_sets import GoldenSet
from genaiops.records import Answer, Case, Evidence, NotApplicable, Outcome, Query, Score, Unscored

QUOTE = "The sky is blue."
EVIDENT = Case("sky", "Which colour is the sky?", reference="Blue.", evidence=(Evidence("sky.md", QUOTE),))
BARE = Case("grass", "Which colour is grass?", reference="Grass is green.")


class Low:
    """A measure that gives every answer the same value."""

    unit_interval, statistic, judge = True, "mean", ""

    def __init__(self, value: float = 0.1) -> None:
        self.value = value

    def __str__(self) -> str:
        return "completeness"

    def score(self, samples: Any) -> list[Outcome]:
        return [Score(self.value) for _ in samples]


def result(case: Case, said: Any, measure: Low | None = None) -> CaseResult:
    return evaluate(lambda query: said, GoldenSet("one", (case,)), measures=[measure or Low()]).results[0]


@pytest.mark.parametrize(
    ("case", "said", "stage"),
    [
        (EVIDENT, {"answer": "It is red.", "contexts": [QUOTE]}, "unused"),
        (EVIDENT, {"answer": "It is red.", "contexts": ["Nothing of it."]}, "retrieval"),
        (EVIDENT, {"answer": "I do not know.", "contexts": [QUOTE]}, "refused"),
        (EVIDENT, {"answer": "I do not know.", "contexts": ["Nothing of it."]}, "retrieval"),
        (EVIDENT, "It is red.", "unknown"),
        (BARE, {"answer": "It is red.", "contexts": ["Nothing of it."]}, "unknown"),
        (BARE, {"answer": "It is red.", "contexts": ["We all know: grass is  GREEN. Yes."]}, "unused"),
        (BARE, {"answer": "I do not know.", "contexts": [QUOTE]}, "refused"),
        (Case("king", "Who is king?", kind="unanswerable"), "Charles.", "refused"),
    ],
)
def test_a_wrong_answer_has_the_stage_that_its_contexts_tell(case: Case, said: Any, stage: str) -> None:
    found = result(case, said).failure
    assert found is not None
    assert found.stage == stage
    assert found.detail and found.knob


def test_what_cannot_be_known_without_a_quote_is_said() -> None:
    for said in ("I do not know.", {"answer": "It is red.", "contexts": ["Nothing of it."]}):
        found = result(BARE, said).failure
        assert found is not None
        assert "no evidence quote" in found.detail


def test_an_error_is_its_own_stage() -> None:
    def ask(query: Query) -> Answer:
        raise TimeoutError("nobody answers")

    run = evaluate(ask, GoldenSet("one", (EVIDENT,)), measures=[Low()])
    found = run.results[0].failure
    assert found is not None
    assert (found.stage, "nobody answers" in found.detail) == ("error", True)


def test_a_right_answer_and_a_right_refusal_have_none() -> None:
    assert result(EVIDENT, "It is blue.", Low(0.5)).failure is None
    assert result(Case("king", "Who is king?", kind="unanswerable"), "I do not know.").failure is None


def test_a_measurement_that_failed_makes_no_answer_wrong() -> None:
    answered = result(EVIDENT, "It is blue.", Low(0.5))
    for outcome in (Unscored("the judge was down"), NotApplicable("no")):
        changed = CaseResult(answered.case, answered.answer, "", {"completeness": outcome})
        assert wrong_because(changed) == ()


def test_totals_are_in_the_order_of_the_stages_and_read_back() -> None:
    def ask(query: Query) -> Any:
        if query.id == "king":
            raise TimeoutError("nobody answers")
        return {"answer": "It is red.", "contexts": [QUOTE]}

    golden = GoldenSet("three", (EVIDENT, BARE, Case("king", "Who is king?", kind="unanswerable")))
    run = evaluate(ask, golden, measures=[Low()])
    assert list(waterfall(run).items()) == [("unused", 1), ("error", 1), ("unknown", 1)]
    assert Run.from_json(run.to_json()) == run
    lines = told_in_lines(run)
    assert lines[0] == "3 of 3 answers are wrong; lost at:"
    assert len(lines) == 4


def test_a_run_of_an_earlier_version_has_no_failures() -> None:
    run = evaluate(lambda query: "It is red.", GoldenSet("one", (EVIDENT,)), measures=[Low()])
    data = run.to_json()
    for written in data["results"]:
        del written["failure"], written["reused"]
    assert Run.from_json(data).results[0].failure is None
    assert told_in_lines(Run.from_json(data)) == []


def test_every_stage_has_words() -> None:
    assert set(STAGES) == set(get_args(Stage))
