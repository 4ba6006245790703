"""What every report tells about the cases of a run: how each did, and which come first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from genaiops.evaluation.records import CaseResult, Run, SentenceVerdict
from genaiops.evaluation.reports.changes import judged_alike, same_cases
from genaiops.records import NotApplicable, Score, Unscored

State = Literal["error", "regressed", "unscored", "weak", "improved", "good"]
STATES: dict[State, str] = {
    "error": "no answer",
    "regressed": "worse than the baseline",
    "unscored": "a measurement failed",
    "weak": "weak",
    "improved": "better than the baseline",
    "good": "good",
}
NOTICEABLE = 0.05  # a change of one case on a measure in [0, 1] that a reader should look at
WEAK = 0.5
LOW_BY_NATURE = ("precision@", "utilization")  # one good chunk among six is a fine result: no sign of weakness


def in_unit_interval(run: Run, measure: str) -> bool:
    """Whether the values of `measure` are in [0, 1] (assumed for a run that doesn't say)."""
    return run.scale(measure).unit_interval


@dataclass(frozen=True, slots=True)
class Row:
    """One case as a report lists it.

    `before` is the same case, word for word, in the baseline. `level` is the mean of its values in
    [0, 1], each turned so that more is better (1.0 without any); `changes` maps measure to the difference
    from the baseline, and `gains` the same so that more is better, for measures both runs scored;
    `weak` maps measure to value where that is a sign of weakness.
    """

    result: CaseResult
    before: CaseResult | None
    state: State
    level: float
    changes: Mapping[str, float]
    gains: Mapping[str, float]
    weak: Mapping[str, float]

    @property
    def unscored(self) -> dict[str, str]:
        """Measure to reason, for every measurement of this case that failed."""
        return {name: o.reason for name, o in self.result.outcomes.items() if isinstance(o, Unscored)}

    @property
    def worst_gain(self) -> float:
        return min(self.gains.values(), default=0.0)

    @property
    def best_gain(self) -> float:
        return max(self.gains.values(), default=0.0)

    @property
    def told(self) -> tuple[str, tuple[SentenceVerdict, ...]]:
        """The measure whose verdicts on the answer's sentences are shown, and those: groundedness where it is there."""
        said = {name: verdicts for name, verdicts in self.result.verdicts.items() if verdicts}
        if not said:
            return "", ()
        name = min(said, key=lambda name: (name != "groundedness", not name.endswith("groundedness")))
        return name, said[name]


def rows_of(run: Run, baseline: Run | None = None) -> list[Row]:
    """Every case, those a reader should see first: no answer, regressions (largest first), failed measurements,
    then from weak to good."""
    earlier = {} if baseline is None else {now.case.id: before for now, before in same_cases(run, baseline)}
    rows = [_row(run, result, earlier.get(result.case.id), baseline) for result in run.results]
    order = {state: position for position, state in enumerate(STATES)}
    order["good"] = order["improved"] = order["weak"]  # below the alarms, only the level counts

    def urgency(row: Row) -> tuple[int, float, float]:
        return order[row.state], row.worst_gain if row.state == "regressed" else 0.0, row.level

    return sorted(rows, key=urgency)


def _row(run: Run, result: CaseResult, before: CaseResult | None, baseline: Run | None) -> Row:
    values = {
        name: outcome.value
        for name, outcome in result.outcomes.items()
        if isinstance(outcome, Score) and in_unit_interval(run, name)
    }
    changes: dict[str, float] = {}
    lost = False
    for name, old in before.outcomes.items() if before else ():
        if not isinstance(old, Score) or name not in result.outcomes or not in_unit_interval(run, name):
            continue
        if baseline is None or not judged_alike(run, baseline, name):
            continue
        if name in values:
            changes[name] = values[name] - old.value
        elif not isinstance(result.outcomes[name], NotApplicable):
            lost = True
    lower = {name for name in values if run.scale(name).lower_is_better}
    gains = {name: -change if name in lower else change for name, change in changes.items()}
    good = {name: 1.0 - value if name in lower else value for name, value in values.items()}
    weak = {name: values[name] for name, value in good.items() if value < WEAK and not name.startswith(LOW_BY_NATURE)}
    row = Row(result, before, "good", sum(good.values()) / len(good) if good else 1.0, changes, gains, weak)
    return replace(row, state=_state(row, lost=lost))


def _state(row: Row, *, lost: bool) -> State:
    if row.result.error or row.result.answer is None:
        return "error"
    if lost or row.worst_gain <= -NOTICEABLE:
        return "regressed"
    if row.unscored:
        return "unscored"
    if row.best_gain >= NOTICEABLE:
        return "improved"
    return "weak" if row.weak or row.result.failure else "good"
