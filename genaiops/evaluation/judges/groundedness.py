"""Groundedness: is everything the answer says supported by the contexts?

Sentence by sentence: the features of support.py find the place that supports it best, and
a logistic model over them, whose coefficients are in coefficients.py, decides. The value of
an answer is half the mean of its sentences (weighted by content words) and half its weakest
sentence: one invented sentence among true ones must show. 0.5 is the decision threshold.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from genaiops.embedding import Embedder
from genaiops.evaluation.judges.coefficients import GROUNDEDNESS, GROUNDEDNESS_VERSION
from genaiops.evaluation.judges.judge import BATCH, LocalJudge, logistic, scored
from genaiops.evaluation.judges.sentences import Sentence, Vectorizer, claims_of, nearest, sentences_of
from genaiops.evaluation.judges.support import FEATURES, ContextTable, Support
from genaiops.evaluation.records import Label, Sample, SentenceVerdict
from genaiops.records import NotApplicable, Outcome, Score, Unscored

THRESHOLD = 0.5
ENOUGH_WORDS = 3  # a shorter sentence ("Yes, it is.") is too little to sink an answer alone
CONTRADICTIONS = ("denial", "opposite", "figure", "direction")


def groundedness_judge(embedder: Embedder) -> GroundednessJudge:
    """The judge. Refusals and answers without a claim are not applicable; without contexts Unscored."""
    return GroundednessJudge("groundedness", GROUNDEDNESS_VERSION, GROUNDEDNESS, embedder, plan)


def plan(sample: Sample) -> Supported | Unscored | NotApplicable:
    """What there is to judge in a sample."""
    if sample.refused:
        return NotApplicable("a refusal claims nothing")
    claims = claims_of(sample.answer)
    if not claims:
        return NotApplicable("the answer claims nothing")
    evidence = sentences_of(sample.contexts)
    if not evidence:
        return Unscored("no contexts to judge the answer by", lacks="contexts")
    return Supported(claims, nearest(claims, evidence))


class GroundednessJudge(LocalJudge):
    """A local judge that says what each value rests on (see records.Explaining)."""

    __slots__ = ()

    def score(self, samples: Sequence[Sample]) -> list[Outcome]:
        """One outcome per sample, in order. What else is judged moves a score by rounding, about 0.01 at most."""
        return [outcome for outcome, _ in self.explained(samples)]

    def explained(self, samples: Sequence[Sample]) -> list[tuple[Outcome, tuple[SentenceVerdict, ...]]]:
        """What `score` gives, each with a verdict on every claiming sentence; none where there is no value."""
        found: list[tuple[Outcome, tuple[SentenceVerdict, ...]]] = []
        for start in range(0, len(samples), BATCH):
            plans = [plan(sample) for sample in samples[start : start + BATCH]]
            tasks = [task for task in plans if isinstance(task, Supported)]
            vectors = Vectorizer(self.embedder, (text for task in tasks for text in task.texts()))
            found += [task.judged(vectors) if isinstance(task, Supported) else (task, ()) for task in plans]
        return found


def explain(sample: Sample, embedder: Embedder) -> tuple[SentenceVerdict, ...]:
    """A verdict on each claiming sentence of the answer; empty where groundedness gives no score."""
    return groundedness_judge(embedder).explained([sample])[0][1]


def _verdict(claim: Sentence, support: Support, evidence: Sequence[Sentence]) -> SentenceVerdict:
    value = probability(support)
    first, last = evidence[support.first], evidence[support.last]
    return SentenceVerdict(claim.start, claim.end, value, _label(support), first.context, first.start, last.end)


def _label(support: Support) -> Label:
    if probability(support) >= THRESHOLD:
        return "supported"
    # Contradicted: without the signs of contradiction it would have passed.
    kept = (0.0 if name in CONTRADICTIONS else value for name, value in zip(FEATURES, support.features, strict=True))
    without = Support(tuple(kept), support.first, support.last)
    return "contradicted" if probability(without) >= THRESHOLD else "unsupported"


@dataclass(frozen=True, slots=True)
class Supported:
    """The task of finding how well sentences of evidence support claims."""

    claims: Sequence[Sentence]
    evidence: Sequence[Sentence]

    def texts(self) -> Iterable[str]:
        return (sentence.text for sentences in (self.claims, self.evidence) for sentence in sentences)

    def supports(self, vectors: Vectorizer) -> list[Support]:
        """One for each claim."""
        table = ContextTable(self.evidence, vectors.of(sentence.text for sentence in self.evidence))
        rows = vectors.of(claim.text for claim in self.claims)
        return [table.support(claim.words, row) for claim, row in zip(self.claims, rows, strict=True)]

    def value(self, vectors: Vectorizer) -> float:
        return self._value(self.supports(vectors))

    def _value(self, supports: Sequence[Support]) -> float:
        return aggregate([probability(found) for found in supports], [len(c.words.content) for c in self.claims])

    def judged(self, vectors: Vectorizer) -> tuple[Outcome, tuple[SentenceVerdict, ...]]:
        """The answer's value and the verdict on each claim; no verdicts where there is no value."""
        supports = self.supports(vectors)
        outcome = scored(self._value(supports))
        if not isinstance(outcome, Score):
            return outcome, ()
        return outcome, tuple(map(partial(_verdict, evidence=self.evidence), self.claims, supports))


def probability(support: Support) -> float:
    """How likely a claim with these features is supported, in [0, 1]: a logistic model."""
    weighted = (GROUNDEDNESS[name] * value for name, value in zip(FEATURES, support.features, strict=True))
    return logistic(GROUNDEDNESS["bias"] + sum(weighted))


def aggregate(values: Sequence[float], words: Sequence[int]) -> float:
    """One value for an answer from those of its sentences and their numbers of content words (all at least 1)."""
    mean = sum(value * count for value, count in zip(values, words, strict=True)) / sum(words)
    enough = min(ENOUGH_WORDS, max(words))
    weakest = min(value for value, count in zip(values, words, strict=True) if count >= enough)
    return (mean + weakest) / 2
