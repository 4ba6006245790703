"""What an answer took: seconds, tokens, dollars."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from genaiops.evaluation.records import Sample, Statistic
from genaiops.records import Answer, Outcome, Score, Unscored


def _seconds(answer: Answer) -> Outcome:
    total = answer.seconds.get("total")
    return Unscored("the answer says no total seconds") if total is None else Score(total)


def _input_tokens(answer: Answer) -> Outcome:
    return Score(float(answer.usage.input_tokens))


def _output_tokens(answer: Answer) -> Outcome:
    return Score(float(answer.usage.output_tokens))


def _cost(answer: Answer) -> Outcome:
    if answer.cost_usd is None:
        return Unscored(f"no price is known for model {answer.model!r}; models.yaml is where it goes")
    return Score(answer.cost_usd)


@dataclass(frozen=True, slots=True)
class OperationalMeasure:
    """A number taken from the Answer, at least 0 and without an upper bound; less is better."""

    name: str
    read: Callable[[Answer], Outcome]
    statistic: Statistic = "mean"
    unit_interval: ClassVar[bool] = False
    judge: ClassVar[str] = ""
    lower_is_better: ClassVar[bool] = True

    def __str__(self) -> str:
        return self.name

    def score(self, samples: Sequence[Sample]) -> list[Outcome]:
        return [
            Unscored("only an answer that was asked for here has this") if s.response is None else self.read(s.response)
            for s in samples
        ]


OPERATIONAL: dict[str, OperationalMeasure] = {
    measure.name: measure
    for measure in (
        OperationalMeasure("latency_s", _seconds),
        OperationalMeasure("latency_p95_s", _seconds, "p95"),
        OperationalMeasure("input_tokens", _input_tokens),
        OperationalMeasure("output_tokens", _output_tokens),
        OperationalMeasure("cost_usd", _cost),
    )
}
