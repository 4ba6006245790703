"""Utilization: how much of what was retrieved, and bears on the question, did the answer use?

Every context sentence counts by how near it is to the question; it is used as far
as one sentence of the answer repeats or condenses it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from genaiops.embedding import Embedder
from genaiops.evaluation.judges.judge import LocalJudge, Task
from genaiops.evaluation.judges.sentences import Sentence, Vectorizer, claims_of, sentences_of
from genaiops.evaluation.judges.words import words_of
from genaiops.evaluation.records import Sample
from genaiops.records import NotApplicable, Unscored

if TYPE_CHECKING:
    import numpy as np

    Vectors = np.ndarray[Any, np.dtype[np.float32]]
    Floats = np.ndarray[Any, np.dtype[np.floating[Any]]]

VERSION = 1
MIN_STEMS = 3  # fewer common words than this are no proof of use
# Set by hand: no public set labels what an answer used.
COEFFICIENTS: Final[dict[str, float]] = {
    "bears_from": 0.3,  # cosine of question and sentence: nothing below, growing above
    "overlap": 0.6,  # the rest is cosine
    "used_from": 0.4,  # not used at all below
    "used_at": 0.8,  # fully used above
}


def utilization_judge(embedder: Embedder) -> LocalJudge:
    """The judge. Not applicable to refusals; without contexts Unscored."""
    return LocalJudge("utilization", VERSION, COEFFICIENTS, embedder, plan)


def plan(sample: Sample) -> Task | Unscored | NotApplicable:
    """What there is to judge in a sample."""
    if sample.refused:
        return NotApplicable("a refusal uses nothing")
    evidence = sentences_of(sample.contexts)
    if not evidence:
        return Unscored("no contexts that the answer could have used", lacks="contexts")
    if not words_of(sample.question).content:
        return NotApplicable("the question has no content words")
    return Used(sample.question, claims_of(sample.answer), evidence)


@dataclass(frozen=True, slots=True)
class Used:
    """The task of finding which sentences of the evidence the answer's sentences use."""

    question: str
    said: Sequence[Sentence]
    evidence: Sequence[Sentence]

    def texts(self) -> Iterable[str]:
        yield self.question
        yield from (sentence.text for sentences in (self.said, self.evidence) for sentence in sentences)

    def value(self, vectors: Vectorizer) -> float:
        import numpy as np

        if not self.said:
            return 0.0
        retrieved = vectors.of(sentence.text for sentence in self.evidence)
        bearing = (retrieved @ vectors.of([self.question])[0] - COEFFICIENTS["bears_from"]).clip(0.0)
        if not bearing.any():  # nothing retrieved is near the question: the nearest must do
            return float(self._used(retrieved, vectors).max())
        return float(np.average(self._used(retrieved, vectors), weights=bearing))

    def _used(self, retrieved: Vectors, vectors: Vectorizer) -> Floats:
        """How far each retrieved sentence is used by the answer, in [0, 1]."""
        import numpy as np

        cosines = (retrieved @ vectors.of(sentence.text for sentence in self.said).T).max(axis=1)
        overlaps = np.array([self._overlap(sentence) for sentence in self.evidence])
        nearness = COEFFICIENTS["overlap"] * overlaps + (1 - COEFFICIENTS["overlap"]) * cosines
        low, high = COEFFICIENTS["used_from"], COEFFICIENTS["used_at"]
        used: Floats = ((nearness - low) / (high - low)).clip(0.0, 1.0)
        return used

    def _overlap(self, sentence: Sentence) -> float:
        """Largest share of stems in common with a sentence of the answer; of the shorter one, as answers condense."""
        stems = sentence.words.stems
        return max(
            len(stems & said.words.stems) / max(MIN_STEMS, min(len(stems), len(said.words.stems))) for said in self.said
        )
