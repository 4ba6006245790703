"""How the values of a measure are to be read, and what sums them up."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

# What sums up the values of all cases: their mean, a quantile ("p50", "p95", "p99.9"), or a formula of pooled.POOLED.
Statistic = str


@dataclass(frozen=True, slots=True)
class Scale:
    """How the values of one measure are to be read: see Measure and Directed."""

    unit_interval: bool
    statistic: Statistic = "mean"
    lower_is_better: bool = False

    @property
    def quantile(self) -> float | None:
        """0.95 for the statistic "p95"; None for one that is no quantile."""
        return quantile_of(self.statistic)


def quantile_of(statistic: Statistic) -> float | None:
    """What share of the cases lie below a statistic such as "p95", in (0, 1); None when it is no quantile."""
    written = re.fullmatch(r"p([1-9][0-9]?(?:\.[0-9]{1,2})?)", statistic)
    return None if written is None else float(Decimal(written[1]) / 100)
