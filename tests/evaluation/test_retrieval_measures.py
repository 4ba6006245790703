from __future__ import annotations

import math

import pytest

from genaiops.evaluation import measure_named
from genaiops.evaluation.records import Measure, Sample
from genaiops.evaluation.retrieval_measures import covers
from genaiops.records import (
    Answer,
    Case,
    Chunk,
    Evidence,
    Hit,
    NotApplicable,
    Query,
    Score,
    Unscored,
    Usage,
)
from tests.contracts.measure_contract import MeasureContract

TEXT = "One two three four. Five six seven eight. Nine ten eleven twelve. Thirteen."


def chunk(start: int, end: int, document: str = "d.md") -> Chunk:
    return Chunk(document, start, end, TEXT[start:end], "s", TEXT[start:end])


def sample(quotes: list[str], chunks: list[Chunk], *, index: str = "i") -> Sample:
    case = Case("a", "What?", evidence=tuple(Evidence("d.md", quote) for quote in quotes))
    hits = tuple(Hit(item, 1.0 / rank, rank) for rank, item in enumerate(chunks, start=1))
    answer = Answer(Query("What?"), "That.", False, (), hits, Usage(), None, {}, "m", "p", index)
    return Sample("a", "What?", "That.", tuple(item.text for item in chunks), case=case, response=answer)


def value(name: str, quotes: list[str], chunks: list[Chunk]) -> float:
    (outcome,) = measure_named(name).score([sample(quotes, chunks)])
    assert isinstance(outcome, Score), outcome
    return outcome.value


FIVE = "Five six seven eight."  # characters 20 to 41
NINE = "Nine ten eleven twelve."  # characters 42 to 65


@pytest.mark.parametrize(
    ("span", "covered"),
    [
        ((0, 75), True),  # holds it
        ((20, 41), True),  # is it
        ((25, 30), True),  # lies inside it
        ((0, 31), True),  # its end has 11 of 21 characters
        ((0, 30), False),  # its end has 10
        ((30, 75), True),  # its beginning has 11
        ((31, 75), False),
        ((42, 75), False),
    ],
)
def test_a_chunk_covers_a_quote_by_holding_it_lying_inside_or_having_half(span: tuple[int, int], covered: bool) -> None:
    assert covers(chunk(*span), Evidence("d.md", FIVE)) is covered


def test_a_quote_cut_in_equal_halves_is_covered_by_both() -> None:
    quote = Evidence("d.md", "abcd")
    for text in ("xyab", "cdxy"):
        assert covers(Chunk("d.md", 0, 4, text, "s", text), quote)


def test_the_same_words_in_another_document_cover_nothing() -> None:
    assert not covers(chunk(0, 75, "other.md"), Evidence("d.md", FIVE))


def test_an_empty_chunk_covers_nothing() -> None:
    assert not covers(Chunk("d.md", 0, 1, " ", "s", " "), Evidence("d.md", FIVE))


def test_recall_is_the_share_of_quotes_that_the_first_k_cover() -> None:
    chunks = [chunk(66, 75), chunk(20, 41), chunk(42, 65)]
    assert [value(f"recall@{k}", [FIVE, NINE], chunks) for k in (1, 2, 3, 10)] == [0, 0.5, 1, 1]


def test_precision_divides_by_k_even_when_fewer_were_retrieved() -> None:
    chunks = [chunk(66, 75), chunk(20, 41)]
    assert [value(f"precision@{k}", [FIVE], chunks) for k in (1, 2, 4)] == [0, 0.5, 0.25]


def test_mrr_is_one_over_the_rank_of_the_first_that_covers() -> None:
    assert value("mrr@3", [FIVE], [chunk(66, 75), chunk(20, 41)]) == 0.5
    assert value("mrr@1", [FIVE], [chunk(66, 75), chunk(20, 41)]) == 0


def test_one_chunk_with_both_quotes_is_an_ideal_ranking() -> None:
    assert value("ndcg@1", [FIVE, NINE], [chunk(0, 75)]) == 1
    assert value("map@1", [FIVE, NINE], [chunk(0, 75)]) == 1


def test_the_same_evidence_twice_counts_once() -> None:
    both = value("ndcg@2", [FIVE, NINE], [chunk(0, 45), chunk(19, 42)])  # the second covers nothing new
    assert both == pytest.approx(1 / (1 + 1 / math.log2(3)))
    assert value("map@2", [FIVE, NINE], [chunk(0, 45), chunk(19, 42)]) == 0.5


def test_the_ideal_does_not_shrink_to_what_was_found() -> None:
    assert value("ndcg@1", [FIVE, NINE], [chunk(20, 41)]) == pytest.approx(1 / (1 + 1 / math.log2(3)))


def test_a_case_without_evidence_is_not_applicable() -> None:
    case = Case("a", "What?", reference="That.")
    measure = measure_named("recall@3")
    assert isinstance(measure.score([Sample("a", "What?", "", case=case)])[0], NotApplicable)


def test_nothing_retrieved_by_a_flow_is_zero_but_nothing_reported_is_unscored() -> None:
    measure = measure_named("recall@3")
    assert measure.score([sample([FIVE], [])]) == [Score(0.0)]
    assert isinstance(measure.score([sample([FIVE], [], index="")])[0], Unscored)
    assert isinstance(measure.score([sample([FIVE], [chunk(0, 75, "")], index="")])[0], Unscored)


@pytest.mark.parametrize("name", ["recall@2", "precision@2", "mrr@2", "ndcg@2", "map@2"])
class TestEveryRetrievalMeasure(MeasureContract):
    @pytest.fixture
    def measure(self, name: str) -> Measure:
        return measure_named(name)

    @pytest.fixture
    def samples(self, name: str) -> list[Sample]:
        return [
            sample([FIVE, NINE], [chunk(66, 75), chunk(0, 75)]),
            sample([FIVE], []),
            Sample("c", "Who?", "Nobody.", case=Case("c", "Who?", "unanswerable")),
        ]
