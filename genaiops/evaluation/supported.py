"""Is this sentence supported by these texts? Asked of the local groundedness judge for many pairs at once,
by the measures that rest on it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import ClassVar, Protocol

from genaiops.evaluation.judges.sentences import claims_of, sentences_of
from genaiops.evaluation.plain_measure import PlainMeasure
from genaiops.evaluation.records import Measure, Sample
from genaiops.records import NotApplicable, Outcome, Score, Unscored, digest_of

THRESHOLD = 0.5  # of the groundedness judge
Question = tuple[str, tuple[str, ...]]  # a sentence, and the texts that should support it


def supported_by(
    groundedness: Measure, questions: Iterable[Question]
) -> tuple[dict[Question, bool], dict[Question, Unscored]]:
    """Whether the texts support the sentence, and apart from that the questions whose judgement failed.

    Each different question is judged once. One that is in neither has no texts with words in them: nothing
    supports its sentence.
    """
    different = list(dict.fromkeys(questions))
    worded = {text for text in {text for _, texts in different for text in texts} if sentences_of([text])}
    asked = [question for question in different if not worded.isdisjoint(question[1])]
    samples = [Sample(str(number), "", sentence, contexts) for number, (sentence, contexts) in enumerate(asked)]
    outcomes = list(zip(asked, groundedness.score(samples) if samples else [], strict=True))
    failed = {question: outcome for question, outcome in outcomes if isinstance(outcome, Unscored)}
    decided = {
        question: isinstance(outcome, Score) and outcome.value >= THRESHOLD
        for question, outcome in outcomes
        if question not in failed
    }
    return decided, failed


class Plan(Protocol):
    """What a measure asks of one sample, and what it makes of the replies."""

    def questions(self) -> Iterator[Question]: ...

    def value(self, supported: Mapping[Question, bool]) -> Outcome: ...


class SupportMeasure(PlainMeasure):
    """A measure that rests on which sentences are supported by which texts; its judge is that of groundedness."""

    __slots__ = ()
    version: ClassVar[int] = 1
    steady: ClassVar[bool] = True
    groundedness: Measure

    @property
    def judge(self) -> str:
        return digest_of([str(self), self.version, self.groundedness.judge])

    def score(self, samples: Sequence[Sample]) -> list[Outcome]:
        """One outcome per sample, in order; the judge is asked once for all."""
        plans = [self._plan(sample) for sample in samples]
        made = [plan for plan in plans if not isinstance(plan, Unscored | NotApplicable)]
        supported, failed = supported_by(self.groundedness, (q for plan in made for q in plan.questions()))
        return [
            plan
            if isinstance(plan, Unscored | NotApplicable)
            else first_failed(plan.questions(), failed) or plan.value(supported)
            for plan in plans
        ]

    def _plan(self, sample: Sample) -> Plan | Unscored | NotApplicable:
        raise NotImplementedError


def first_failed(questions: Iterable[Question], failed: Mapping[Question, Unscored]) -> Unscored | None:
    """What a measure is that rests on these questions when the judge failed on one: a guess is no value."""
    found = next((failed[question] for question in questions if question in failed), None)
    return None if found is None else Unscored(f"support was not judged: {found.reason}")


def claims(text: str) -> list[tuple[str, tuple[int, int]]]:
    """The sentences of a text that claim something, without citation markers, each with its span `[start, end)`."""
    return [(sentence.text, (sentence.start, sentence.end)) for sentence in claims_of(text)]


def mean(found: Sequence[bool]) -> float:
    """The share that is true, of at least one."""
    return sum(found) / len(found)
