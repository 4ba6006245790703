"""Measures of flows that answer with a label: accuracy, precision, recall, F1, cross-entropy."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from genaiops.evaluation import classes
from genaiops.evaluation.plain_measure import ReferencedMeasure
from genaiops.evaluation.records import Sample
from genaiops.evaluation.scale import Statistic
from genaiops.evaluation.tasks import CLASSIFICATION
from genaiops.evaluation.text_measures import without_citations
from genaiops.records import Outcome, Score, Unscored

LEAST_PROBABILITY = 1e-15  # a label that was ruled out costs 34.5 nats, not infinity
SUM_WITHIN = 0.01  # probabilities rounded for printing still add up to 1


def label_of(text: str) -> str:
    """A text as a label: lower case, without outer quotes, stops and citation markers, `_` for white space."""
    return "_".join(without_citations(text).strip(" \t\r\n.\"'`*").casefold().split())


def said(sample: Sample) -> tuple[str, Mapping[str, Any] | None]:
    """The label an answer gives, and its probabilities by label where it gives them.

    An answer is a label, or a JSON object `{"label": …, "probabilities": {label: p}}`; a
    row may have the column `probabilities`.
    """
    told = sample.facts.get("probabilities")
    probabilities = told if isinstance(told, Mapping) else None
    text = sample.answer.strip()
    if text.startswith("{"):
        try:
            data = json.loads(text)
        except (ValueError, RecursionError):
            return label_of(text), probabilities
        if isinstance(data, dict) and isinstance(data.get("label"), str):
            given = data.get("probabilities")
            return label_of(data["label"]), given if isinstance(given, Mapping) else probabilities
    return label_of(text), probabilities


class _Labelled(ReferencedMeasure):
    """What all of them share: the reference is the right label."""

    __slots__ = ()

    @property
    def tasks(self) -> frozenset[str]:
        return frozenset({CLASSIFICATION})

    def _one(self, sample: Sample) -> Outcome:
        return self._of(sample, label_of(sample.reference))

    def _of(self, sample: Sample, true: str) -> Outcome:
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Accuracy(_Labelled):
    """The share of cases whose label is right."""

    name: str = "accuracy"

    def _of(self, sample: Sample, true: str) -> Outcome:
        return Score(float(said(sample)[0] == true))


@dataclass(frozen=True, slots=True)
class LabelMeasure(_Labelled):
    """Precision, recall or F1, over all labels (`f1_macro`) or of one (`f1_label@refund`).

    The value of a case is 1 when its label is right, else 0; the summary is the formula on the counts of all cases.
    """

    figure: str
    label: str = ""

    def __str__(self) -> str:
        return f"{self.figure}_label@{self.label}" if self.label else f"{self.figure}_macro"

    @property
    def statistic(self) -> Statistic:
        return str(self)

    def _of(self, sample: Sample, true: str) -> Outcome:
        label = said(sample)[0]
        return Score(float(label == true), parts=tuple(classes.counted(true, label).items()))


@dataclass(frozen=True, slots=True)
class CrossEntropy(_Labelled):
    """Minus the natural logarithm of the probability the answer gave to the right label, in nats; less is better."""

    unit_interval: ClassVar[bool] = False
    lower_is_better: ClassVar[bool] = True
    name: str = "cross_entropy"

    def _of(self, sample: Sample, true: str) -> Outcome:
        told = said(sample)[1]
        if told is None:
            return Unscored('the answer gives no probabilities; {"label": …, "probabilities": {label: p}} would')
        if not all(isinstance(p, (int, float)) and not isinstance(p, bool) and 0 <= p <= 1 for p in told.values()):
            return Unscored("a probability is no number from 0 to 1")
        if abs(math.fsum(told.values()) - 1) > SUM_WITHIN:
            return Unscored(f"the probabilities add up to {math.fsum(told.values()):.3g}, not to 1")
        given = math.fsum(p for label, p in told.items() if label_of(label) == true)
        return Score(-math.log(min(1.0, max(given, LEAST_PROBABILITY))))


CLASSIFICATION_MEASURES: dict[str, Accuracy | LabelMeasure | CrossEntropy] = {
    "accuracy": Accuracy(),
    **{f"{figure}_macro": LabelMeasure(figure) for figure in classes.FIGURES},
    "cross_entropy": CrossEntropy(),
}
