"""Measures that compare an answer's wording with the reference: BLEU, chrF, ROUGE, METEOR."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from genaiops.evaluation.overlap import bleu, chrf, meteor, rouge
from genaiops.evaluation.plain_measure import ReferencedMeasure
from genaiops.evaluation.records import Sample
from genaiops.evaluation.scale import Statistic
from genaiops.evaluation.tasks import WORDED
from genaiops.evaluation.text_measures import ReferenceMeasure, without_citations
from genaiops.records import Outcome, Score

Counts = Callable[[str, str], Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class PooledReferenceMeasure(ReferencedMeasure):
    """A measure of all cases together: `count` gives what they add up, `alone` the value of one case.

    The summary is the formula of pooled.POOLED that has this measure's name, on the sum of the counts.
    """

    name: str
    count: Counts
    alone: Callable[[Mapping[str, float]], float]

    @property
    def statistic(self) -> Statistic:
        return self.name

    def _one(self, sample: Sample) -> Outcome:
        counted = self.count(without_citations(sample.answer), sample.reference)
        return Score(self.alone(counted), parts=tuple(counted.items()))


def _of_words(name: str, compare: Callable[[str, str], float]) -> ReferenceMeasure:
    def uncited(answer: str, reference: str) -> float:
        return compare(without_citations(answer), reference)

    return ReferenceMeasure(name, uncited, WORDED)


REFERENCE_MEASURES: dict[str, ReferenceMeasure | PooledReferenceMeasure] = {
    "bleu": PooledReferenceMeasure("bleu", bleu.counts, bleu.sentence_bleu),
    "chrf": PooledReferenceMeasure("chrf", chrf.counts, chrf.chrf),
    "rouge1": _of_words("rouge1", partial(rouge.rouge_n, n=1)),
    "rouge2": _of_words("rouge2", partial(rouge.rouge_n, n=2)),
    "rougeL": _of_words("rougeL", rouge.rouge_l),
    "meteor": _of_words("meteor", meteor.meteor),
}
