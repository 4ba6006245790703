"""What every report tells about the cases of a run: how each did, and which come first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from genaiops.evaluation.records import CaseResult, Run
from genaiops.records import NotApplicable, Score, Unscored

State = Literal["error", "regressed", "unscored", "weak", "improved", "good"]
STATES: dict[State, str] = {
    "error": "no answer",
    "regressed": "worse than the baseline",
    "unscored": "a measurement failed",
    "weak": "a measure is below one half",
    "improved": "better than the baseline",
    "good": "good",
}
NOTICEABLE = 0.05  # a change of one case on a measure in [0, 1] that a reader should look at
WEAK = 0.5
LOW_BY_NATURE = ("precision@", "utilization")  # one good chunk among six is a fine result: no sign of weakness


def in_unit_interval(run: Run, measure: str) -> bool:
    """Whether the values of `measure` are in [0, 1] (assumed for a run that doesn't say)."""
    scale = run.scales.get(measure)
    return scale is None or scale.unit_interval


@dataclass(frozen=True, slots=True)
class Row:
    """One case as a report lists it.

    `level` is the mean of its values in [0, 1] (1.0 without any); `changes` maps
    measure to the difference from the baseline, for measures both runs scored;
    `telling` holds the values in [0, 1] of which a low one is a sign of weakness.
    """

    result: CaseResult
    before: CaseResult | None
    state: State
    level: float
    changes: Mapping[str, float]
    telling: Mapping[str, float]

    @property
    def unscored(self) -> dict[str, str]:
        """Measure to reason, for every measurement of this case that failed."""
        return {name: o.reason for name, o in self.result.outcomes.items() if isinstance(o, Unscored)}

    @property
    def weak(self) -> dict[str, float]:
        """Measure to value, for every value that is a sign of weakness."""
        return {name: value for name, value in self.telling.items() if value < WEAK}

    @property
    def worst_change(self) -> float:
        return min(self.changes.values(), default=0.0)


def rows_of(run: Run, baseline: Run | None = None) -> list[Row]:
    """Every case, those a reader should see first: no answer, regressions (largest first), failed measurements,
    then from weak to good."""
    earlier = {} if baseline is None else {result.case.id: result for result in baseline.results}
    rows = [_row(run, result, earlier.get(result.case.id)) for result in run.results]
    order = {state: position for position, state in enumerate(STATES)}
    order["good"] = order["improved"] = order["weak"]  # below the alarms, only the level counts

    def urgency(row: Row) -> tuple[int, float, float]:
        return order[row.state], row.worst_change if row.state == "regressed" else 0.0, row.level

    return sorted(rows, key=urgency)


def _row(run: Run, result: CaseResult, before: CaseResult | None) -> Row:
    values = {
        name: outcome.value
        for name, outcome in result.outcomes.items()
        if isinstance(outcome, Score) and in_unit_interval(run, name)
    }
    changes: dict[str, float] = {}
    lost = False
    for name in result.outcomes if before else ():
        old = before.outcomes.get(name) if before else None
        if not isinstance(old, Score) or not in_unit_interval(run, name):
            continue
        if name in values:
            changes[name] = values[name] - old.value
        elif not isinstance(result.outcomes[name], NotApplicable):
            lost = True
    telling = {name: value for name, value in values.items() if not name.startswith(LOW_BY_NATURE)}
    level = sum(values.values()) / len(values) if values else 1.0
    return Row(result, before, _state(result, telling, changes, lost=lost), level, changes, telling)


def _state(result: CaseResult, values: Mapping[str, float], changes: Mapping[str, float], *, lost: bool) -> State:
    if result.error or result.answer is None:
        return "error"
    if lost or min(changes.values(), default=0.0) <= -NOTICEABLE:
        return "regressed"
    if any(isinstance(outcome, Unscored) for outcome in result.outcomes.values()):
        return "unscored"
    if max(changes.values(), default=0.0) >= NOTICEABLE:
        return "improved"
    return "weak" if min(values.values(), default=1.0) < WEAK else "good"
