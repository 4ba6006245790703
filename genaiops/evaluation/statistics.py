"""Intervals that stay honest for few cases and for cases that all look alike.

Every function takes a confidence in (0.5, 1) and `sides`: with 2 the interval as a
whole holds with that confidence, with 1 each of its ends does on its own (what a gate
asks: "is the mean above the floor?"). An end is infinite where the data cannot say.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

from genaiops.errors import ConfigurationError

Sides = Literal[1, 2]
RESAMPLES = 4000
FEWEST_UNBOUNDED = 5  # below, a mean of values without bounds has no interval worth printing
MOST_CASES = 1_000_000  # cases_needed gives up beyond


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with the ends of its interval, `low <= estimate <= high`, from `n` values."""

    estimate: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True)
class Moments:
    """All that the intervals of bounded values depend on: how many, their mean, the mean of their squares."""

    n: int
    mean: float
    square: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Moments:
        """The moments of at least one value; ValueError for none, or for one that is not finite."""
        if not values or not all(math.isfinite(value) for value in values):
            raise ValueError("statistics need at least one value, and only finite ones")
        n = len(values)
        return cls(n, math.fsum(values) / n, math.fsum(value * value for value in values) / n)


def mean_interval(
    values: Sequence[float], *, confidence: float = 0.95, unit_interval: bool, sides: Sides = 2, seed: int = 0
) -> Interval:
    """The mean of the cases the values were drawn from.

    Only zeros and ones: Wilson's score interval. Other values in [0, 1]: `graded_ends`.
    Values without bounds: the wider, end by end, of Student's t and a seeded BCa
    bootstrap, which err in different tails of skewed data; when no value is negative,
    the low end is not either (such measures count or time something).
    """
    tail = _tail(confidence, sides)
    moments = Moments.of(values)
    if unit_interval:
        binary = all(value in (0.0, 1.0) for value in values)
        ends = (wilson_ends if binary else graded_ends)(moments, tail)
    else:
        low, high = _unbounded_ends(values, moments, tail, seed)
        ends = (max(low, 0.0) if min(values) >= 0 else low, high)
    return _interval(moments, ends)


def paired_difference(
    a: Sequence[float],
    b: Sequence[float],
    *,
    confidence: float = 0.95,
    unit_interval: bool,
    sides: Sides = 2,
    seed: int = 0,
) -> Interval:
    """Mean of `a[i] - b[i]`, where `a[i]` and `b[i]` were measured on the same case.

    Measures in [0, 1]: see `paired_ends`. Measures without bounds: as `mean_interval`
    of the differences. ValueError when the lists differ in length.
    """
    tail = _tail(confidence, sides)
    differences = [mine - other for mine, other in zip(a, b, strict=True)]
    moments = Moments.of(differences)
    ends = paired_ends(moments, tail) if unit_interval else _unbounded_ends(differences, moments, tail, seed)
    return _interval(moments, ends)


def quantile_interval(
    values: Sequence[float], *, quantile: float = 0.95, confidence: float = 0.95, sides: Sides = 2
) -> Interval:
    """The `quantile` of the cases the values were drawn from, whatever their distribution.

    The ends are order statistics, with ranks from the binomial distribution (David and
    Nagaraja, Order Statistics, 3rd ed. 2003, section 7.1), so an end is infinite while
    there are too few values to bound it: an upper end for the 95 % quantile at one-sided
    95 % confidence needs 59. The estimate is the value of rank ceil(quantile x n).
    """
    from scipy.special import bdtr  # scipy is not needed to start

    tail = _tail(confidence, sides)
    Moments.of(values)
    ordered, n = sorted(values), len(values)
    below = [float(bdtr(rank, n, quantile)) for rank in range(n)]  # P(at most `rank` values lie below the quantile)
    # Round-off would cost a rank where n x quantile is whole.
    estimate = ordered[max(0, math.ceil(quantile * n - 1e-9) - 1)]
    low = next((ordered[rank] for rank in range(n - 1, -1, -1) if below[rank] <= tail), -math.inf)
    high = next((ordered[rank] for rank in range(n) if below[rank] >= 1 - tail), math.inf)
    return Interval(estimate, min(low, estimate), max(high, estimate), n)


