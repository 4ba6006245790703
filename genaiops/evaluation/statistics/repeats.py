"""What repeated measurements of the same cases say: how much is the case, how much is chance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spread:
    """The variance of single measurements, taken apart: between cases, and within a case from repeat to repeat.

    One-way random-effects analysis of variance (Searle, Casella and McCulloch, Variance
    Components, 1992, chapter 3). `cases` are those measured at least twice, `changed`
    those whose values were not all equal; `between` is 0 where chance alone explains
    how the cases differ.
    """

    cases: int
    changed: int
    within: float
    between: float

    @property
    def reliability(self) -> float | None:
        """Share of the variance that is the case's own (intra-class correlation), in [0, 1]; None without variance."""
        total = self.within + self.between
        return self.between / total if total > 0 else None

    def chance_share(self, repeats: float) -> float:
        """Share of a mean's error variance that more repeats would remove, in [0, 1], when it has `repeats` now."""
        noise = self.within / repeats
        return noise / (noise + self.between) if noise > 0 else 0.0


def spread_of(groups: Sequence[Sequence[float]]) -> Spread:
    """The spread of repeated values, a group for each case; groups of one value say nothing of chance and are left out.

    ValueError when no group has two values.
    """
    kept = [group for group in groups if len(group) > 1]
    if not kept:
        raise ValueError("a spread needs a case that was measured twice")
    total, n = sum(len(group) for group in kept), len(kept)
    means = [math.fsum(group) / len(group) for group in kept]
    squares = [math.fsum((v - mean) ** 2 for v in group) for group, mean in zip(kept, means, strict=True)]
    changed = sum(min(group) != max(group) for group in kept)
    # Means of equal values may round; what did not change has no variance.
    within = math.fsum(s for s, group in zip(squares, kept, strict=True) if min(group) != max(group)) / (total - n)
    if n == 1:
        return Spread(1, changed, within, 0.0)
    grand = math.fsum(math.fsum(group) for group in kept) / total
    among = math.fsum(len(g) * (mean - grand) ** 2 for g, mean in zip(kept, means, strict=True)) / (n - 1)
    size = (total - sum(len(group) ** 2 for group in kept) / total) / (n - 1)
    return Spread(n, changed, within, max(0.0, (among - within) / size))
