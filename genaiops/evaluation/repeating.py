"""Questions asked several times: one result per case, and how much of it is chance."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from genaiops.evaluation.records import CaseResult, Run
from genaiops.evaluation.scale import Scale
from genaiops.evaluation.scoring import document_of
from genaiops.evaluation.statistics import Interval, Spread, mean_interval, spread_of
from genaiops.records import NotApplicable, Outcome, Score, Unscored


def combined(rounds: Sequence[Sequence[CaseResult]], scales: Mapping[str, Scale]) -> tuple[CaseResult, ...]:
    """The results of several rounds over the same cases as one result per case: see CaseResult."""
    if len(rounds) == 1:
        return tuple(rounds[0])
    return tuple(_of_one_case(repeats, scales) for repeats in zip(*rounds, strict=True))


def _of_one_case(repeats: Sequence[CaseResult], scales: Mapping[str, Scale]) -> CaseResult:
    answered = [result for result in repeats if result.answer is not None]
    first = answered[0] if answered else repeats[0]
    repeated = {name: tuple(result.outcomes[name] for result in repeats) for name in first.outcomes}
    outcomes = {name: _together(values, scales[name]) for name, values in repeated.items()}
    texts = {result.answer.text for result in answered if result.answer is not None}
    return replace(first, outcomes=outcomes, repeated=repeated, texts=len(texts))


def _together(repeats: Sequence[Outcome], scale: Scale) -> Outcome:
    """The mean of the repeats that have a value; Unscored when one of them failed.

    Of a measure that is summed up by a quantile or a formula of counts it is the first
    value: means have smaller tails than single answers, and no counts.
    """
    failed = [outcome for outcome in repeats if isinstance(outcome, Unscored)]
    if failed:
        return Unscored(
            f"{len(failed)} of {len(repeats)} repeats: {failed[0].reason}",
            outage=any(one.outage for one in failed),
            lacks=failed[0].lacks,
        )
    scores = [outcome for outcome in repeats if isinstance(outcome, Score)]
    if not scores:
        return repeats[0]
    values = [score.value for score in scores]
    if scale.statistic != "mean" or min(values) == max(values):  # no round-off where nothing changed
        return scores[0]
    return Score(math.fsum(values) / len(values))


@dataclass(frozen=True, slots=True)
class Flakiness:
    """How one measure came out when each case was asked several times.

    `changed` of `cases` cases did not come out the same every time: another value, or a
    refusal, or no measurement. `share` is their share with its interval. `spread` takes
    the variance apart, None where no case has two values. `noise` in [0, 1] is the
    share of the error variance of the run's mean that is chance from repeat to repeat;
    the rest only more cases can lower.
    """

    measure: str
    cases: int
    changed: int
    share: Interval
    spread: Spread | None
    noise: float


def flakiness(run: Run) -> tuple[Flakiness, ...]:
    """The flakiness of every measure whose summary is a mean, in the order of the summaries; empty without repeats."""
    if run.repeats < 2:
        return ()
    names = [s.measure for s in run.summaries if run.scale(s.measure).statistic == "mean"]
    return tuple(found for name in names if (found := _flakiness(run, name)) is not None)


def changed(result: CaseResult, measure: str) -> bool:
    """Whether the repeats of one case did not all come out the same."""
    repeats = result.repeated.get(measure, ())
    return len({_came_out(outcome) for outcome in repeats}) > 1


def _came_out(outcome: Outcome) -> float | str:
    # Reasons may name what differs without meaning (a port, a time).
    return outcome.value if isinstance(outcome, Score) else type(outcome).__name__


def _flakiness(run: Run, measure: str) -> Flakiness | None:
    kept = [r for r in run.results if _applies(r, measure)]
    if not kept:
        return None
    flags = [float(changed(result, measure)) for result in kept]
    share = mean_interval(
        flags, confidence=run.confidence, unit_interval=True, clusters=[document_of(result.case) for result in kept]
    )
    groups = [[o.value for o in result.repeated[measure] if isinstance(o, Score)] for result in kept]
    groups = [group for group in groups if len(group) > 1]
    spread = spread_of(groups) if groups else None
    repeats = sum(map(len, groups)) / len(groups) if groups else float(run.repeats)
    noise = spread.chance_share(repeats) if spread else 0.0
    return Flakiness(measure, len(kept), int(sum(flags)), share, spread, noise)


def _applies(result: CaseResult, measure: str) -> bool:
    repeats = result.repeated.get(measure, ())
    return any(not isinstance(outcome, NotApplicable) for outcome in repeats)


def told(run: Run) -> list[str]:
    """The flakiness of a run in sentences, a line for each measure in [0, 1]; empty without repeats."""
    found = [item for item in flakiness(run) if run.scale(item.measure).unit_interval]
    if not found:
        return []
    other = sum(result.texts > 1 for result in run.results)
    lines = [f"asked {run.repeats} times: {other} of {len(run.results)} questions got answers that differ"]
    still = [item.measure for item in found if not item.changed]
    lines += [_line(item) for item in found if item.changed]
    return [*lines, *([f"  unchanged in every repeat: {', '.join(still)}"] if still else [])]


def _line(item: Flakiness) -> str:
    share = item.share
    text = (
        f"  {item.measure}: flaky in {item.changed} of {item.cases} cases "
        f"({share.estimate:.2f}, {share.low:.2f} to {share.high:.2f})"
    )
    if item.spread is None or item.spread.reliability is None:
        return text
    return (
        f"{text}; deviation within a case {math.sqrt(item.spread.within):.3f}, between cases "
        f"{math.sqrt(item.spread.between):.3f}; {item.noise:.0%} of the mean's uncertainty would go with more repeats"
    )
