"""How many cases a claim needs, and how large a drop so many cases can show."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

from genaiops.evaluation.statistics.clusters import Clusters, effective_cases, planned_cases
from genaiops.evaluation.statistics.ends import graded_ends, paired_ends, student_ends, wilson_ends
from genaiops.evaluation.statistics.means import is_binary, worth
from genaiops.evaluation.statistics.moments import Ends, Moments, tail_of

Side = Literal["above", "below"]
MOST_CASES = 1_000_000  # cases_needed gives up beyond
POWER = 0.8


def cases_needed(
    values: Sequence[float],
    threshold: float,
    *,
    side: Side = "above",
    confidence: float = 0.95,
    unit_interval: bool,
    paired: bool = False,
    clusters: Clusters | None = None,
) -> int | None:
    """About how many more cases until the one-sided end would clear `threshold`, if new cases are like these.

    `side` is where the truth has to lie. With `paired`, values are differences and the
    threshold is minus the margin. With `clusters`, new cases come from as many new
    documents as these did. 0 when it clears already; None when the estimate is on the
    wrong side, so that more cases would not help, or beyond a million.
    """
    tail = tail_of(confidence, 1)
    doubted = unit_interval and (paired or not is_binary(values))
    moments = worth(values, clusters, tail, doubted=doubted)
    if (moments.mean <= threshold) if side == "above" else (moments.mean >= threshold):
        return None
    ends = _ends(unit_interval, paired, is_binary(values))
    each = moments.n / len(values)

    def clears(n: int) -> bool:
        low, high = ends(Moments(n * each, moments.mean, moments.square), tail)
        return low >= threshold if side == "above" else high <= threshold

    return _more_cases(len(values), clears)


def cases_needed_for_quantile(
    values: Sequence[float],
    at_most: float,
    *,
    quantile: float = 0.95,
    confidence: float = 0.95,
    clusters: Clusters | None = None,
) -> int | None:
    """About how many more cases until the upper end of the quantile is at most `at_most`; None as in cases_needed."""
    from scipy.special import betainc

    tail = tail_of(confidence, 1)
    n = len(values)
    within = [float(value <= at_most) for value in values]
    share = sum(within) / n
    if share <= quantile:
        return None
    each = effective_cases(within, clusters, tail) / n

    def clears(cases: int) -> bool:
        rank, worthy = math.floor(share * cases + 1e-9) - 1, cases * each
        if rank < 0 or worthy < 1:
            return False
        # As quantile_interval has it: not narrower than without clusters.
        steps = [(size, (size - 1) / (cases - 1) if cases > 1 else 1.0) for size in (worthy, cases)]
        return all(betainc(size - rank * step, rank * step + 1, 1 - quantile) >= 1 - tail for size, step in steps)

    return _more_cases(n, clears)


def detectable_difference(  # noqa: PLR0913  (options are keyword-only)
    values: Sequence[float],
    threshold: float,
    *,
    side: Side = "above",
    confidence: float = 0.95,
    power: float = POWER,
    unit_interval: bool,
    paired: bool = False,
    clusters: Clusters | None = None,
) -> float | None:
    """How far beyond `threshold`, on the wrong side, the truth must lie to be shown there with probability `power`.

    What a run of as many cases that spread as these do could catch (Cohen, Statistical
    Power Analysis, 2nd ed. 1988, turned round: n given, effect asked for). The end that
    decides is the one intervals have, small-sample caution and clusters included. A
    bounded measure drops because some answers break, and that spreads the values: a mean
    drop of d adds up to d(1 - d) to the variance, and so much is allowed for. None when
    no possible truth would be caught that often.
    """
    tail = tail_of(confidence, 1)
    sign = 1.0 if side == "above" else -1.0
    seen = Moments.of([sign * value for value in values])
    moments = Moments(planned_cases(values, clusters, tail), seen.mean, seen.square)
    # Mirrored, so that "wrong" is always below: [0, 1] became [-1, 0] where less is better.
    lowest = -math.inf if not unit_interval else -1.0 if paired or side == "below" else 0.0
    binary = is_binary(values)
    mirrored = unit_interval and not paired and side == "below"
    ends = _mirrored(binary) if mirrored else _ends(unit_interval, paired, binary)
    planned = _Planned(moments, sign * threshold, ends, tail, NormalDist().inv_cdf(power), paired, unit_interval)
    return planned.least(lowest)


@dataclass(frozen=True, slots=True)
class _Planned:
    """A comparison that has not been made: would it show a truth that lies `beyond` below the threshold?"""

    moments: Moments
    threshold: float
    ends: Ends
    tail: float
    z: float  # of the power
    paired: bool
    unit_interval: bool

    def shown(self, beyond: float) -> bool:
        truth = self.threshold - beyond
        variance = self._variance(truth)
        n = self.moments.n
        # The mean seen is at most this with the power asked for; half a case more, since answers break one by one.
        unlucky = truth + self.z * math.sqrt(variance / n) + (0.5 / n if self.unit_interval else 0.0)
        return self.ends(Moments(n, unlucky, variance + unlucky**2), self.tail)[1] < self.threshold

    def _variance(self, truth: float) -> float:
        if not self.unit_interval:
            return self.moments.variance
        if self.paired:
            drop = min(1.0, max(0.0, -truth))
            return self.moments.variance + drop * (1 - drop)
        share = min(1.0, max(0.0, abs(truth)))
        moved = min(1.0, abs(self.moments.mean - truth))
        return min(share * (1 - share), self.moments.variance + moved * (1 - moved))

    def least(self, lowest: float) -> float | None:
        step = 1e-3 if self.unit_interval else max(math.sqrt(self.moments.variance), abs(self.threshold), 1e-9) * 1e-3
        high = step
        while not self.shown(high):
            high *= 2
            if self.threshold - high < lowest or high > 1e6 * step:
                high = self.threshold - lowest
                if not math.isfinite(high) or high <= 0 or not self.shown(high):
                    return None
                break
        low = 0.0
        for _ in range(40):
            middle = (low + high) / 2
            low, high = (low, middle) if self.shown(middle) else (middle, high)
        return high


def _ends(unit_interval: bool, paired: bool, binary: bool) -> Ends:
    if not unit_interval:
        return student_ends
    return paired_ends if paired else wilson_ends if binary else graded_ends


def _mirrored(binary: bool) -> Ends:
    plain = wilson_ends if binary else graded_ends

    def ends(moments: Moments, tail: float) -> tuple[float, float]:
        low, high = plain(Moments(moments.n, -moments.mean, moments.square), tail)
        return -high, -low

    return ends


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
