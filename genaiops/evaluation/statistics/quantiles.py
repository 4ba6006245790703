"""Intervals of a quantile, from order statistics."""

from __future__ import annotations

import math
from collections.abc import Sequence

from genaiops.evaluation.statistics.clusters import Clusters, effective_cases
from genaiops.evaluation.statistics.moments import Interval, Sides, refuse_unusable, tail_of


def quantile_interval(
    values: Sequence[float],
    *,
    quantile: float = 0.95,
    confidence: float = 0.95,
    sides: Sides = 2,
    clusters: Clusters | None = None,
) -> Interval:
    """The `quantile` of the cases the values were drawn from, whatever their distribution.

    The ends are order statistics, with ranks from the binomial distribution (David and
    Nagaraja, Order Statistics, 3rd ed. 2003, section 7.1), so an end is infinite while
    there are too few values to bound it: an upper end for the 95 % quantile at one-sided
    95 % confidence needs 59. The estimate is the value of rank ceil(quantile x n). With
    `clusters` the binomial is that of the effective number of cases of "is at most the
    estimate" (Woodruff, JASA 47 (1952) 635-646, for quantiles of a cluster sample); they
    never narrow the interval, and cases worth fewer than one have no ends.
    """
    tail = tail_of(confidence, sides)
    refuse_unusable(values)
    ordered, n = sorted(values), len(values)
    # Round-off would cost a rank where n x quantile is whole.
    estimate = ordered[max(0, math.ceil(quantile * n - 1e-9) - 1)]
    worth = effective_cases([float(value <= estimate) for value in values], clusters, tail)
    low, high = _ends(ordered, n, quantile, tail)
    if worth != n:
        # With ranks stretched to fewer cases an end can fall further in than that of them all.
        other = _ends(ordered, worth, quantile, tail)
        low, high = min(low, other[0]), max(high, other[1])
    return Interval(estimate, min(low, estimate), max(high, estimate), n, None if worth == n else worth)


def _ends(ordered: Sequence[float], worth: float, quantile: float, tail: float) -> tuple[float, float]:
    """The order statistics between which the quantile lies, of sorted values that are worth so many."""
    n = len(ordered)
    if worth < 1:
        return -math.inf, math.inf  # less than one case bounds nothing
    below = _below(n, worth, quantile)
    low = next((ordered[rank] for rank in range(n - 1, -1, -1) if below[rank] <= tail), -math.inf)
    high = next((ordered[rank] for rank in range(n) if below[rank] >= 1 - tail), math.inf)
    return low, high


def quantile_difference(
    a: Sequence[float],
    b: Sequence[float],
    *,
    quantile: float = 0.95,
    confidence: float = 0.95,
    sides: Sides = 2,
    clusters: Clusters | None = None,
) -> Interval:
    """Quantile of `a` minus quantile of `b`: the two intervals subtracted, each with half the error (Bonferroni).

    Wider than need be, but it holds for any distribution and any dependence between the two.
    """
    tail = tail_of(confidence, sides) / 2
    mine, other = (
        quantile_interval(v, quantile=quantile, confidence=1 - tail, sides=1, clusters=clusters) for v in (a, b)
    )
    low = mine.low - other.high if math.isfinite(mine.low) and math.isfinite(other.high) else -math.inf
    high = mine.high - other.low if math.isfinite(mine.high) and math.isfinite(other.low) else math.inf
    worth = min((found.effective for found in (mine, other) if found.effective is not None), default=None)
    return Interval(mine.estimate - other.estimate, low, high, min(mine.n, other.n), worth)


def _below(n: int, worth: float, quantile: float) -> list[float]:
    """For each rank, P(at most `rank` of the values lie below the quantile); `worth` values spread over n ranks."""
    from scipy.special import betainc

    step = (worth - 1) / (n - 1) if n > 1 else 1.0
    # The binomial distribution function, which betainc continues to numbers that are not whole.
    return [float(betainc(worth - rank * step, rank * step + 1, 1 - quantile)) for rank in range(n)]
