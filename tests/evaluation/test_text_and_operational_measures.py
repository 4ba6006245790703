from __future__ import annotations

from dataclasses import replace

import pytest

from genaiops.evaluation import measure_named
from genaiops.evaluation.records import Measure, Sample
from genaiops.evaluation.text_measures import exact_match, normalised, token_f1
from genaiops.records import Answer, Case, NotApplicable, Outcome, Query, Score, Unscored, Usage
from tests.contracts.measure_contract import MeasureContract

ANSWER = Answer(
    Query("Who?"), "The Cat [1].", False, (), (), Usage(120, 8), 0.002, {"total": 0.25, "generate": 0.2}, "m", "p", "i"
)


def sample(*, kind: str = "answerable", refused: bool = False, answer: Answer | None = ANSWER) -> Sample:
    case = Case("a", "Who?", reference="cat") if kind == "answerable" else Case("a", "Who?", "adversarial")
    return Sample("a", "Who?", "The Cat [1].", (), case.reference, refused, case, answer)


def outcome(name: str, of: Sample) -> Outcome:
    return measure_named(name).score([of])[0]


def test_normalisation_drops_case_punctuation_articles_and_citation_markers() -> None:
    assert normalised("The  U.S. [1], an 'Apple' and theatre [12].") == "us apple and theatre"


def test_exact_match_and_token_f1_by_hand() -> None:
    assert exact_match("The cat. [2]", "cat") == 1
    assert exact_match("cats", "cat") == 0
    assert token_f1("a black cat sat", "the cat sat down") == pytest.approx(2 * (2 / 3) * (2 / 3) / (4 / 3))
    assert token_f1("cat cat cat", "cat") == pytest.approx(0.5)  # repeating a word does not help
    assert token_f1("dog", "cat") == 0
    assert token_f1("", "cat") == 0
    assert token_f1("The", "a") == 1  # both are empty once normalised


def test_without_a_reference_there_is_nothing_to_compare() -> None:
    for name in ("exact_match", "token_f1"):
        assert isinstance(outcome(name, sample(kind="adversarial")), NotApplicable)
        assert isinstance(outcome(name, sample()), Score)


def test_refusal_looks_at_cases_that_want_one_and_answered_at_the_others() -> None:
    wanted = {refused: outcome("refusal", sample(kind="adversarial", refused=refused)) for refused in (True, False)}
    assert wanted == {True: Score(1.0), False: Score(0.0)}
    over = {refused: outcome("answered", sample(refused=refused)) for refused in (True, False)}
    assert over == {True: Score(0.0), False: Score(1.0)}
    assert isinstance(outcome("refusal", sample()), NotApplicable)
    assert isinstance(outcome("answered", sample(kind="adversarial")), NotApplicable)
    assert isinstance(outcome("answered", Sample("a", "Who?", "Me.")), NotApplicable)


def test_operational_measures_read_the_answer() -> None:
    names = ("latency_s", "latency_p95_s", "input_tokens", "output_tokens", "cost_usd")
    assert [outcome(name, sample()) for name in names] == [Score(v) for v in (0.25, 0.25, 120.0, 8.0, 0.002)]


def test_what_is_not_known_is_unscored_not_zero() -> None:
    unknown = replace(ANSWER, cost_usd=None, seconds={})
    assert isinstance(outcome("cost_usd", sample(answer=unknown)), Unscored)
    assert isinstance(outcome("latency_s", sample(answer=unknown)), Unscored)
    assert isinstance(outcome("output_tokens", sample(answer=None)), Unscored)


@pytest.mark.parametrize(
    "name",
    ["exact_match", "token_f1", "refusal", "answered", "latency_s", "latency_p95_s", "input_tokens", "cost_usd"],
)
class TestEveryPlainMeasure(MeasureContract):
    @pytest.fixture
    def measure(self, name: str) -> Measure:
        return measure_named(name)

    @pytest.fixture
    def samples(self, name: str) -> list[Sample]:
        return [sample(), sample(refused=True), sample(kind="adversarial"), sample(kind="adversarial", refused=True)]
