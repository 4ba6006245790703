"""What a wrong answer is: decided from outcomes alone."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from genaiops.evaluation.records import CaseResult
from genaiops.records import Score

# An answer that scores below is wrong. 0.5 is where both judges decide between yes and no.
WRONG_BELOW: Mapping[str, float] = MappingProxyType({"groundedness": 0.5, "completeness": 0.5})


def wrong_because(result: CaseResult, below: Mapping[str, float] = WRONG_BELOW) -> tuple[str, ...]:
    """Every reason why a case counts as wrong; none for a right one.

    Wrong is: no answer at all; a refusal where an answer is wanted, and an answer where a refusal is; a measure of
    `below` whose Score lies below its bound. What could not be measured makes nothing wrong.
    """
    if result.answer is None:
        return (f"no answer: {result.error}",)
    if result.answer.refused != (not result.case.wants_answer):
        said = "refused, but an answer is wanted" if result.answer.refused else "answered, but a refusal is wanted"
        return (said,)
    if result.answer.refused:
        return ()
    return tuple(
        f"{measure} {outcome.value:.2f} is below {bound:g}"
        for measure, bound in below.items()
        if isinstance(outcome := result.outcomes.get(measure), Score) and outcome.value < bound
    )
