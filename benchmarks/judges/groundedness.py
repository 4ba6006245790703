"""The groundedness judge against word overlap, source by source; prints Markdown tables.

    GENAIOPS_DATA=... python -m benchmarks.judges.groundedness

BEGIN and WiCE were fitted on: their honest figures are those of the second table,
where the coefficients come from the other source. ExpertQA and SciFact were only measured.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Sequence
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
from genaiops.embedding import Embedder, default_embedder
from genaiops.evaluation.judges import JUDGES
from genaiops.evaluation.judges.coefficients import GROUNDEDNESS
from genaiops.evaluation.judges.words import words_of
from genaiops.evaluation.records import Sample
from genaiops.records import Score

ANSWERS, CORES = 1000, 2
Pairs = tuple[list[bool], list[float]]


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


def line(name: str, rows: Sequence[dict[str, Any]], embedder: Embedder) -> str:
    labels, values = judged(embedder, rows)
    figures = (auroc(labels, values), auroc(*overlapped(rows)), balanced_accuracy(labels, values))
    return f"| {name} | {len(rows)} | {' | '.join(f'{figure:.3f}' for figure in figures)} |"


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


def print_rates(embedder: Embedder, count: int) -> None:
    samples = of_one_length(count, 1000)
    judge = JUDGES["groundedness"](embedder)
    floor = [{"answer": sample.answer, "contexts": sample.contexts, "grounded": True} for sample in samples]
    print(f"\n| {len(samples)} answers, contexts of 1,000 characters | a second | by processor time, two cores |")
    print("|---|---|---|")
    print("| the judge | {:.1f} | {:.1f} |".format(*rates(judge.score, samples)))
    words_of.cache_clear()
    print("| word overlap | {:.0f} | {:.0f} |".format(*rates(lambda some: overlapped(floor[: len(some)]), samples)))


def main() -> None:
    embedder = Remembering(default_embedder())
    print("| source | rows | AUROC | AUROC of word overlap | balanced accuracy at 0.5 |\n|---|---|---|---|---|")
    for source in (*FITTED, *MEASURE_ONLY):
        print(line(source, groundedness_rows(source), embedder))
    contradicted = [row for row in groundedness_rows("SciFact") if row["label_raw"] != "NOINFO"]
    print(line("SciFact, support against contradict", contradicted, embedder))
    shipped = dict(GROUNDEDNESS)
    print("\n| fitted on | measured on | AUROC | balanced accuracy at 0.5 |\n|---|---|---|---|")
    for held_out in FITTED:
        others = [source for source in FITTED if source != held_out]
        GROUNDEDNESS.update(fit(embedder, others))
        labels, values = judged(embedder, groundedness_rows(held_out))
        figures = (auroc(labels, values), balanced_accuracy(labels, values))
        print(f"| {', '.join(others)} | {held_out} | {' | '.join(f'{figure:.3f}' for figure in figures)} |")
    GROUNDEDNESS.update(shipped)
    print_rates(default_embedder(), ANSWERS)


if __name__ == "__main__":
    main()
