"""How a measure changed from a baseline, paired by question, with its interval."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from genaiops.display import counted
from genaiops.evaluation.pooled import contributions_of
from genaiops.evaluation.records import CaseResult, Run
from genaiops.evaluation.reports.text import ends, signed
from genaiops.evaluation.scoring import document_of
from genaiops.evaluation.statistics import paired_difference, quantile_difference

Direction = Literal["better", "worse", "same", ""]
# In words, for readers who see no colour. An interval that holds zero shows neither a change nor that there is none.
WORDS: dict[Direction, str] = {"better": "better", "worse": "worse", "same": "same", "": "not shown"}
PARTLY = (
    "Where a change rests on part of the pairs, a case has a value in one run only, such as one that was refused in "
    "the other: each mean is over its run's own cases, the change over those with a value in both."
)
# What shares a batch moves a judge's value by rounding, about 0.01 at most (docs/judges.md): no case changed by that.
# Only the word "same" rests on it; intervals, and the gate, take values as they are.
ROUNDING = 0.01


@dataclass(frozen=True, slots=True)
class Change:
    """Run minus baseline over the `cases` that both scored, in the measure's unit.

    `of` counts the cases of both runs that at least one of them scored: where it is more than `cases`, the means of
    the two runs are over other cases than the change, which then need not be their difference. `direction` is empty
    while the interval holds zero, "same" when no case changed its value, that of a judge by more than ROUNDING.
    """

    measure: str
    estimate: float
    low: float
    high: float
    cases: int
    of: int
    unit_interval: bool
    direction: Direction

    @property
    def word(self) -> str:
        return WORDS[self.direction]

    @property
    def pairs(self) -> str:
        """`9 of 12`: on how many pairs the change rests, where that is less than all; else ""."""
        return f"{self.cases:,} of {self.of:,}" if self.cases < self.of else ""

    def __str__(self) -> str:
        estimate = signed(self.estimate, unit_interval=self.unit_interval)
        if math.isinf(self.low) and math.isinf(self.high):
            return f"{estimate} ({ends(None, None)})"
        low, high = (
            "no bound" if math.isinf(end) else signed(end, unit_interval=self.unit_interval)
            for end in (self.low, self.high)
        )
        return f"{estimate} ({low} to {high})"


def same_cases(run: Run, baseline: Run) -> Iterator[tuple[CaseResult, CaseResult]]:
    """The results of every case that is in both runs, word for word: run's, then baseline's, in the run's order."""
    earlier = {result.case.id: result for result in baseline.results}
    for result in run.results:
        before = earlier.get(result.case.id)
        if before is not None and before.case == result.case:
            yield result, before


def told_apart(run: Run, baseline: Run | None) -> tuple[str, ...]:
    """One line on the cases that no change counts, because they are not in both runs; nothing where all are."""
    if baseline is None:
        return ()
    both = sum(1 for _ in same_cases(run, baseline))
    sizes = {"this run": len(run.results), "the baseline": len(baseline.results)}
    only = [f"{counted(size - both, 'case')} only in {whose}" for whose, size in sizes.items() if size > both]
    if not only:
        return ()
    if not both:
        return ("No case is in both runs word for word, so no change is shown.",)
    return (
        f"Changes are over the {counted(both, 'case')} in both runs word for word; left out: {' and '.join(only)}.",
    )


def changes(run: Run, baseline: Run) -> dict[str, Change]:
    """Measure → its change, in the run's order, for every measure with a case that both runs scored."""
    found = (change(run, baseline, summary.measure) for summary in run.summaries)
    return {one.measure: one for one in found if one is not None}


def judged_alike(run: Run, baseline: Run, measure: str) -> bool:
    """Whether the same judge decided (or none did): values of different judges say nothing about each other."""
    return run.judges.get(measure, "") == baseline.judges.get(measure, "")


def change(run: Run, baseline: Run, measure: str) -> Change | None:
    """The change of one measure; None when the two runs scored no case in common, or with different judges."""
    if not judged_alike(run, baseline, measure):
        return None
    ours, theirs = contributions_of(run, measure), contributions_of(baseline, measure)
    common = [now.case.id for now, _ in same_cases(run, baseline)]
    both = [name for name in common if name in ours and name in theirs]
    if not both:
        return None
    scale = run.scale(measure)
    documents = {result.case.id: document_of(result.case) for result in run.results}
    clusters = [documents[case_id] for case_id in both]
    mine, other = [ours[case_id] for case_id in both], [theirs[case_id] for case_id in both]
    if scale.quantile is not None:
        found = quantile_difference(mine, other, quantile=scale.quantile, confidence=run.confidence, clusters=clusters)
    else:
        found = paired_difference(
            mine,
            other,
            confidence=run.confidence,
            unit_interval=scale.unit_interval,
            seed=run.seed,
            clusters=clusters,
        )
    rounding = ROUNDING if run.judges.get(measure) and scale.unit_interval and scale.statistic == "mean" else 0.0
    alike = all(abs(now - before) <= rounding for now, before in zip(mine, other, strict=True))
    direction: Direction = "same" if alike else ""
    if found.low > 0 or found.high < 0:
        direction = "better" if (found.low > 0) != scale.lower_is_better else "worse"
    either = sum(name in ours or name in theirs for name in common)
    return Change(measure, found.estimate, found.low, found.high, len(both), either, scale.unit_interval, direction)
