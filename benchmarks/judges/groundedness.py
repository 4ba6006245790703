"""The groundedness judge against word overlap, source by source.

    GENAIOPS_DATA=... python -m benchmarks.judges.groundedness

BEGIN and WiCE were fitted on: their honest figures are those of the second table,
where the coefficients come from the other source. ExpertQA and SciFact were only measured.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from benchmarks.judges.data import (
    FITTED,
    MEASURE_ONLY,
    Remembering,
    auroc,
    balanced_accuracy,
    groundedness_rows,
    sample_of,
)
from benchmarks.judges.fit_groundedness import fit
from benchmarks.reporting import Figure, Report, Table, alone, at_least
from genaiops.embedding import Embedder, default_embedder
from genaiops.evaluation.judges import JUDGES
from genaiops.evaluation.judges.coefficients import GROUNDEDNESS
from genaiops.evaluation.judges.words import words_of
from genaiops.evaluation.records import Sample
from genaiops.records import Score

ANSWERS, CORES, RATE = 1000, 2, 40
ASKED = ("WiCE", "ExpertQA", "SciFact, support against contradict")
HEAD = ("source", "rows", "AUROC", "AUROC of word overlap", "balanced accuracy at 0.5")
Pairs = tuple[list[bool], list[float]]


@dataclass(frozen=True, slots=True)
class Row:
    """What was found on one source."""

    name: str
    rows: int
    auroc: float
    overlap: float
    balanced: float


def judged(embedder: Embedder, rows: Sequence[dict[str, Any]]) -> Pairs:
    """Labels and values of the rows that got a score; an answer without a claim counts as grounded in nothing: 0."""
    outcomes = JUDGES["groundedness"](embedder).score([sample_of(row) for row in rows])
    values = [outcome.value if isinstance(outcome, Score) else 0.0 for outcome in outcomes]
    return [row["grounded"] for row in rows], values


def overlapped(rows: Sequence[dict[str, Any]]) -> Pairs:
    """Share of the answer's content stems found in its contexts, weighted by rarity among those of the source."""
    contexts = [words_of(" ".join(row["contexts"])).stems for row in rows]
    counts = Counter(stem for stems in contexts for stem in stems)
    rarity = {stem: math.log(len(rows) / count) for stem, count in counts.items()}
    unknown = math.log(len(rows))
    values = []
    for row, stems in zip(rows, contexts, strict=True):
        weights = {stem: rarity.get(stem, unknown) for stem in words_of(row["answer"]).stems}
        whole = sum(weights.values())
        values.append(sum(weight for stem, weight in weights.items() if stem in stems) / whole if whole else 0.0)
    return [row["grounded"] for row in rows], values


def row_of(name: str, rows: Sequence[dict[str, Any]], embedder: Embedder) -> Row:
    labels, values = judged(embedder, rows)
    return Row(name, len(rows), auroc(labels, values), auroc(*overlapped(rows)), balanced_accuracy(labels, values))


def rates(judge: Callable[[Sequence[Sample]], object], samples: Sequence[Sample]) -> tuple[float, float]:
    """Answers a second of wall time, and of the processor's time times two cores: what two idle cores would give."""
    judge(samples[:4])
    wall, busy = time.perf_counter(), time.process_time()
    judge(samples)
    wall, busy = time.perf_counter() - wall, time.process_time() - busy
    return len(samples) / wall, CORES * len(samples) / busy


def of_one_length(count: int, length: int) -> list[Sample]:
    """Answers to different contexts of `length` characters each."""
    rows = (groundedness_rows("ExpertQA") + groundedness_rows("SciFact"))[:count]
    texts = [(" ".join(row["contexts"]) + " ") * 4 for row in rows]
    return [Sample(row["id"], "", row["answer"], (text[:length],)) for row, text in zip(rows, texts, strict=True)]


def rate_figures(embedder: Embedder, count: int) -> tuple[Figure, ...]:
    samples = of_one_length(count, 1000)
    judge = JUDGES["groundedness"](embedder)
    floor = [{"answer": sample.answer, "contexts": sample.contexts, "grounded": True} for sample in samples]
    wall, busy = rates(judge.score, samples)
    words_of.cache_clear()
    overlap, _ = rates(lambda some: overlapped(floor[: len(some)]), samples)
    return (
        at_least(f"answers a second, {count} with contexts of 1,000 characters", wall, RATE, digits=0),
        Figure("the same by processor time of two cores", f"{busy:.0f}"),
        Figure("answers a second of word overlap", f"{overlap:,.0f}"),
    )


def held_out(embedder: Embedder) -> list[Row]:
    """Each source that takes part in the fit, judged by coefficients that were fitted without it."""
    shipped, found = dict(GROUNDEDNESS), []
    for source in FITTED:
        GROUNDEDNESS.update(fit(embedder, [other for other in FITTED if other != source]))
        found.append(row_of(source, groundedness_rows(source), embedder))
    GROUNDEDNESS.update(shipped)
    return found


def measure() -> Report:
    """Every source by the shipped judge, and those it was fitted on by one that was not."""
    embedder = Remembering(default_embedder())
    shipped = [row_of(source, groundedness_rows(source), embedder) for source in (*FITTED, *MEASURE_ONLY)]
    contradicted = [row for row in groundedness_rows("SciFact") if row["label_raw"] != "NOINFO"]
    shipped.append(row_of("SciFact, support against contradict", contradicted, embedder))
    apart = held_out(embedder)
    asked = [row for row in (*apart, *shipped[len(FITTED) :]) if row.name in ASKED]
    worst = min(row.auroc - row.overlap for row in asked)
    return Report(
        "Groundedness against human labels",
        (
            at_least("mean AUROC of WiCE, ExpertQA and SciFact contradictions", fmean(r.auroc for r in asked), 0.8),
            at_least("least of them above word overlap", worst, 0.0),
            *(at_least(f"balanced accuracy at 0.5, {row.name}", row.balanced, 0.7) for row in asked),
            *rate_figures(default_embedder(), ANSWERS),
        ),
        (
            Table("The judge as shipped; BEGIN and WiCE were fitted on:", HEAD, tuple(map(shown, shipped))),
            Table("Fitted without the source it is measured on:", HEAD, tuple(map(shown, apart))),
        ),
    )


def shown(row: Row) -> tuple[str, ...]:
    return row.name, str(row.rows), *(f"{figure:.3f}" for figure in (row.auroc, row.overlap, row.balanced))


if __name__ == "__main__":
    alone(measure)