def quantile_difference(
    a: Sequence[float], b: Sequence[float], *, quantile: float = 0.95, confidence: float = 0.95, sides: Sides = 2
) -> Interval:
    """Quantile of `a` minus quantile of `b`: the two intervals subtracted, each with half the error (Bonferroni).

    Wider than need be, but it holds for any distribution and any dependence between the two.
    """
    tail = _tail(confidence, sides) / 2
    mine, other = (quantile_interval(v, quantile=quantile, confidence=1 - tail, sides=1) for v in (a, b))
    low = mine.low - other.high if math.isfinite(mine.low) and math.isfinite(other.high) else -math.inf
    high = mine.high - other.low if math.isfinite(mine.high) and math.isfinite(other.low) else math.inf
    return Interval(mine.estimate - other.estimate, low, high, min(mine.n, other.n))


def cases_needed(
    values: Sequence[float],
    threshold: float,
    *,
    side: Literal["above", "below"] = "above",
    confidence: float = 0.95,
    unit_interval: bool,
    paired: bool = False,
) -> int | None:
    """About how many more cases until the one-sided end would clear `threshold`, if new cases are like these.

    `side` is where the truth has to lie. With `paired`, values are differences and the
    threshold is minus the margin. 0 when it clears already; None when the estimate is
    on the wrong side, so that more cases would not help, or beyond a million.
    """
    tail = _tail(confidence, 1)
    moments = Moments.of(values)
    if (moments.mean <= threshold) if side == "above" else (moments.mean >= threshold):
        return None
    if paired and unit_interval:
        ends = paired_ends
    elif unit_interval:
        ends = wilson_ends if all(value in (0.0, 1.0) for value in values) else graded_ends
    else:
        ends = _student_ends

    def clears(n: int) -> bool:
        low, high = ends(Moments(n, moments.mean, moments.square), tail)
        return low >= threshold if side == "above" else high <= threshold

    return _more_cases(moments.n, clears)


def cases_needed_for_quantile(
    values: Sequence[float], at_most: float, *, quantile: float = 0.95, confidence: float = 0.95
) -> int | None:
    """About how many more cases until the upper end of the quantile is at most `at_most`; None as in cases_needed."""
    from scipy.special import bdtr

    tail = _tail(confidence, 1)
    share = sum(value <= at_most for value in values) / len(values)
    if share <= quantile:
        return None
    return _more_cases(len(values), lambda n: bool(bdtr(math.floor(share * n + 1e-9) - 1, n, quantile) >= 1 - tail))


# --- ends: (low, high), each of which errs with probability `tail` -------------------


def wilson_ends(moments: Moments, tail: float) -> tuple[float, float]:
    """Score interval of a proportion.

    Wilson, Probable inference, JASA 22 (1927) 209-212; recommended for small n by
    Brown, Cai and DasGupta, Statistical Science 16 (2001) 101-133.
    """
    n, share = moments.n, moments.mean
    z = NormalDist().inv_cdf(1 - tail)
    center = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, center - half), min(1.0, center + half)


def graded_ends(moments: Moments, tail: float) -> tuple[float, float]:
    """Ends for the mean of values in [0, 1].

    Gaffke's bound (Statistical Papers 46 (2005) 257-270; studied by Phan, Thomas and
    Learned-Miller, ICML 2021): add one value at the pessimistic end (0 for the low
    end), weight all n + 1 by a flat Dirichlet, take the `tail` quantile of the weighted
    mean. Of that weighted mean we take the beta distribution with the same mean and
    variance instead of drawing it: nothing is random, and on zeros and ones it is the
    Clopper-Pearson interval exactly. Values that are all equal keep an interval, since
    n cases cannot exclude that about 1 in n is different. Coverage is simulated in
    tests/evaluation/test_statistics_coverage.py.
    """
    mirrored = Moments(moments.n, 1 - moments.mean, 1 - 2 * moments.mean + moments.square)
    return _graded_low(moments, tail), 1 - _graded_low(mirrored, tail)


def _graded_low(moments: Moments, tail: float) -> float:
    from scipy.special import betaincinv

    n = moments.n
    mean = n * moments.mean / (n + 1)
    variance = (n * moments.square / (n + 1) - mean * mean) / (n + 2)
    if mean <= 0 or variance <= 0:
        return 0.0
    size = mean * (1 - mean) / variance - 1
    return min(moments.mean, float(betaincinv(mean * size, (1 - mean) * size, tail)))


