"""What a judging model would be asked, before anything is spent."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from genaiops.generation.catalog import ModelCard

if TYPE_CHECKING:
    from genaiops.evaluation.adapters.adapted import AdaptedMeasure
    from genaiops.evaluation.llm_judges.group import GroupJudge
    from genaiops.evaluation.records import Measure, Sample

SECONDS_ASSUMED = 5.0  # of a call, until one was timed
_TOKENS_OF_A_VERDICT, _TOKENS_OF_A_CLAIM = 40, 45  # measured on verdicts with quotes of a dozen words


@dataclass(frozen=True, slots=True)
class PlannedCalls:
    """What one purpose would take of one model. `cost_usd` is None where a price is unknown.

    `calls` are those left after what is `cached`; `minutes` is wall-clock time; `notes` say what was assumed. Where
    another library decides what it asks, calls, tokens and minutes are None: nobody can know them beforehand.
    """

    what: str
    model: str
    calls: int | None
    cached: int
    input_tokens: int | None
    output_tokens: int | None
    cost_usd: float | None
    minutes: float | None
    notes: tuple[str, ...] = ()


def planned_calls(  # noqa: PLR0913  (options are keyword-only)
    what: str,
    name: str,
    card: ModelCard,
    *,
    calls: int,
    cached: int,
    input_tokens: int,
    output_tokens: int,
    seconds: float,
    at_once: int,
    notes: Sequence[str] = (),
) -> PlannedCalls:
    """The calls with their cost by the card's prices, and their time: rounds of `at_once` calls of `seconds` each."""
    from genaiops.evaluation.llm_judges.budget import Took

    cost = Took(input_tokens, output_tokens).cost_usd(card)
    rounds = -(-calls // at_once)
    if cost is None and calls:
        notes = (*notes, f"the cost is unknown: models.yaml has no prices for {name}")
    return PlannedCalls(
        what, name, calls, cached, input_tokens, output_tokens, cost, rounds * seconds / 60, tuple(notes)
    )


def plan_judging(
    measures: Sequence[Measure], samples: Sequence[Sample], *, repeats: int = 1
) -> tuple[PlannedCalls, ...]:
    """The calls that measuring these samples would make of judging models; none for measures that need no model.

    Measures of one judge share a call per case, so they are one line. In each of `repeats` rounds a judge gives votes
    of its own. Nothing is asked and nothing is spent.
    """
    from genaiops.evaluation.adapters.adapted import AdaptedMeasure
    from genaiops.evaluation.llm_judges.measures import LlmMeasure

    groups: dict[int, tuple[GroupJudge, dict[str, Sample]]] = {}
    adapted: list[PlannedCalls] = []
    for measure in measures:
        if isinstance(measure, AdaptedMeasure):
            adapted.append(_of_adapter(measure, samples, repeats))
        elif isinstance(measure, LlmMeasure):
            _, wanted = groups.setdefault(id(measure.group), (measure.group, {}))
            wanted |= {sample.id: sample for sample in measure.unsettled(samples)}
    own = (_of_group(judge, list(wanted.values()), repeats) for judge, wanted in groups.values())
    return (*own, *adapted)


def _of_adapter(measure: AdaptedMeasure, samples: Sequence[Sample], repeats: int) -> PlannedCalls:
    """A line that says what cannot be known; it can where nothing is left to ask."""
    wanted, kept = measure.left(samples)
    name, cases = str(measure), wanted * repeats
    if not cases:
        return PlannedCalls(name, measure.group.name, 0, kept, 0, 0, 0.0, 0.0)
    said = f"the calls of {name} are not known beforehand: its library decides how often it asks about each of {cases} "
    return PlannedCalls(
        name, measure.group.name, None, kept, None, None, None, None,
        (f"{said}{'cases' if cases > 1 else 'case'}; evaluation.judge.max_seconds bounds them",),
    )  # fmt: skip


def _of_group(judge: GroupJudge, samples: Sequence[Sample], repeats: int) -> PlannedCalls:
    from genaiops.evaluation.llm_judges.calling import usual_tokens
    from genaiops.evaluation.llm_judges.group import FORMATS
    from genaiops.evaluation.llm_judges.prompt import messages_of

    cases = [judge.wanted(sample) for sample in samples]
    missing = judge.missing(cases)
    wanted = len({key for case in cases for key in case.keys})
    recent = judge.cache.recent(judge.identity)
    sizes = [usual_tokens(messages_of(material)[1], FORMATS) for material in missing.values()]
    claims = sum(len(material.spans) for material in missing.values())
    made = len(missing) * _TOKENS_OF_A_VERDICT + claims * _TOKENS_OF_A_CLAIM
    seconds, notes = SECONDS_ASSUMED, [f"no call was timed yet: {SECONDS_ASSUMED:g} s each are assumed"]
    if recent:
        seconds, notes = statistics.mean(one.seconds for one in recent), []
        made = round(len(missing) * statistics.mean(one.output_tokens for one in recent))
    notes = notes if missing else []
    plan = planned_calls(
        "judge", judge.name, judge.card, calls=len(missing) * repeats, cached=wanted - len(missing),
        input_tokens=sum(sizes) * repeats, output_tokens=made * repeats, seconds=seconds,
        at_once=judge.settings.concurrency, notes=notes,
    )  # fmt: skip
    short = _shortages(judge, plan)
    return replace(plan, notes=(*plan.notes, *short))


def _shortages(judge: GroupJudge, plan: PlannedCalls) -> list[str]:
    """Which bounds would be reached before the end."""
    settings = judge.settings
    needs = (
        ("max_tokens", settings.max_tokens, (plan.input_tokens or 0) + (plan.output_tokens or 0)),
        ("max_cost_usd", settings.max_cost_usd, plan.cost_usd),
        ("max_seconds", settings.max_seconds, (plan.minutes or 0.0) * 60),
    )
    return [
        f"evaluation.judge.{name} {bound:g} is less than about {needed:,.4g}: some cases will stay unscored"
        for name, bound, needed in needs
        if bound is not None and needed is not None and needed > bound
    ]
