"""Relevance: does the answer address the question?

Features of question and answer, through a logistic model whose coefficients are in
coefficients.py. Says nothing on truth: a wrong date is a relevant answer to "when".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from genaiops.embedding import Embedder
from genaiops.evaluation.judges.coefficients import RELEVANCE, RELEVANCE_VERSION
from genaiops.evaluation.judges.completeness import Constant
from genaiops.evaluation.judges.judge import LocalJudge, Task, logistic, wants_answer
from genaiops.evaluation.judges.sentences import Sentence, Vectorizer, claims_of
from genaiops.evaluation.judges.words import without_markers, words_of
from genaiops.evaluation.records import Sample
from genaiops.records import NotApplicable, Unscored

FEATURES = (
    "answer",  # cosine of the question and all sentences of the answer together
    "sentence",  # largest cosine of the question and a sentence of the answer
    "coverage",  # share of the question's content stems that occur in the answer, in [0, 1]
    "lacks",  # 1 when the answer holds nothing of the kind that the question word asks for, else 0
)
MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
_NUMBER = re.compile(
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|dozen|hundred|thousand|million|once|twice)\b", re.I
)
_TIME = re.compile(
    rf"\d|\b(?:{MONTHS}|century|year|month|week|day|hour|minute|second|today|yesterday|when|whenever|after|before|once|"
    r"until|during|always|never|every|daily|weekly|monthly|immediately|as soon)",
    re.I,
)
_NAME = re.compile(r"(?<=[\w,;:)] )(?:[A-Z][\w’'-]+)|\b(?:I|we|you|they|he|she|someone|team|user|people|person)\b")
_REASON = re.compile(
    r"\b(?:because|since|due|so|to|cause[sd]?|reason|result|therefore|as|means?|allows?|makes?|lets?|helps?|if)\b",
    re.I,
)


def _holds(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda answer: pattern.search(answer) is not None


# What the question asks for → whether an answer holds it.
KINDS: Final[Sequence[tuple[re.Pattern[str], Callable[[str], bool]]]] = (
    (re.compile(r"\bhow (?:many|much|long|often|old|far|big|large|fast|high|tall)\b", re.I), _holds(_NUMBER)),
    (re.compile(r"\b(?:when|what (?:year|date|day|month|time)|which (?:year|date|day|month))\b", re.I), _holds(_TIME)),
    (re.compile(r"\bwho(?:m|se)?\b", re.I), _holds(_NAME)),
    (re.compile(r"\b(?:why|how come)\b", re.I), _holds(_REASON)),
)


def relevance_judge(embedder: Embedder) -> LocalJudge:
    """The judge. A refusal scores 0 where an answer is wanted and is not applicable elsewhere."""
    return LocalJudge("relevance", RELEVANCE_VERSION, RELEVANCE, embedder, plan)


def plan(sample: Sample) -> Task | Unscored | NotApplicable:
    """What there is to judge in a sample."""
    if sample.refused:
        return Constant(0.0) if wants_answer(sample) else NotApplicable("a refusal, where no answer is wanted")
    if not sample.question.strip():
        return Unscored("no question to judge the answer by")
    said = claims_of(sample.answer)
    return Addressed(sample.question, without_markers(sample.answer), said) if said else Constant(0.0)


@dataclass(frozen=True, slots=True)
class Addressed:
    """The task of finding how far an answer's sentences address a question."""

    question: str
    answer: str
    said: Sequence[Sentence]

    def texts(self) -> Iterable[str]:
        yield self.question
        yield from (sentence.text for sentence in self.said)

    def features(self, vectors: Vectorizer) -> tuple[float, ...]:
        """In the order of FEATURES."""
        import numpy as np

        question = vectors.of([self.question])[0]
        rows = vectors.of(sentence.text for sentence in self.said)
        total = rows.sum(axis=0)
        asked = words_of(self.question).stems
        answered = frozenset().union(*(sentence.words.stems for sentence in self.said))
        return (
            float(total @ question) / max(float(np.linalg.norm(total)), 1e-9),
            float((rows @ question).max()),
            len(asked & answered) / len(asked) if asked else 0.0,
            float(lacks_what_is_asked(self.question, self.answer)),
        )

    def value(self, vectors: Vectorizer) -> float:
        features = zip(FEATURES, self.features(vectors), strict=True)
        return logistic(RELEVANCE["bias"] + sum(RELEVANCE[name] * value for name, value in features))


def lacks_what_is_asked(question: str, answer: str) -> bool:
    """Whether the question asks for a number, time, name or reason, and the answer holds none."""
    verdicts = [holds(answer) for asks, holds in KINDS if asks.search(question)]
    return bool(verdicts) and not any(verdicts)
