from __future__ import annotations

import math
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from genaiops.errors import ConfigurationError, ModelError
from genaiops.evaluation import evaluate
from genaiops.evaluation.asking import as_answer
from genaiops.evaluation.records import Sample
from genaiops.evaluation.scale import Statistic
from genaiops.generation import REFUSAL
from genaiops.golden_sets import GoldenSet
from genaiops.records import Answer, Case, Evidence, NotApplicable, Outcome, Query, Score, Unscored, Usage

GOLDEN = GoldenSet(
    "colours",
    (
        Case("sky", "What colour is the sky?", reference="blue", evidence=(Evidence("sky.md", "The sky is blue."),)),
        Case("grass", "What colour is grass?", reference="green"),
        Case("king", "Who is the king of colours?", "unanswerable"),
    ),
)
SAYS = {"sky": "Blue.", "grass": "It is red.", "king": REFUSAL}


def painter(query: Query) -> str:
    return SAYS[query.id]


@dataclass(frozen=True)
class Custom:
    """A user's own measure that does what a test tells it to."""

    outcomes: Mapping[str, Outcome | Exception | object]
    unit_interval: bool = True
    statistic: Statistic = "mean"
    judge: str = ""

    def __str__(self) -> str:
        return "custom"

    def score(self, samples: Sequence[Sample]) -> list[Outcome]:
        found: list[Any] = [self.outcomes[sample.id] for sample in samples]
        for outcome in found:
            if isinstance(outcome, Exception):
                raise outcome
        return found


def test_every_case_is_asked_once_and_measured() -> None:
    asked: list[Query] = []

    def ask(query: Query) -> str:
        asked.append(query)
        return painter(query)

    run = evaluate(ask, GOLDEN, measures=["exact_match", "refusal", "answered", "output_tokens"])
    assert asked == [Query(case.question, case.id) for case in GOLDEN.cases]
    assert [result.case for result in run.results] == list(GOLDEN.cases)
    assert [result.error for result in run.results] == ["", "", ""]
    assert run.values("exact_match") == {"sky": 1.0, "grass": 0.0}
    assert run.values("refusal") == {"king": 1.0}
    summary = run.summary("exact_match")
    assert summary is not None
    assert (summary.mean, summary.scored, summary.unscored, summary.not_applicable) == (0.5, 2, 0, 1)
    assert summary.low is not None and summary.high is not None and 0 < summary.low < 0.5 < summary.high < 1
    assert [summary.measure for summary in run.summaries] == ["exact_match", "refusal", "answered", "output_tokens"]
    assert (run.golden_set, run.golden_set_digest) == ("colours", GOLDEN.digest)


@pytest.mark.parametrize("error", [ModelError("the model is down", where="gpt"), ValueError("boom")])
def test_a_question_without_an_answer_is_never_graded(error: Exception) -> None:
    def ask(query: Query) -> str:
        if query.id == "sky":
            raise error
        return painter(query)

    run = evaluate(ask, GOLDEN, measures=["exact_match", "refusal", "recall@3", "latency_s"])
    result = run.results[0]
    assert result.answer is None
    assert str(error) in result.error
    assert result.outcomes["refusal"] == NotApplicable("the case wants an answer")
    for measure in ("exact_match", "recall@3", "latency_s"):
        assert result.outcomes[measure] == Unscored(f"no answer: {result.error}")
    summary = run.summary("exact_match")
    assert summary is not None
    assert (summary.mean, summary.coverage) == (0.0, 0.5)  # of grass alone
    latency = run.summary("latency_s")
    assert latency is not None and latency.scored == 2


def test_a_failure_in_the_application_names_its_file_and_line() -> None:
    def ask(query: Query) -> str:
        return query.text[10_000]

    error = evaluate(ask, GOLDEN, measures=["refusal"]).results[0].error
    assert error.startswith("IndexError: string index out of range (test_evaluation_loop.py:")


def test_an_interrupt_is_not_an_answer() -> None:
    def ask(query: Query) -> str:
        raise KeyboardInterrupt

    for workers in (1, 2):
        with pytest.raises(KeyboardInterrupt):
            evaluate(ask, GOLDEN, measures=["refusal"], workers=workers)


@pytest.mark.parametrize("said", [None, 3, {"text": "x"}, {"answer": 1}, {"answer": "x", "contexts": "y"}])
def test_what_is_no_answer_is_an_error_of_the_case(said: Any) -> None:
    (result, *_) = evaluate(lambda query: said, GOLDEN, measures=["refusal"]).results
    assert result.answer is None
    assert result.error.startswith("TypeError: ")


def test_an_answer_that_no_record_can_hold_is_an_error_of_the_case() -> None:
    priceless = Answer(Query("q"), "x", False, (), (), Usage(), math.nan, {"total": 1.0}, "m", "p", "i")
    (result, *_) = evaluate(lambda query: priceless, GOLDEN, measures=["cost_usd"]).results
    assert "not JSON compliant" in result.error
    (result, *_) = evaluate(lambda query: "half \ud800", GOLDEN, measures=["refusal"]).results
    assert result.error.startswith("UnicodeEncodeError")


