from __future__ import annotations

import ir_measures
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genaiops.evaluation import ranking
from genaiops.evaluation.retrieval_measures import FORMULAS, expanded_ranking

IDS = [f"d{n}" for n in range(12)]


def reference(name: str, ranked: list[str], relevant: set[str]) -> float:
    """The value of ir-measures for one query."""
    qrels = [ir_measures.Qrel("q", item, 1) for item in relevant]
    run = [ir_measures.ScoredDoc("q", item, -float(rank)) for rank, item in enumerate(ranked)]
    value = ir_measures.calc_aggregate([ir_measures.parse_measure(name)], qrels, run)
    return float(next(iter(value.values())))


@settings(max_examples=60, deadline=None)
@given(
    ranked=st.permutations(IDS).flatmap(lambda ids: st.integers(1, 12).map(lambda n: ids[:n])),
    relevant=st.sets(st.sampled_from(IDS), min_size=1),
    k=st.integers(1, 14),
)
def test_values_are_those_of_ir_measures(ranked: list[str], relevant: set[str], k: int) -> None:
    for name, ours in {
        f"R@{k}": ranking.recall(ranked, relevant, k),
        f"P@{k}": ranking.precision(ranked, relevant, k),
        f"RR@{k}": ranking.reciprocal_rank(ranked, relevant, k),
        f"AP@{k}": ranking.average_precision(ranked, relevant, k),
        f"nDCG@{k}": ranking.ndcg(ranked, relevant, k),
        "AP": ranking.average_precision(ranked, relevant),
        "nDCG": ranking.ndcg(ranked, relevant),
        "RR": ranking.reciprocal_rank(ranked, relevant),
    }.items():
        assert ours == pytest.approx(reference(name, ranked, relevant)), name


@settings(max_examples=60, deadline=None)
@given(covered=st.lists(st.frozensets(st.integers(0, 4), max_size=3), min_size=1, max_size=8), missed=st.integers(0, 3))
def test_the_expanded_ranking_gives_the_ndcg_and_map_of_ir_measures(covered: list[frozenset[int]], missed: int) -> None:
    # Quotes beyond the largest that is covered are the ones that retrieval missed.
    quotes = max((number for found in covered for number in found), default=0) + 1 + missed
    entries = expanded_ranking(covered)
    assert len(entries) == len(set(entries))
    relevant = {str(number) for number in range(quotes)}
    ranked = [str(entry) for entry in entries]
    for name, formula in {"nDCG": "ndcg", "AP": "map"}.items():
        ours = FORMULAS[formula](covered, quotes, len(covered))
        assert 0 <= ours <= 1 + 1e-12
        assert ours == pytest.approx(reference(name, ranked, relevant)), name


@pytest.mark.parametrize(
    "figure", [ranking.recall, ranking.precision, ranking.reciprocal_rank, ranking.average_precision, ranking.ndcg]
)
def test_an_empty_ranking_is_zero_and_nothing_to_find_an_error(figure: ranking.Figure) -> None:
    assert figure([], {"a"}, 5) == 0
    assert figure([], {"a"}, None) == 0
    with pytest.raises(ValueError, match="nothing to find"):
        figure(["a"], set(), 5)
    with pytest.raises(ValueError, match="at least 1"):
        figure(["a"], {"a"}, 0)


def test_an_id_that_comes_again_is_not_found_again() -> None:
    assert ranking.recall(["a", "a"], {"a", "b"}) == 0.5
    assert ranking.ndcg(["a", "a"], {"a"}) == 1
