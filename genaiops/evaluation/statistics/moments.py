"""What every interval is made of: an estimate with two ends, and the moments that the ends depend on."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from genaiops.errors import ConfigurationError

Sides = Literal[1, 2]


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with the ends of its interval, `low <= estimate <= high`, from `n` values.

    `effective` is how many independent values the `n` are worth, None where that is all of them.
    """

    estimate: float
    low: float
    high: float
    n: int
    effective: float | None = None


@dataclass(frozen=True, slots=True)
class Moments:
    """All that the intervals of bounded values depend on: how many, their mean, the mean of their squares.

    `n` need not be whole: values of few clusters count as fewer.
    """

    n: float
    mean: float
    square: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Moments:
        """The moments of at least one value; ValueError for none, or for one that is not finite."""
        refuse_unusable(values)
        return cls(len(values), mean_of(values), mean_of([value * value for value in values]))

    @property
    def variance(self) -> float:
        """Of the values themselves, divided by n; at least 0."""
        return max(self.square - self.mean**2, 0.0)


def refuse_unusable(values: Sequence[float]) -> None:
    """ValueError for no values, or for one that is not finite."""
    if not values or not all(math.isfinite(value) for value in values):
        raise ValueError("statistics need at least one value, and only finite ones")


def mean_of(values: Sequence[float]) -> float:
    """The mean of at least one value, also where their sum is larger than any float."""
    try:
        return math.fsum(values) / len(values)
    except OverflowError:
        return math.fsum(value / len(values) for value in values)


Ends = Callable[[Moments, float], tuple[float, float]]  # (low, high), each of which errs with the probability given


def tail_of(confidence: float, sides: Sides) -> float:
    """The probability with which one end may err; ConfigurationError for a confidence that is none."""
    if not 0.5 < confidence < 1:
        raise ConfigurationError(f"confidence must be above 0.5 and below 1, got {confidence}")
    return (1 - confidence) / sides


def student(probability: float, freedom: float) -> float:
    """The quantile of Student's t distribution; `freedom` need not be whole."""
    from scipy.special import stdtrit  # scipy is not needed to start

    return float(stdtrit(freedom, probability))


def interval(moments: Moments, ends: tuple[float, float], n: int) -> Interval:
    """The mean of `n` values that are worth `moments.n`, with its ends."""
    # Round-off may leave an end on the wrong side of the mean by one bit.
    low, high = min(ends[0], moments.mean), max(ends[1], moments.mean)
    return Interval(moments.mean, low, high, n, None if moments.n == n else moments.n)
