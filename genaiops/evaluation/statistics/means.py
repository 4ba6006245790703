"""Intervals of a mean and of a mean paired difference."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

from genaiops.evaluation.statistics.clusters import Clusters, effective_cases
from genaiops.evaluation.statistics.ends import (
    FEWEST_UNBOUNDED,
    graded_ends,
    paired_ends,
    student_ends,
    wilson_ends,
)
from genaiops.evaluation.statistics.moments import Interval, Moments, Sides, interval, tail_of

RESAMPLES = 4000


def mean_interval(
    values: Sequence[float],
    *,
    confidence: float = 0.95,
    unit_interval: bool,
    sides: Sides = 2,
    seed: int = 0,
    clusters: Clusters | None = None,
) -> Interval:
    """The mean of the cases the values were drawn from.

    Only zeros and ones: Wilson's score interval. Other values in [0, 1]: `graded_ends`.
    Values without bounds: the wider, end by end, of Student's t and a seeded BCa
    bootstrap, which err in different tails of skewed data; when no value is negative,
    the low end is not either (such measures count or time something). With `clusters`,
    for as many values as they are worth (`effective_cases`).
    """
    tail = tail_of(confidence, sides)
    moments = worth(values, clusters, tail, doubted=unit_interval and not is_binary(values))
    if unit_interval:
        ends = (wilson_ends if is_binary(values) else graded_ends)(moments, tail)
    else:
        low, high = _unbounded_ends(values, moments, tail, seed, clusters)
        ends = (max(low, 0.0) if min(values) >= 0 else low, high)
    return interval(moments, ends, len(values))


def paired_difference(
    a: Sequence[float],
    b: Sequence[float],
    *,
    confidence: float = 0.95,
    unit_interval: bool,
    sides: Sides = 2,
    seed: int = 0,
    clusters: Clusters | None = None,
) -> Interval:
    """Mean of `a[i] - b[i]`, where `a[i]` and `b[i]` were measured on the same case.

    Measures in [0, 1]: see `paired_ends`. Measures without bounds: as `mean_interval`
    of the differences. ValueError when the lists differ in length.
    """
    tail = tail_of(confidence, sides)
    differences = [mine - other for mine, other in zip(a, b, strict=True)]
    moments = worth(differences, clusters, tail, doubted=unit_interval)
    ends = paired_ends(moments, tail) if unit_interval else _unbounded_ends(differences, moments, tail, seed, clusters)
    return interval(moments, ends, len(differences))


def worth(values: Sequence[float], clusters: Clusters | None, tail: float, *, doubted: bool) -> Moments:
    """The moments of values that count as many as their clusters make of them.

    `doubted` says that the ends add pseudo-values of their own (`graded_ends`, `paired_ends`).
    """
    moments = Moments.of(values)
    return Moments(effective_cases(values, clusters, tail, doubt=float(doubted)), moments.mean, moments.square)


def is_binary(values: Sequence[float]) -> bool:
    return all(value in (0.0, 1.0) for value in values)


def _unbounded_ends(
    values: Sequence[float], moments: Moments, tail: float, seed: int, clusters: Clusters | None
) -> tuple[float, float]:
    if min(values) == max(values) and moments.n >= FEWEST_UNBOUNDED:
        # Without bounds there is no scale on which to doubt a constant (a price of 0 stays 0).
        return moments.mean, moments.mean
    student = student_ends(moments, tail)
    if moments.n < FEWEST_UNBOUNDED:
        return student
    bootstrap = _bca_ends(values, tail, seed)
    # The bootstrap draws cases; of cases that are worth fewer its ends lie as much further out as Student's do.
    stretch = _stretch(len(values), moments, tail) if clusters is not None else 1.0
    low, high = (moments.mean + (end - moments.mean) * stretch for end in bootstrap)
    return min(student[0], low), max(student[1], high)


def _stretch(n: int, moments: Moments, tail: float) -> float:
    whole = student_ends(Moments(n, moments.mean, moments.square), tail)[1] - moments.mean
    return (student_ends(moments, tail)[1] - moments.mean) / whole if whole > 0 else 1.0


def _bca_ends(values: Sequence[float], tail: float, seed: int) -> tuple[float, float]:
    """Bias-corrected and accelerated bootstrap of a mean (Efron, JASA 82 (1987) 171-185)."""
    import numpy as np

    # In a unit in which no power over- or underflows; a power of two, so that nothing is rounded.
    unit = 2.0 ** (math.frexp(max(map(abs, values)))[1] - 1)
    data = np.asarray(values, dtype=np.float64) / unit
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
    return min(float(low), float(mean)) * unit, max(float(high), float(mean)) * unit


def _batches(n: int) -> list[int]:
    """Rows of resamples at a time, so that memory stays below about 8 MB whatever n is."""
    rows = max(1, min(RESAMPLES, 1_000_000 // n))
    return [min(rows, RESAMPLES - start) for start in range(0, RESAMPLES, rows)]
