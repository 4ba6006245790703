"""People label a few answers of a run: the sheet they fill in, and the run's mean corrected by it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from genaiops.errors import ConfigurationError, NotFound
from genaiops.evaluation.passports.calibrating import Labelled
from genaiops.evaluation.passports.correcting import FEWEST_LABELS, ppi_mean
from genaiops.evaluation.records import Run


@dataclass(frozen=True, slots=True)
class CorrectedMean:
    """The mean label of a run's answers: `value` in `[low, high]`, from `labelled` labels and `n` judged answers.

    `judged` is the mean that the judge alone gives.
    """

    measure: str
    judged: float
    value: float
    low: float
    high: float
    labelled: int
    n: int


def label_sheet(run: Run, measure: str, *, cases: int = 50, seed: int = 0) -> list[dict[str, Any]]:
    """Rows of cases drawn at random among those the measure scored, each with `label: null` to fill in.

    The judge's values are left out, so that nobody follows them. NotFound when the run
    has no value of that measure.
    """
    scored = set(_values(run, measure))
    results = [result for result in run.results if result.case.id in scored and result.answer is not None]
    chosen = random.Random(seed).sample(results, min(cases, len(results)))
    return [
        {
            "id": result.case.id,
            "question": result.case.question,
            "contexts": [hit.chunk.text for hit in result.answer.hits],
            "answer": result.answer.text,
            "reference": result.case.reference,
            "source": run.golden_set,
            "label": None,
        }
        for result in chosen
        if result.answer is not None
    ]


def corrected_by_labels(run: Run, measure: str, rows: Sequence[Labelled]) -> CorrectedMean:
    """The run's mean of a judged measure, corrected by labels of some of its answers (see `ppi_mean`).

    The labelled cases must have been drawn at random, as `label_sheet` draws them.
    ConfigurationError when a row is of no case of this run, of another answer than the
    run's, or there twice, and with fewer than 5 labels.
    """
    values = _values(run, measure)
    answers = {result.case.id: result.answer.text for result in run.results if result.answer is not None}
    labels: dict[str, float] = {}
    again = _sheet(run, measure)
    for row in rows:
        name = row.sample.id
        if name not in values:
            raise ConfigurationError(f"row {name!r} is no case of run {run.id} that {measure} scored", remedy=again)
        if row.sample.answer != answers.get(name):
            raise ConfigurationError(f"row {name!r} labels another answer than run {run.id} holds", remedy=again)
        if name in labels:
            raise ConfigurationError(f"row {name!r} is there twice")
        labels[name] = row.label
    if len(labels) < FEWEST_LABELS:
        raise ConfigurationError(f"{len(labels)} labels: at least {FEWEST_LABELS} are needed", remedy=again)
    pairs = [(label, values[name]) for name, label in labels.items()]
    rest = [value for name, value in values.items() if name not in labels]
    found = ppi_mean(pairs, rest, confidence=run.confidence)
    mean = sum(values.values()) / len(values)
    return CorrectedMean(measure, mean, found.value, found.low, found.high, len(pairs), len(values))


def _sheet(run: Run, measure: str) -> str:
    return f"genaiops judge sheet {run.id} --measure {measure} writes rows to label"


def _values(run: Run, measure: str) -> dict[str, float]:
    values = run.values(measure)
    if not values or measure not in run.judges:
        judged = ", ".join(name for name in run.judges if run.values(name)) or "none"
        raise NotFound(f"run {run.id} has no values of a judge for {measure!r}", remedy=f"judged measures: {judged}")
    return values
