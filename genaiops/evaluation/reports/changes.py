"""How a measure changed from a baseline, paired by question, with its interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from genaiops.evaluation.operational import lower_is_better
from genaiops.evaluation.records import Run, Scale
from genaiops.evaluation.reports.text import signed
from genaiops.evaluation.scoring import document_of
from genaiops.evaluation.statistics import paired_difference, quantile_difference

Direction = Literal["better", "worse", ""]


@dataclass(frozen=True, slots=True)
class Change:
    """Run minus baseline over the cases both scored; `direction` is empty while the interval holds zero."""

    estimate: float
    low: float
    high: float
    cases: int
    unit_interval: bool
    direction: Direction

    def __str__(self) -> str:
        shown = [signed(value, unit_interval=self.unit_interval) for value in (self.estimate, self.low, self.high)]
        return f"{shown[0]} ({shown[1]} to {shown[2]})"


def change(run: Run, baseline: Run, measure: str) -> Change | None:
    """The change of one measure; None when the two runs scored no case in common."""
    ours, theirs = run.values(measure), baseline.values(measure)
    both = [case_id for case_id in ours if case_id in theirs]
    if not both:
        return None
    scale = run.scales.get(measure, Scale(True))
    documents = {result.case.id: document_of(result.case) for result in run.results}
    clusters = [documents[case_id] for case_id in both]
    pair = [ours[case_id] for case_id in both], [theirs[case_id] for case_id in both]
    if scale.statistic == "p95":
        found = quantile_difference(*pair, confidence=run.confidence, clusters=clusters)
    else:
        found = paired_difference(
            *pair,
            confidence=run.confidence,
            unit_interval=scale.unit_interval,
            seed=run.seed,
            clusters=clusters,
        )
    direction: Direction = ""
    if found.low > 0 or found.high < 0:
        direction = "better" if (found.low > 0) != lower_is_better(measure) else "worse"
    return Change(found.estimate, found.low, found.high, len(both), scale.unit_interval, direction)
