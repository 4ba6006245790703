"""What an answer took: seconds, tokens, dollars."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

from genaiops.evaluation.plain_measure import PlainMeasure
from genaiops.evaluation.records import Sample
from genaiops.evaluation.scale import Statistic, quantile_of
from genaiops.records import Answer, Metadata, Outcome, Score, Unscored


def _seconds(answer: Answer) -> Outcome:
    total = answer.seconds.get("total")
    return Unscored("the answer says no total seconds") if total is None else Score(total)


def _tokens(*counts: str) -> Callable[[Answer], Outcome]:
    """The sum of these counts of an answer's usage; Unscored where the application told one of them not."""

    def read(answer: Answer) -> Outcome:
        missing = [name for name in counts if name in answer.usage.unknown]
        if missing:
            return Unscored(f"the application tells no {' and no '.join(missing)}: --jmespath '{missing[0]}: PATH'")
        return Score(float(sum(getattr(answer.usage, name) for name in counts)))

    return read


def _cost(answer: Answer) -> Outcome:
    if answer.cost_usd is None:
        return Unscored(f"no price is known for model {answer.model!r}; models.yaml is where it goes")
    return Score(answer.cost_usd)


@dataclass(frozen=True, slots=True)
class OperationalMeasure(PlainMeasure):
    """A number of the Answer, or a fact of a row (the sum of `facts`), at least 0, no upper bound; less is better."""

    name: str
    read: Callable[[Answer], Outcome]
    facts: tuple[str, ...]
    statistic: Statistic = "mean"
    unit_interval: ClassVar[bool] = False
    lower_is_better: ClassVar[bool] = True

    def _one(self, sample: Sample) -> Outcome:
        return self._told(sample.facts) if sample.response is None else self.read(sample.response)

    def _told(self, facts: Metadata) -> Outcome:
        values = [facts.get(name) for name in self.facts]
        known = [value for value in values if isinstance(value, (int, float)) and not isinstance(value, bool)]
        if len(known) < len(values):
            return Unscored("only an answer that was asked for here has this")
        return Score(float(sum(known))) if min(known) >= 0 else Unscored(f"{min(known):g} is below 0")


OPERATIONAL: dict[str, OperationalMeasure] = {
    measure.name: measure
    for measure in (
        OperationalMeasure("latency_s", _seconds, ("latency_s",)),
        OperationalMeasure("input_tokens", _tokens("input_tokens"), ("input_tokens",)),
        OperationalMeasure("output_tokens", _tokens("output_tokens"), ("output_tokens",)),
        OperationalMeasure("total_tokens", _tokens("input_tokens", "output_tokens"), ("input_tokens", "output_tokens")),
        OperationalMeasure("cost_usd", _cost, ("cost_usd",)),
    )
}
FACTS = ("latency_s", "input_tokens", "output_tokens", "cost_usd")

_QUANTILE = re.compile(r"(latency|input_tokens|output_tokens|total_tokens|cost_usd)_(p[0-9.]+)(_s)?")


def quantile_measure(name: str) -> OperationalMeasure | None:
    """`latency_p95_s`, `output_tokens_p50`, `cost_usd_p99.9`: a quantile over the cases; None for any other name."""
    match = _QUANTILE.fullmatch(name)
    if match is None or quantile_of(match[2]) is None:
        return None
    base = OPERATIONAL.get(f"{match[1]}{match[3] or ''}")
    return None if base is None else replace(base, name=name, statistic=match[2])
