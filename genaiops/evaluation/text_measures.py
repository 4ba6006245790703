"""Measures of the answer's words alone: against the reference, and whether it refused."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from genaiops.evaluation.plain_measure import PlainMeasure, ReferencedMeasure
from genaiops.evaluation.records import Sample
from genaiops.records import Case, NotApplicable, Outcome, Score

_ARTICLE = re.compile(r"\b(?:a|an|the)\b")
_MARKER = re.compile(r"\s*\[\d{1,3}\]")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


def without_citations(text: str) -> str:
    """`text` without its markers `[n]`, so that an answer does not lose by citing."""
    return _MARKER.sub("", text)


def normalised(text: str) -> str:
    """Lower case, without ASCII punctuation, articles and extra whitespace.

    The normalisation of SQuAD's scorer: Rajpurkar et al., SQuAD: 100,000+ Questions for
    Machine Comprehension of Text, EMNLP 2016, section 6.1. Citation markers `[n]` are
    taken out first.
    """
    plain = without_citations(text).lower().translate(_PUNCTUATION)
    return " ".join(_ARTICLE.sub(" ", plain).split())


def exact_match(answer: str, reference: str) -> float:
    """1 when answer and reference are equal once normalised, else 0."""
    return float(normalised(answer) == normalised(reference))


def token_f1(answer: str, reference: str) -> float:
    """Harmonic mean of precision and recall of the answer's words, counted with repetition, in [0, 1]."""
    ours, theirs = normalised(answer).split(), normalised(reference).split()
    if not ours or not theirs:
        return float(ours == theirs)
    shared = sum((Counter(ours) & Counter(theirs)).values())
    return 2 * shared / (len(ours) + len(theirs))


@dataclass(frozen=True, slots=True)
class ReferenceMeasure(ReferencedMeasure):
    """Compares answer and reference."""

    name: str
    compare: Callable[[str, str], float]
    tasks: frozenset[str] = frozenset()

    def _one(self, sample: Sample) -> Outcome:
        return Score(self.compare(sample.answer, sample.reference))


@dataclass(frozen=True, slots=True)
class RefusalMeasure(PlainMeasure):
    """`refusal`: of the cases that want a refusal, the share refused. `answered`: of those that want an answer,
    the share not refused. Both together show a flow that refuses too little, and one that refuses too much.
    """

    wants_answer: bool

    def __str__(self) -> str:
        return "answered" if self.wants_answer else "refusal"

    def not_applicable(self, case: Case) -> NotApplicable | None:
        if case.wants_answer == self.wants_answer:
            return None
        return NotApplicable(f"the case wants {'an answer' if case.wants_answer else 'a refusal'}")

    def _one(self, sample: Sample) -> Outcome:
        if sample.case is None:
            return NotApplicable("no golden case says whether a refusal is wanted")
        return self.not_applicable(sample.case) or Score(float(sample.refused != self.wants_answer))
