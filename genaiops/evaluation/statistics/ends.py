"""The ends of intervals of a mean: each returns (low, high), and each end errs with probability `tail`."""

from __future__ import annotations

import math
from statistics import NormalDist

from genaiops.evaluation.statistics.moments import Moments, student

FEWEST_UNBOUNDED = 5  # below, a mean of values without bounds has no interval worth printing


def wilson_ends(moments: Moments, tail: float) -> tuple[float, float]:
    """Score interval of a proportion.

    Wilson, Probable inference, JASA 22 (1927) 209-212; recommended for small n by
    Brown, Cai and DasGupta, Statistical Science 16 (2001) 101-133.
    """
    n, share = moments.n, moments.mean
    z = NormalDist().inv_cdf(1 - tail)
    center = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(max(share * (1 - share), 0.0) / n + z * z / (4 * n * n))
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
    half = student(1 - tail, n - 1) * math.sqrt(max(variance, 0.0) / n)
    return max(-1.0, min(mean - half, moments.mean)), min(1.0, max(mean + half, moments.mean))


def student_ends(moments: Moments, tail: float) -> tuple[float, float]:
    """Student's t interval; no ends below FEWEST_UNBOUNDED values."""
    n = moments.n
    if n < FEWEST_UNBOUNDED:
        return -math.inf, math.inf
    half = student(1 - tail, n - 1) * math.sqrt(moments.variance / (n - 1))
    return moments.mean - half, moments.mean + half
