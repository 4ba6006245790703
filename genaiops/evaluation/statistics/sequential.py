"""Looking after every answer, and still erring no more often than promised.

A bet on each new value: money that grows when the values lie on one side of a
threshold. Were the truth on the other side (or on the threshold), the money would be a
non-negative supermartingale that starts at 1, and would ever reach 1 / error with
probability `error` at most, however often one looks (Ville's inequality). The bets are
those of Waudby-Smith and Ramdas, Estimating means of bounded random variables by
betting, JRSS B 86 (2024) 1-27.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

BOLDEST = 0.5  # of what would lose everything at once


@dataclass(slots=True)
class Bet:
    """Evidence that the mean of values in [low, high] lies above `threshold`, gathered group by group.

    A group is the values of one document: they may hang together, so they are bet on at
    once, and only groups need be independent. `largest` is the size of the largest.
    """

    threshold: float
    low: float
    high: float
    largest: int
    logarithm: float = 0.0  # of the money
    groups: int = 0
    total: float = 0.0
    squares: float = 0.0

    def see(self, values: Sequence[float]) -> None:
        """Bet on one group; the stake was decided by the groups before."""
        if not values:
            return
        gain = math.fsum(value - self.threshold for value in values) / self.largest
        self.logarithm += math.log1p(self._stake() * gain)
        self.groups += 1
        self.total += gain
        self.squares += gain * gain

    def shown(self, error: float) -> bool:
        """Whether the money has reached 1 / error."""
        return self.logarithm >= math.log(1 / error)

    def _stake(self) -> float:
        """The share of money that grows fastest on the gains seen so far (an approximation of Kelly's), at least 0.

        Half a group at the threshold and one of the widest spread stand in for what was not seen yet.
        """
        worst = self.threshold - self.low  # a group of this size at the low end loses so much of the stake
        if worst <= 0:
            return 0.0
        spread = ((self.high - self.low) / 2) ** 2
        mean = self.total / (self.groups + 1)
        square = (spread / self.largest + self.squares) / (self.groups + 1)
        return min(BOLDEST / worst, max(0.0, mean / square)) if square > 0 else 0.0


@dataclass(slots=True)
class Race:
    """Two bets at once: that a mean lies above a threshold, and that it lies below."""

    above: Bet
    below: Bet

    @classmethod
    def of(cls, threshold: float, *, low: float, high: float, largest: int) -> Race:
        """A race about the mean of values in [low, high]; `largest` is the size of the largest group to come."""
        return cls(Bet(threshold, low, high, largest), Bet(-threshold, -high, -low, largest))

    def see(self, values: Sequence[float]) -> None:
        """The values of one group."""
        self.above.see(values)
        self.below.see([-value for value in values])
