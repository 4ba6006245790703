"""Relevance: does the answer address the question?

Features of question and answer, through a logistic model whose coefficients are in
coefficients.py. Says nothing on truth: a wrong date is a relevant answer to "when".
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from genaiops.embedding import Embedder
from genaiops.evaluation.judges.coefficients import RELEVANCE, RELEVANCE_VERSION
from genaiops.evaluation.judges.completeness import Constant
from genaiops.evaluation.judges.evasion import asks_yes_or_no, evasion
from genaiops.evaluation.judges.judge import LocalJudge, Task, logistic, wants_answer
from genaiops.evaluation.judges.sentences import Sentence, Vectorizer, claims_of
from genaiops.evaluation.judges.short_answers import WRONG, chooses, fit, fits_without_content, is_short, texts_for
from genaiops.evaluation.judges.words import without_markers, words_of
from genaiops.evaluation.records import Sample
from genaiops.records import NotApplicable, Unscored

FEATURES = (
    "answer",  # cosine of the question and the answer as one text (as far as the embedder reads)
    "sentence",  # largest cosine of the question and a sentence of the answer
    "coverage",  # share of the question's content stems that occur in the answer, in [0, 1]
    "density",  # stems in common with the question, divided by the root of the number in the answer
    "lacks",  # 1 when the answer holds nothing of the kind that the question word asks for, else 0
)
HALF = 0.5  # share of an answer that may tell nothing before the answer does
MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
_NUMBER = re.compile(
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|dozen|hundred|thousand|million|once|twice)\b", re.I
)
_TIME = re.compile(
    rf"\d|\b(?:{MONTHS}|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|noon|midnight|century|year|month|week|day|hour|minute|second|today|yesterday|when|whenever|after|before|once|"
    r"until|during|always|never|every|daily|weekly|monthly|immediately|as soon)",
    re.I,
)
_NAME = re.compile(r"(?<=[\w,;:)] )(?:[A-Z][\w’'-]+)|\b(?:I|we|you|they|he|she|someone|team|user|people|person)\b")
_REASON = re.compile(
    r"\b(?:because|since|due|so|to|cause[sd]?|reason|result|therefore|as|means?|allows?|makes?|lets?|helps?|if)\b",
    re.I,
)
_YES_OR_NO = re.compile(r"\W*(?:yes|no|yeah|nope|correct|right|not? (?:at all|necessarily|really))\b", re.I)


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
    if said:
        return Addressed(sample.question, without_markers(sample.answer), said)
    # "Yes, it is." holds no content word, and is all that some questions ask for; so are "Nobody." and "Never."
    plain = without_markers(sample.answer)
    if asks_yes_or_no(sample.question):
        return Constant(float(bool(_YES_OR_NO.match(sample.answer))))
    return Constant(RELEVANCE["direct"] if fits_without_content(sample.question, plain) else 0.0)


@dataclass(frozen=True, slots=True)
class Addressed:
    """The task of finding how far an answer's sentences address a question."""

    question: str
    answer: str
    said: Sequence[Sentence]

    def texts(self) -> Iterable[str]:
        yield from (self.question, self.answer)
        yield from (sentence.text for sentence in self.said)
        if self._is_short():
            yield from texts_for(self.question, self.answer)

    def features(self, vectors: Vectorizer) -> tuple[float, ...]:
        """In the order of FEATURES."""
        question, answer = vectors.of([self.question, self.answer])
        rows = vectors.of(sentence.text for sentence in self.said)
        asked = words_of(self.question)
        answered = frozenset().union(*(sentence.words.stems for sentence in self.said))
        shared = len(asked.stems & answered)
        return (
            float(answer @ question),
            float((rows @ question).max()),
            shared / max(1, len(asked.stems)),
            shared / math.sqrt(len(answered)),
            float(lacks_what_is_asked(self.question, self.answer)),
        )

    def value(self, vectors: Vectorizer) -> float:
        features = zip(FEATURES, self.features(vectors), strict=True)
        near = logistic(RELEVANCE["bias"] + sum(RELEVANCE[name] * value for name, value in features))
        affirms = asks_yes_or_no(self.question) and _YES_OR_NO.match(self.answer)
        if affirms or (self._is_short() and chooses(self.question, self.answer)):
            return max(near, RELEVANCE["direct"])
        evaded = evasion(self.question, self.said)
        if self._is_short() and evaded <= HALF:
            return self._by_form(near, fit(self.question, self.answer, vectors))
        return near * told(evaded)

    def _is_short(self) -> bool:
        return is_short(self.answer, sum(len(sentence.words.content) for sentence in self.said))

    def _by_form(self, near: float, fitting: float | None) -> float:
        """The value of a short answer: "At seven." is far from its question in meaning, and all that was asked for."""
        if fitting is None:
            direct = any(holds(self.answer) for asks, holds in KINDS[:-1] if asks.search(self.question))
            return max(near, RELEVANCE["direct"]) if direct else near
        if fitting == WRONG:
            return near * RELEVANCE["unfit"]
        return max(near, min(RELEVANCE["at_most"], RELEVANCE["direct"] + RELEVANCE["kind"] * fitting))


def told(evaded: float) -> float:
    """The factor for an answer of which a share tells nothing: 1 up to a half, then falling.

    Apart from the logistic model, since an evasion repeats the question and is nearer to
    it than most answers. Not 0 at the end: it is still nearer than an answer to something else.
    """
    return max(RELEVANCE["evasive"], min(1.0, 2 * (1 - evaded)))


def lacks_what_is_asked(question: str, answer: str) -> bool:
    """Whether the question asks for a number, time, name or reason, and the answer holds none."""
    verdicts = [holds(answer) for asks, holds in KINDS if asks.search(question)]
    return bool(verdicts) and not any(verdicts)
