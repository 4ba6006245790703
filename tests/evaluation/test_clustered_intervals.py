"""Cluster-robust intervals: what they agree with, and what they never do."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genaiops.evaluation.statistics import (
    cases_needed,
    cases_needed_for_quantile,
    detectable_difference,
    effective_cases,
    mean_interval,
    paired_difference,
    quantile_interval,
)
from genaiops.evaluation.statistics.clusters import freedom

VALUES = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 5)), min_size=2, max_size=40)


def cr2(values: list[float], clusters: list[int]) -> tuple[float, float]:
    """Variance and degrees of freedom of a mean by the matrices of Bell and McCaffrey, independent errors assumed."""
    y, ids = np.asarray(values), np.asarray(clusters)
    n = len(y)
    hat = np.full((n, n), 1 / n)
    residuals = y - y.mean()
    total, vectors = 0.0, []
    for c in np.unique(ids):
        rows = np.flatnonzero(ids == c)
        block = np.eye(len(rows)) - hat[np.ix_(rows, rows)]
        w, v = np.linalg.eigh(block)
        adjust = v @ np.diag(1 / np.sqrt(w)) @ v.T
        total += float(np.ones(len(rows)) @ adjust @ residuals[rows]) ** 2 / n**2
        vectors.append((np.eye(n) - hat)[rows].T @ adjust @ np.ones(len(rows)) / n)
    g = np.array(vectors)
    products = g @ g.T
    return total, float(np.trace(products) ** 2 / (products**2).sum())


def test_variance_and_freedom_are_those_of_the_matrix_formulas() -> None:
    chance = np.random.default_rng(0)
    clusters = [0] * 2 + [1] * 3 + [2] * 7 + [3] + [4] * 5
    values = (chance.random(5)[clusters] + chance.random(18) / 3).tolist()
    variance, degrees = cr2(values, clusters)
    assert freedom([2, 3, 7, 1, 5], 0.0) == pytest.approx(degrees)
    assert freedom([4] * 9, 0.0) == pytest.approx(8)
    assert freedom([4] * 9, 0.7) == pytest.approx(8)
    # As effective_cases puts it, solved for the variance.
    from genaiops.evaluation.statistics.clusters import _Seen

    seen = _Seen.of(values, clusters)
    assert seen is not None
    assert seen.robust == pytest.approx(variance)
    assert seen.independent == pytest.approx(np.var(values, ddof=1) / 18)


@settings(max_examples=100, deadline=None)
@given(rows=VALUES, unit=st.booleans())
def test_clusters_never_make_an_interval_narrower(rows: list[tuple[float, int]], unit: bool) -> None:
    values, clusters = [v for v, _ in rows], [c for _, c in rows]
    for found, plain in (
        (mean_interval(values, unit_interval=unit, clusters=clusters), mean_interval(values, unit_interval=unit)),
        (
            paired_difference(values, values[::-1], unit_interval=unit, clusters=clusters),
            paired_difference(values, values[::-1], unit_interval=unit),
        ),
        (quantile_interval(values, quantile=0.5, clusters=clusters), quantile_interval(values, quantile=0.5)),
    ):
        assert found.low <= plain.low + 1e-9
        assert found.high >= plain.high - 1e-9
        assert found.low <= found.estimate <= found.high


def test_clusters_change_nothing_where_they_say_nothing() -> None:
    values = [0.0, 1.0, 1.0, 0.5, 0.7, 0.2]
    assert effective_cases(values, range(6), 0.05) == 6
    assert effective_cases(values, ["one document"] * 6, 0.05) == 6
    assert effective_cases([0.8] * 6, [1, 1, 1, 2, 2, 2], 0.05) == 6
    assert effective_cases(values, None, 0.05) == 6


def test_documents_that_fail_whole_are_worth_about_as_many_cases_as_there_are_documents() -> None:
    clusters = [d for d in range(30) for _ in range(10)]
    values = [float(d % 3 > 0) for d in clusters]
    worth = effective_cases(values, clusters, 0.025)
    assert 25 < worth <= 30
    found = mean_interval(values, unit_interval=True, clusters=clusters)
    assert found.effective == worth
    assert found.n == 300
    assert found.high - found.low > 3 * (mean_interval(values, unit_interval=True).high - 2 / 3)


def test_lists_of_unequal_length_are_refused() -> None:
    with pytest.raises(ValueError, match="argument 2"):
        mean_interval([1.0, 0.0, 1.0], unit_interval=True, clusters=[1, 2])


def test_more_cases_are_needed_of_few_documents_and_larger_drops_to_be_seen() -> None:
    clusters = [d for d in range(12) for _ in range(10)]
    values = [0.0 if d == 3 and n % 2 else 1.0 for n, d in enumerate(clusters)]
    plain, together = (cases_needed(values, 0.93, unit_interval=True, clusters=c) for c in (None, clusters))
    assert plain is not None and together is not None and together > plain
    seen = [detectable_difference(values, 0.9, unit_interval=True, clusters=c) for c in (None, clusters)]
    assert seen[0] is not None and seen[1] is not None and seen[1] > seen[0]


def test_what_is_detectable_shrinks_with_cases_and_is_none_where_no_drop_could_be_seen() -> None:
    seen = [detectable_difference([0.0] * n, -0.05, unit_interval=True, paired=True) for n in (20, 50, 110, 500)]
    assert all(value is not None for value in seen)
    assert sorted(seen, reverse=True) == seen  # type: ignore[type-var]
    assert detectable_difference([0.0] * 3, -0.5, unit_interval=True, paired=True) is None
    assert detectable_difference([1.0] * 10, 0.05, unit_interval=True) is None
    below = detectable_difference([0.0] * 95 + [1.0] * 5, 0.2, side="below", unit_interval=True)
    above = detectable_difference([1.0] * 95 + [0.0] * 5, 0.8, unit_interval=True)
    assert below == pytest.approx(above)
    seconds = detectable_difference([1.0, 1.2, 0.9] * 20, 1.5, side="below", unit_interval=False)
    assert seconds is not None and 0 < seconds < 0.1
    assert math.isfinite(seconds)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([1.0, 2.0, 9.0]), st.integers(1, 60)), min_size=2, max_size=5),
    st.sampled_from([0.5, 0.9, 0.95]),
    st.sampled_from([0.51, 0.95, 0.99]),
)
def test_clusters_never_narrow_an_interval_of_a_quantile(
    documents: list[tuple[float, int]], quantile: float, confidence: float
) -> None:
    # Each document has a time of its own, so that the cases of two are worth fewer than one.
    values = [value for value, size in documents for _ in range(size)]
    clusters = [number for number, (_, size) in enumerate(documents) for _ in range(size)]
    plain = quantile_interval(values, quantile=quantile, confidence=confidence, sides=1)
    found = quantile_interval(values, quantile=quantile, confidence=confidence, sides=1, clusters=clusters)
    assert found.low <= plain.low <= plain.high <= found.high
    if found.effective is not None and found.effective < 1:
        assert (found.low, found.high) == (-math.inf, math.inf)


def test_the_quantile_of_cases_worth_fewer_than_one_shows_nothing() -> None:
    values, clusters = [1.0] * 52 + [9.0] * 48, ["a"] * 52 + ["b"] * 48
    found = quantile_interval(values, quantile=0.5, sides=1, clusters=clusters)
    assert found.effective is not None and found.effective < 1
    assert (found.estimate, found.low, found.high) == (1.0, -math.inf, math.inf)
    needed = cases_needed_for_quantile(values, 2.0, quantile=0.5, clusters=clusters)
    assert needed is None or needed > 1000
    # Clear without clusters, worth hardly more than one with them.
    wide = [1.0] * 80 + [9.0] * 20
    assert cases_needed_for_quantile(wide, 2.0, quantile=0.5) == 0
    assert cases_needed_for_quantile(wide, 2.0, quantile=0.5, clusters=["a"] * 80 + ["b"] * 20) != 0
