"""Intervals that stay honest for few cases, for cases that all look alike, and for cases that hang together.

Every function takes a confidence in (0.5, 1) and `sides`: with 2 the interval as a
whole holds with that confidence, with 1 each of its ends does on its own (what a gate
asks: "is the mean above the floor?"). An end is infinite where the data cannot say.
`clusters` names, for each value, what it hangs together with (a case: the document its
evidence comes from); without it every value counts as independent.
"""

from genaiops.evaluation.statistics.clusters import effective_cases
from genaiops.evaluation.statistics.ends import wilson_ends
from genaiops.evaluation.statistics.families import holm
from genaiops.evaluation.statistics.means import mean_interval, paired_difference
from genaiops.evaluation.statistics.moments import Interval, Moments, Sides
from genaiops.evaluation.statistics.quantiles import quantile_difference, quantile_interval
from genaiops.evaluation.statistics.repeats import Spread, spread_of
from genaiops.evaluation.statistics.sample_size import (
    cases_needed,
    cases_needed_for_quantile,
    detectable_difference,
)

__all__ = [
    "Interval",
    "Moments",
    "Sides",
    "Spread",
    "cases_needed",
    "cases_needed_for_quantile",
    "detectable_difference",
    "effective_cases",
    "holm",
    "mean_interval",
    "paired_difference",
    "quantile_difference",
    "quantile_interval",
    "spread_of",
    "wilson_ends",
]
