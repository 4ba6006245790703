"""Is this sentence supported by these texts? Asked of the local groundedness judge for many pairs at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from genaiops.evaluation.judges.sentences import claims_of
from genaiops.evaluation.records import Measure, Sample
from genaiops.records import Score

THRESHOLD = 0.5  # of the groundedness judge
Question = tuple[str, tuple[str, ...]]  # a sentence, and the texts that should support it


@dataclass(frozen=True, slots=True)
class SupportJudge:
    """Answers questions of support; each different question is judged once."""

    groundedness: Measure

    def supported(self, questions: Iterable[Question]) -> dict[Question, bool]:
        """Whether the texts support the sentence; a question without texts, or that the judge cannot decide: no."""
        asked = list(dict.fromkeys(question for question in questions if any(text.strip() for text in question[1])))
        samples = [Sample(str(number), "", sentence, contexts) for number, (sentence, contexts) in enumerate(asked)]
        outcomes = self.groundedness.score(samples) if samples else []
        return {
            question: isinstance(outcome, Score) and outcome.value >= THRESHOLD
            for question, outcome in zip(asked, outcomes, strict=True)
        }


def claims(text: str) -> list[tuple[str, tuple[int, int]]]:
    """The sentences of a text that claim something, without citation markers, each with its span `[start, end)`."""
    return [(sentence.text, (sentence.start, sentence.end)) for sentence in claims_of(text)]


def mean(found: Sequence[bool]) -> float:
    """The share that is true, of at least one."""
    return sum(found) / len(found)
