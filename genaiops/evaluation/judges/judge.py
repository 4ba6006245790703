"""What the local judges share: plan every sample, embed the batch at once, decide."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from genaiops.embedding import Embedder
from genaiops.evaluation.judges.sentences import Vectorizer
from genaiops.evaluation.plain_measure import PlainMeasure
from genaiops.evaluation.records import Sample
from genaiops.records import NotApplicable, Outcome, Score, Unscored, digest_of

BATCH = 256  # samples whose sentences are held, and embedded, together


class Task(Protocol):
    """One sample, made ready."""

    def texts(self) -> Iterable[str]:
        """Every text whose vector `value` will ask for."""
        ...

    def value(self, vectors: Vectorizer) -> float:
        """The score, in [0, 1]."""
        ...


@dataclass(frozen=True, slots=True)
class LocalJudge(PlainMeasure):
    """A measure decided on this machine, by words and sentence vectors; needs no key and no network.

    `plan` turns a sample into a Task, or says why there is nothing to score;
    `coefficients` are all numbers it decides by; they and the embedder are in `judge`.
    """

    name: str
    version: int
    coefficients: Mapping[str, float]
    embedder: Embedder
    plan: Callable[[Sample], Task | Unscored | NotApplicable]
    steady: ClassVar[bool] = True

    @property
    def judge(self) -> str:
        """Digest of name, version, coefficients and embedder."""
        return digest_of([self.name, self.version, self.coefficients, self.embedder.fingerprint])

    def score(self, samples: Sequence[Sample]) -> list[Outcome]:
        """One outcome per sample, in order. What else is judged moves a score by rounding, about 0.01 at most."""
        return [
            outcome
            for start in range(0, len(samples), BATCH)
            for outcome in self._batch(samples[start : start + BATCH])
        ]

    def _batch(self, samples: Sequence[Sample]) -> Iterator[Outcome]:
        plans = [self.plan(sample) for sample in samples]
        tasks = [plan for plan in plans if not isinstance(plan, Unscored | NotApplicable)]
        vectors = Vectorizer(self.embedder, (text for task in tasks for text in task.texts()))
        for plan in plans:
            if isinstance(plan, Unscored | NotApplicable):
                yield plan
                continue
            yield scored(plan.value(vectors))


def scored(value: float) -> Outcome:
    """The value as a score in [0, 1]; Unscored when it is no finite number."""
    return Score(min(1.0, max(0.0, value))) if math.isfinite(value) else Unscored("the embedder gave no number")


def wants_answer(sample: Sample) -> bool:
    """Whether the right reaction is an answer, as far as the case or the reference tells."""
    return sample.case.wants_answer if sample.case is not None else bool(sample.reference)


def logistic(value: float) -> float:
    """1 / (1 + e^-value), for any float."""
    return 1 / (1 + math.exp(-value)) if value >= 0 else 1 - 1 / (1 + math.exp(value))
