"""Measures applied to samples, with every failure of a measurement kept apart from its values."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from genaiops.display import one_line
from genaiops.errors import GenaiopsError
from genaiops.evaluation.pooled import contributions, is_pooled, pooled_interval
from genaiops.evaluation.records import Directed, Explaining, Measure, Sample, SentenceVerdict
from genaiops.evaluation.scale import Scale, Statistic
from genaiops.evaluation.statistics import Interval, Sides, mean_interval, quantile_interval
from genaiops.evaluation.statistics.clusters import Clusters
from genaiops.evaluation.statistics.moments import mean_of
from genaiops.records import Case, NotApplicable, Outcome, Score, Summary, Unscored

_SHOWN = 500  # characters of what a measure says went wrong


def outcomes_of(measure: Measure, samples: Sequence[Sample]) -> list[Outcome]:
    """One outcome per sample, whatever the measure does.

    Where it raises, returns too few outcomes, or a value that is not finite or lies
    outside of its range, the sample is Unscored with the reason. When a whole batch
    raises, its samples are tried one by one, so that one bad sample spoils only itself;
    an outage or a missing file (a GenaiopsError) is not tried again for each.
    """
    if not samples:
        return []
    try:
        outcomes = measure.score(samples)
    except GenaiopsError as error:
        return [Unscored(f"{measure} failed: {one_line(error.in_one_line, _SHOWN)}", outage=bool(measure.judge))] * len(
            samples
        )
    except Exception as error:  # a user's own measure may raise anything
        if len(samples) > 1:
            return [outcome for sample in samples for outcome in outcomes_of(measure, [sample])]
        told = f"{measure} failed: {type(error).__name__}: {one_line(error, _SHOWN)}"
        return [Unscored(told, outage=bool(measure.judge))]
    if len(outcomes) != len(samples):
        return [Unscored(f"{measure} gave {len(outcomes)} outcomes for {len(samples)} samples")] * len(samples)
    return [_sound(measure, outcome) for outcome in outcomes]


@dataclass(frozen=True, slots=True)
class _Listening:
    """An explaining measure; the verdicts it gives are kept in `said`, by the id of the sample."""

    measure: Measure
    said: dict[str, tuple[SentenceVerdict, ...]]
    unit_interval: bool
    statistic: Statistic
    judge: str

    def __str__(self) -> str:
        return str(self.measure)

    def score(self, samples: Sequence[Sample]) -> list[Outcome]:
        if not isinstance(self.measure, Explaining):
            return self.measure.score(samples)
        explained = self.measure.explained(samples)
        if len(explained) == len(samples):
            self.said.update((s.id, verdicts) for s, (_, verdicts) in zip(samples, explained, strict=True) if verdicts)
        return [outcome for outcome, _ in explained]


def explained_outcomes_of(
    measure: Measure, samples: Sequence[Sample]
) -> tuple[list[Outcome], dict[str, tuple[SentenceVerdict, ...]]]:
    """`outcomes_of`, and by the id of the sample the verdicts on its sentences where the measure gives them."""
    said: dict[str, tuple[SentenceVerdict, ...]] = {}
    listening = _Listening(measure, said, measure.unit_interval, measure.statistic, measure.judge)
    outcomes = outcomes_of(listening, samples)
    scored = {sample.id for sample, outcome in zip(samples, outcomes, strict=True) if isinstance(outcome, Score)}
    return outcomes, {name: verdicts for name, verdicts in said.items() if name in scored}


def _sound(measure: Measure, outcome: object) -> Outcome:
    if isinstance(outcome, (Unscored, NotApplicable)):
        return outcome
    if not isinstance(outcome, Score):
        return Unscored(f"{measure} gave {type(outcome).__name__}, not an outcome")
    try:
        value = float(outcome.value)
    except (TypeError, ValueError):
        return Unscored(f"{measure} gave {type(outcome.value).__name__}, not a number")
    if not math.isfinite(value):
        return Unscored(f"{measure} gave {value}")
    if measure.unit_interval and not 0 <= value <= 1:
        return Unscored(f"{measure} gave {value}, outside [0, 1]")
    return replace(outcome, value=value)


def interval_of(
    values: Sequence[float],
    scale: Scale,
    *,
    confidence: float = 0.95,
    sides: Sides = 2,
    seed: int = 0,
    clusters: Clusters | None = None,
) -> Interval:
    """The statistic that a measure's scale asks for, with its interval; ValueError without values.

    For a pooled measure the values are its `contributions`.
    """
    if is_pooled(scale):
        return pooled_interval(values, confidence=confidence, sides=sides, seed=seed, clusters=clusters)
    if scale.quantile is not None:
        quantile = scale.quantile
        return quantile_interval(values, quantile=quantile, confidence=confidence, sides=sides, clusters=clusters)
    unit = scale.unit_interval
    return mean_interval(values, confidence=confidence, unit_interval=unit, sides=sides, seed=seed, clusters=clusters)


def document_of(case: Case) -> str:
    """What a case hangs together with: the document of its first evidence quote, or else nothing but itself."""
    return case.evidence[0].document if case.evidence else f"\0{case.id}"  # no document's id holds a zero byte


def summarise(
    name: str,
    outcomes: Sequence[Outcome],
    scale: Scale,
    *,
    confidence: float = 0.95,
    seed: int = 0,
    cases: Sequence[Case] | None = None,
) -> Summary:
    """The statistic of one measure over a run. An end of the interval that the data cannot give is None.

    So are both ends of values so large that they cannot be computed.

    `cases`, one for each outcome, let the interval allow for cases of one document being alike.
    """
    scores = {str(number): outcome for number, outcome in enumerate(outcomes) if isinstance(outcome, Score)}
    unscored = sum(isinstance(outcome, Unscored) for outcome in outcomes)
    try:
        given = contributions(scores, scale)
    except ArithmeticError:  # counts near the largest float
        given, unscored = {}, unscored + len(scores)
    values = list(given.values())
    clusters = None if cases is None else [document_of(cases[int(number)]) for number in given]
    not_applicable = len(outcomes) - len(values) - unscored
    if not values:
        return Summary(name, None, None, None, 0, unscored, not_applicable)
    try:
        found = interval_of(values, scale, confidence=confidence, seed=seed, clusters=clusters)
    except ArithmeticError:  # values near the largest float
        found = Interval(mean_of(values), -math.inf, math.inf, len(values))
    low, high = (end if math.isfinite(end) else None for end in (found.low, found.high))
    return Summary(name, found.estimate, low, high, len(values), unscored, not_applicable)


def scales_of(measures: Sequence[Measure]) -> Mapping[str, Scale]:
    """Measure name → how to read its values."""
    return {str(measure): scale_of(measure) for measure in measures}


def scale_of(measure: Measure) -> Scale:
    """How to read the values of one measure."""
    lower = measure.lower_is_better if isinstance(measure, Directed) else False
    return Scale(measure.unit_interval, measure.statistic, lower)
