"""How many independent cases the cases of a few documents are worth."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from genaiops.evaluation.statistics.moments import Moments, student

Clusters = Sequence[Hashable]  # for each value, the cluster it belongs to


def effective_cases(values: Sequence[float], clusters: Clusters | None, tail: float, *, doubt: float = 0.0) -> float:
    """The number of independent values that would leave the mean as uncertain as these do, at most len(values).

    It is n x (t[n-1]^2 V) / (t[nu]^2 V_CR2): the square of the width of Student's t
    interval of independent values over that of the cluster-robust one. Korn and
    Graubard (Survey Methodology 24 (1998) 193-201) put such a number in the place of n
    in intervals of proportions, and so do all intervals here, which keeps them inside
    their range and as careful with few cases as they were. V_CR2 is the
    bias-reduced sandwich variance with Satterthwaite's degrees of freedom nu (Bell and
    McCaffrey, Survey Methodology 28 (2002) 169-181; Pustejovsky and Tipton, JBES 36
    (2018) 672-683), the latter under the intra-cluster correlation seen, as Imbens and
    Kolesar (Review of Economics and Statistics 98 (2016) 701-712) advise for few
    clusters. An interval that adds a pseudo-value to the data doubts more than the
    values vary; that part, `doubt` / n in the values' unit, is left as it is.

    Clusters never make an interval narrower. They change nothing where each value is a
    cluster of its own, where there is one cluster only (nothing is known of others, and
    the claim is about this one), and where all values are equal (no variation is seen,
    so none between clusters). ValueError when the two lists differ in length.
    """
    n = len(values)
    seen = _Seen.of(values, clusters)
    if seen is None or not seen.varied:
        return n
    quantile = student(1 - tail, n - 1)
    own = (quantile * doubt / n) ** 2
    narrow = quantile**2 * seen.independent + own
    wide = student(1 - tail, freedom(seen.sizes, seen.correlation)) ** 2 * seen.robust + own
    return n * narrow / wide if wide > narrow else n


def planned_cases(values: Sequence[float], clusters: Clusters | None, tail: float) -> float:
    """`effective_cases` of values yet to come, that will vary where these may not, but hang together as these do."""
    n = len(values)
    seen = _Seen.of(values, clusters)
    if seen is None:
        return n
    correlation, inflation = (seen.correlation, seen.robust / seen.independent) if seen.varied else (0.0, 1.0)
    ratio = student(1 - tail, n - 1) / student(1 - tail, freedom(seen.sizes, correlation))
    return n * min(1.0, ratio**2 / max(1.0, inflation))


@dataclass(frozen=True, slots=True)
class _Seen:
    """What clustered values show: the variance of their mean, as independent values and as clusters have it."""

    sizes: list[int]
    independent: float
    robust: float
    correlation: float
    varied: bool

    @classmethod
    def of(cls, values: Sequence[float], clusters: Clusters | None) -> _Seen | None:
        """None where clusters change nothing: not given, one only, or each value its own."""
        n = len(values)
        if clusters is None:
            return None
        sums: dict[Hashable, float] = {}
        sizes: dict[Hashable, int] = {}
        mean = math.fsum(values) / n
        for value, cluster in zip(values, clusters, strict=True):
            sums[cluster] = sums.get(cluster, 0.0) + (value - mean)
            sizes[cluster] = sizes.get(cluster, 0) + 1
        if len(sizes) in (1, n):
            return None
        independent = Moments.of(values).variance / (n - 1)
        # Round-off of values that are all equal must not look like variation.
        if independent <= 1e-18 * max(1.0, mean * mean):
            return cls(list(sizes.values()), 0.0, 0.0, 0.0, varied=False)
        robust = math.fsum(sums[c] ** 2 / (1 - sizes[c] / n) for c in sizes) / n**2
        alike = sum(size * size for size in sizes.values()) / n - 1
        correlation = min(1.0, max(0.0, (robust / independent - 1) / alike))
        return cls(list(sizes.values()), independent, robust, correlation, varied=True)


def freedom(sizes: Sequence[int], correlation: float) -> float:
    """Satterthwaite's degrees of freedom of the CR2 variance of a mean, for clusters of these sizes.

    `correlation` is that of two values of one cluster. The trace of the covariance of
    the clusters' residual sums, squared, over the trace of its square; written out, so
    that it costs as many steps as there are clusters.
    """
    n = sum(sizes)
    shares = [size / n for size in sizes]
    scale = [1 / math.sqrt(1 - share) for share in shares]
    spread = [size * (1 + (size - 1) * correlation) for size in sizes]
    total = math.fsum(spread)
    a = [s * share for s, share in zip(scale, shares, strict=True)]
    b = [s * v for s, v in zip(scale, spread, strict=True)]
    own = [s * s * v for s, v in zip(scale, spread, strict=True)]
    common = [total * x * x - 2 * x * y for x, y in zip(a, b, strict=True)]
    rest = [total * x / 2 - y for x, y in zip(a, b, strict=True)]
    trace = math.fsum(own) + math.fsum(common)
    squares = math.fsum(d * d + 2 * d * c for d, c in zip(own, common, strict=True))
    cross = math.fsum(x * r for x, r in zip(a, rest, strict=True))
    squares += 2 * cross * cross + 2 * math.fsum(x * x for x in a) * math.fsum(r * r for r in rest)
    return max(1.0, trace * trace / squares)
