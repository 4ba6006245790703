"""Completeness: how much of what should be said does the answer say?

Groundedness turned round: the sentences of the reference (without one: of the
evidence quotes) are the claims, the answer is the context. Graded more gently than
groundedness, since a reference says in its own words what an answer may say in others.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from genaiops.embedding import Embedder
from genaiops.evaluation.judges.groundedness import Supported
from genaiops.evaluation.judges.judge import LocalJudge, Task
from genaiops.evaluation.judges.sentences import Vectorizer, claims_of, sentences_of
from genaiops.evaluation.judges.support import FEATURES, Support
from genaiops.evaluation.judges.words import TOKEN, negates, without_markers
from genaiops.evaluation.records import Sample
from genaiops.records import Case, NotApplicable, Unscored

VERSION = 3
# Chosen on claims that people call supported by a text or not (benchmarks/judges/completeness.py): no public set at
# hand labels completeness itself.
COEFFICIENTS: Final[dict[str, float]] = {
    "overlap": 0.5,  # the rest is cosine
    "said_from": 0.25,  # not said at all below
    "said_at": 0.7,  # fully said above
    "names": 0.5,  # what a sentence loses when all its names are missing
    "figures": 0.5,  # the same for its figures, where the answer gives none; other figures in their place: all of it
}
SIDE = re.compile(r"\W*(yes|no)\b", re.IGNORECASE)
FIRST_SENTENCE = re.compile(r"(?<=[.!?])\s")
NOTHING_WANTED = NotApplicable("neither a reference nor evidence says what a complete answer holds", lacks="reference")


def completeness_judge(embedder: Embedder) -> LocalJudge:
    """The judge. Not applicable without reference and evidence; a refusal where an answer is wanted scores 0."""
    return CompletenessJudge("completeness", VERSION, COEFFICIENTS, embedder, plan)


class CompletenessJudge(LocalJudge):
    """A local judge that knows from the case alone whether it applies (see records.Selective)."""

    __slots__ = ()

    def not_applicable(self, case: Case) -> NotApplicable | None:
        """A case without reference and evidence: nothing says what a complete answer holds."""
        return None if case.wants_answer else NOTHING_WANTED


def plan(sample: Sample) -> Task | Unscored | NotApplicable:
    """What there is to judge in a sample."""
    texts = _wanted(sample)
    if not texts:
        return NOTHING_WANTED
    wanted = [claim for text in texts for claim in claims_of(text)]
    if not wanted:
        return _of_yes_or_no(sample, texts[0])
    said = [] if sample.refused else sentences_of([without_markers(sample.answer)])
    return Covered(Supported(wanted, said)) if said else Constant(0.0)


def _of_yes_or_no(sample: Sample, reference: str) -> Task | Unscored:
    """Where the reference is only "Yes." or "No, it is not.": whether the answer takes that side."""
    wanted, said = SIDE.match(reference), SIDE.match(sample.answer)
    if wanted is None:
        return Unscored("the reference has no content words")
    if sample.refused or not sample.answer.strip():
        return Constant(0.0)
    first = FIRST_SENTENCE.split(sample.answer.strip(), 1)[0]
    denies = any(negates(word.lower()) for word in TOKEN.findall(first))
    side = said.group(1).lower() if said else ("no" if denies else "yes")
    return Constant(float(side == wanted.group(1).lower()))


def _wanted(sample: Sample) -> list[str]:
    reference = sample.reference or (sample.case.reference if sample.case else "")
    if reference:
        return [reference]
    return [item.quote for item in sample.case.evidence] if sample.case else []


@dataclass(frozen=True, slots=True)
class Constant:
    """A task whose value needs no vectors."""

    constant: float

    def texts(self) -> Iterable[str]:
        return ()

    def value(self, vectors: Vectorizer) -> float:
        return self.constant


@dataclass(frozen=True, slots=True)
class Covered:
    """Mean support of the wanted sentences, weighted by their content words."""

    task: Supported

    def texts(self) -> Iterable[str]:
        return self.task.texts()

    def value(self, vectors: Vectorizer) -> float:
        words = [len(claim.words.content) for claim in self.task.claims]
        figures = any(sentence.words.numbers for sentence in self.task.evidence)
        values = [graded(support, figures=figures) for support in self.task.supports(vectors)]
        return sum(value * count for value, count in zip(values, words, strict=True)) / sum(words)


def graded(support: Support, *, figures: bool = True) -> float:
    """How far the answer says one wanted sentence, in [0, 1]: a wrong number or a denial counts as not said.

    Without `figures` in the answer, those of the sentence are left out and not wrong.

    NaN where a feature is no finite number: `min` and `max` would make a 0 of it.
    """
    if not all(map(math.isfinite, support.features)):
        return math.nan
    found = dict(zip(FEATURES, support.features, strict=True))
    nearness = COEFFICIENTS["overlap"] * found["overlap"] + (1 - COEFFICIENTS["overlap"]) * found["cosine"]
    low, high = COEFFICIENTS["said_from"], COEFFICIENTS["said_at"]
    said = min(1.0, max(0.0, (nearness - low) / (high - low)))
    named = 1 - COEFFICIENTS["names"] * found["names"]
    counted = 1 - found["numbers"] * (1 if figures else COEFFICIENTS["figures"])
    return said * named * counted * (1 - max(found["denial"], found["opposite"]))