def paired_ends(moments: Moments, tail: float) -> tuple[float, float]:
    """Ends for the mean difference of two measures in [0, 1], after pseudo-pairs of total weight 2.

    Half a pair at +1, half at -1 and one at 0 join the data before Student's t, as
    Agresti and Min (Statistics in Medicine 24 (2005) 729-740) do for matched pairs of
    proportions. So identical outcomes on few cases prove little: with 110 of them the
    one-sided 95 % low end is -0.015, with 73 it is -0.022.
    """
    n = moments.n + 2
    mean = moments.n * moments.mean / n
    variance = (moments.n * moments.square + 1 - n * mean * mean) / (n - 1)
    half = _student(1 - tail, n - 1) * math.sqrt(max(variance, 0.0) / n)
    return max(-1.0, min(mean - half, moments.mean)), min(1.0, max(mean + half, moments.mean))


def _student_ends(moments: Moments, tail: float) -> tuple[float, float]:
    n = moments.n
    if n < FEWEST_UNBOUNDED:
        return -math.inf, math.inf
    variance = max(moments.square - moments.mean**2, 0.0) * n / (n - 1)
    half = _student(1 - tail, n - 1) * math.sqrt(variance / n)
    return moments.mean - half, moments.mean + half


def _unbounded_ends(values: Sequence[float], moments: Moments, tail: float, seed: int) -> tuple[float, float]:
    if min(values) == max(values) and moments.n >= FEWEST_UNBOUNDED:
        # Without bounds there is no scale on which to doubt a constant (a price of 0 stays 0).
        return moments.mean, moments.mean
    student = _student_ends(moments, tail)
    if moments.n < FEWEST_UNBOUNDED:
        return student
    bootstrap = _bca_ends(values, tail, seed)
    return min(student[0], bootstrap[0]), max(student[1], bootstrap[1])


def _bca_ends(values: Sequence[float], tail: float, seed: int) -> tuple[float, float]:
    """Bias-corrected and accelerated bootstrap of a mean (Efron, JASA 82 (1987) 171-185)."""
    import numpy as np

    data = np.asarray(values, dtype=np.float64)
    random = np.random.default_rng(seed)
    means = np.concatenate(
        [data[random.integers(0, data.size, (rows, data.size))].mean(axis=1) for rows in _batches(data.size)]
    )
    mean = data.mean()
    normal = NormalDist()
    # Half of the ties count as below, so a discrete mean gets no bias it does not have.
    below = ((means < mean).mean() + (means <= mean).mean()) / 2
    bias = normal.inv_cdf(float(np.clip(below, 1 / RESAMPLES, 1 - 1 / RESAMPLES)))
    apart = data - mean
    acceleration = float((apart**3).sum() / (6 * (apart**2).sum() ** 1.5))
    ranks = []
    for z in (normal.inv_cdf(tail), normal.inv_cdf(1 - tail)):
        shifted = bias + z
        ranks.append(normal.cdf(bias + shifted / (1 - acceleration * shifted)))
    low, high = np.quantile(means, ranks)
    return min(float(low), float(mean)), max(float(high), float(mean))


def _batches(n: int) -> list[int]:
    """Rows of resamples at a time, so that memory stays below about 8 MB whatever n is."""
    rows = max(1, min(RESAMPLES, 1_000_000 // n))
    return [min(rows, RESAMPLES - start) for start in range(0, RESAMPLES, rows)]


def _student(probability: float, freedom: int) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(freedom, probability))


def _interval(moments: Moments, ends: tuple[float, float]) -> Interval:
    # Round-off may leave an end on the wrong side of the mean by one bit.
    return Interval(moments.mean, min(ends[0], moments.mean), max(ends[1], moments.mean), moments.n)


def _tail(confidence: float, sides: Sides) -> float:
    if not 0.5 < confidence < 1:
        raise ConfigurationError(f"confidence must be above 0.5 and below 1, got {confidence}")
    return (1 - confidence) / sides


def _more_cases(n: int, clears: Callable[[int], bool]) -> int | None:
    """The least m with clears(n + m), found by doubling and halving; None beyond MOST_CASES."""
    if clears(n):
        return 0
    high = n + 1
    while not clears(high):
        if high >= MOST_CASES:
            return None
        high = min(MOST_CASES, high * 2)
    low = n  # does not clear
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if clears(middle) else (middle, high)
    return high - n