def test_any_application_may_say_what_it_read() -> None:
    def ask(query: Query) -> dict[str, Any]:
        return {"answer": "Blue.", "contexts": [{"document": "sky.md", "text": "Look: The sky is blue."}, "Grass."]}

    run = evaluate(ask, GOLDEN, measures=["recall@1", "input_tokens", "cost_usd"])
    answer = run.results[0].answer
    assert answer is not None
    assert [hit.chunk.text for hit in answer.hits] == ["Look: The sky is blue.", "Grass."]
    assert answer.usage == Usage((23 + 22 + 6) // 4, 5 // 4, estimated=True)
    # The second context names no document, so what was retrieved is not known.
    assert isinstance(run.results[0].outcomes["recall@1"], Unscored)
    assert isinstance(run.results[0].outcomes["cost_usd"], Unscored)
    named = as_answer({"answer": "x", "contexts": [{"document": "sky.md", "text": "The sky is blue."}]}, Query("q"), 1)
    assert evaluate(lambda query: named, GOLDEN, measures=["recall@1"]).values("recall@1") == {"sky": 1.0}


def test_a_refusal_in_words_is_recognised() -> None:
    assert as_answer("I don't know.", Query("q"), 0.5).refused
    assert as_answer("I don't know.", Query("q"), 0.5).seconds == {"total": 0.5}


@pytest.mark.parametrize(
    ("outcome", "says"),
    [
        (Score(math.nan), "custom gave nan"),
        (Score(math.inf), "custom gave inf"),
        (Score(1.01), "custom gave 1.01, outside [0, 1]"),
        (Score("high"), "custom gave str, not a number"),  # type: ignore[arg-type]
        (0.5, "custom gave float, not an outcome"),
        (ValueError("odd"), "custom failed: ValueError: odd"),
    ],
)
def test_a_faulty_measurement_is_unscored_and_spoils_only_itself(outcome: object, says: str) -> None:
    measure = Custom({"sky": outcome, "grass": Score(0.25), "king": Score(True)})
    run = evaluate(painter, GOLDEN, measures=[measure])
    assert run.results[0].outcomes["custom"] == Unscored(says)
    assert run.values("custom") == {"grass": 0.25, "king": 1.0}
    summary = run.summary("custom")
    assert summary is not None and summary.coverage == pytest.approx(2 / 3) and summary.mean == 0.625


def test_an_outage_of_a_judge_is_not_tried_again_for_every_sample() -> None:
    calls: list[int] = []

    @dataclass(frozen=True)
    class Down(Custom):
        def score(self, samples: Sequence[Sample]) -> list[Outcome]:
            calls.append(len(samples))
            raise ModelError("the judge is down")

    run = evaluate(painter, GOLDEN, measures=[Down({})])
    assert calls == [3]
    assert run.results[0].outcomes["custom"] == Unscored("custom failed: the judge is down")
    summary = run.summary("custom")
    assert summary is not None and (summary.mean, summary.coverage) == (None, 0.0)


def test_too_few_outcomes_are_none_at_all() -> None:
    @dataclass(frozen=True)
    class Short(Custom):
        def score(self, samples: Sequence[Sample]) -> list[Outcome]:
            return [Score(1.0)]

    run = evaluate(painter, GOLDEN, measures=[Short({})])
    assert run.values("custom") == {}
    assert run.results[2].outcomes["custom"] == Unscored("custom gave 1 outcomes for 3 samples")


def test_a_judge_is_named_with_its_digest_and_each_measure_with_its_scale() -> None:
    measure = Custom({case.id: Score(2.0) for case in GOLDEN.cases}, unit_interval=False, judge="abc")
    run = evaluate(painter, GOLDEN, measures=[measure, "latency_p95_s", "refusal"])
    assert run.judges == {"custom": "abc"}
    assert {name: (scale.unit_interval, scale.statistic) for name, scale in run.scales.items()} == {
        "custom": (False, "mean"),
        "latency_p95_s": (False, "p95"),
        "refusal": (True, "mean"),
    }


def test_workers_ask_at_the_same_time_and_results_keep_the_order_of_the_set() -> None:
    together = threading.Barrier(3, timeout=10)  # broken, and so an error of the cases, unless 3 wait at once

    def ask(query: Query) -> str:
        together.wait()
        time.sleep({"sky": 0.05, "grass": 0.02, "king": 0}[query.id])
        return painter(query)

    run = evaluate(ask, GOLDEN, measures=["exact_match"], workers=3)
    assert [result.case.id for result in run.results] == ["sky", "grass", "king"]
    assert [result.answer.text for result in run.results if result.answer] == list(SAYS.values())


def test_progress_tells_of_questions_and_measures() -> None:
    told: list[tuple[str, int, int]] = []
    evaluate(painter, GOLDEN, measures=["refusal", "answered"], progress=lambda *said: told.append(said))
    assert told == [("ask", 1, 3), ("ask", 2, 3), ("ask", 3, 3), ("refusal", 1, 2), ("answered", 2, 2)]


@pytest.mark.parametrize("options", [{"workers": 0}, {"workers": 65}, {"confidence": 1.0}, {"measures": ["zzz"]}])
def test_options_are_checked_before_anything_is_asked(options: dict[str, Any]) -> None:
    def ask(query: Query) -> str:
        raise AssertionError("asked")

    with pytest.raises(ConfigurationError):
        evaluate(ask, GOLDEN, **{"measures": ["refusal"], **options})
