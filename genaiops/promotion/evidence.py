"""What a run really holds on one measure. Nothing is taken from its summaries: a gate counts for itself."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from genaiops.evaluation.pooled import contributions, is_pooled
from genaiops.evaluation.scoring import document_of
from genaiops.evaluation.statistics.moments import mean_of
from genaiops.records import NotApplicable, Score, digest_of

if TYPE_CHECKING:
    from genaiops.evaluation.records import CaseResult, Run
    from genaiops.evaluation.scale import Scale


@dataclass(frozen=True, slots=True)
class Evidence:
    """One measure over one run, by case id: its values, the measurements that failed, and where it does not apply."""

    measure: str
    values: Mapping[str, float]
    unscored: frozenset[str]
    not_applicable: frozenset[str]
    scale: Scale
    judge: str
    documents: Mapping[str, str]  # case id → what the case hangs together with
    refused: Mapping[str, float]  # case id → share of its repeats in which the measure did not apply, where some did

    @property
    def coverage(self) -> float:
        """Scored ÷ applicable cases, in [0, 1]; 0 when no case was applicable."""
        applicable = len(self.values) + len(self.unscored)
        return len(self.values) / applicable if applicable else 0.0


def evidence_of(run: Run, measure: str) -> Evidence | None:
    """The evidence on one measure; None when the run did not measure it.

    The values of a pooled measure (see evaluation.pooled) are what each case contributes
    to the figure: their mean is the figure. A value that is not finite, or outside [0, 1]
    where the measure's values lie in it, is a failed measurement, and so is any value of a
    question that got no answer.
    """
    scale = run.scales.get(measure)
    if scale is None or not any(measure in result.outcomes for result in run.results):
        return None
    scores: dict[str, Score] = {}
    unscored, not_applicable = set(), set()
    for result in run.results:
        outcome = result.outcomes.get(measure)
        if isinstance(outcome, NotApplicable):
            not_applicable.add(result.case.id)
        elif isinstance(outcome, Score) and not result.error and sound(outcome.value, scale):
            scores[result.case.id] = outcome
        else:
            unscored.add(result.case.id)
    values = contributions(scores, scale)
    unscored |= scores.keys() - values.keys()
    judge = run.judges.get(measure, "")
    documents = {result.case.id: document_of(result.case) for result in run.results}
    refused = {result.case.id: share for result in run.results if (share := refused_share(result, measure))}
    return Evidence(measure, values, frozenset(unscored), frozenset(not_applicable), scale, judge, documents, refused)


def refused_share(result: CaseResult, measure: str) -> float:
    """In which share of its repeats the measure did not apply to a case, in [0, 1]; 0 for a case asked once."""
    repeats = result.repeated.get(measure, ())
    return sum(isinstance(outcome, NotApplicable) for outcome in repeats) / len(repeats) if repeats else 0.0


def run_problems(run: Run, golden_set_digest: str | None = None) -> tuple[str, ...]:
    """Why nothing this run says can be trusted; empty for a sound run."""
    if not run.results:
        return ("the run has no cases",)
    problems = [
        f"{measure}: case {result.case.id!r} has the value {outcome.value}"
        for result in run.results
        for measure, outcome in result.outcomes.items()
        if isinstance(outcome, Score) and not math.isfinite(outcome.value)
    ]
    repeated = [case_id for case_id, times in Counter(r.case.id for r in run.results).items() if times > 1]
    if repeated:
        problems.append(f"the run has case {repeated[0]!r} more than once")
    # As GoldenSet.digest computes it: over the cases, in whatever order.
    digests = [*(result.case.digest for result in run.results), *run.not_asked.values()]
    if run.golden_set_digest != digest_of(sorted(digests)):
        problems.append(f"the run's cases are not those of the golden set {run.golden_set!r} it names")
    elif golden_set_digest is not None and golden_set_digest != run.golden_set_digest:
        problems.append(f"the golden set {run.golden_set!r} has changed since this run: genaiops evaluate FLOW")
    pooled = [measure for measure, scale in run.scales.items() if is_pooled(scale)]
    unreadable = {measure: why for measure in pooled if (why := _unreadable(run, measure))}
    problems += [f"{measure}: its counts cannot be summed up: {why}" for measure, why in unreadable.items()]
    problems += [
        f"{summary.measure}: the run's summary is not that of its cases"
        for summary in run.summaries
        if summary.measure not in unreadable and _contradicted(run, summary.measure, summary.scored, summary.mean)
    ]
    return tuple(problems)


def run_digest(run: Run) -> str:
    """The digest that a saved run carries; empty for one that cannot be saved, because a number in it is not finite."""
    try:
        return digest_of(run.to_json())
    except ValueError:
        return ""


def case_of(run: Run) -> dict[str, CaseResult]:
    """Case id → its result."""
    return {result.case.id: result for result in run.results}


def sound(value: float, scale: Scale) -> bool:
    """Whether a measure of this scale can have the value."""
    return math.isfinite(value) and (not scale.unit_interval or 0 <= value <= 1)


def _unreadable(run: Run, measure: str) -> str:
    """Why the counts of a pooled measure give no figure; "" where they do."""
    try:
        evidence_of(run, measure)
    except (ValueError, TypeError, ArithmeticError) as error:
        return " ".join(str(error).split())[:120]
    return ""


def _contradicted(run: Run, measure: str, scored: int, mean: float | None) -> bool:
    found = evidence_of(run, measure)
    if found is None:
        return scored > 0
    if len(found.values) != scored:
        return True
    if found.scale.quantile is not None or not scored or mean is None:
        return bool(scored) != (mean is not None)
    return not math.isclose(mean, mean_of(list(found.values.values())), rel_tol=1e-6, abs_tol=1e-9)
