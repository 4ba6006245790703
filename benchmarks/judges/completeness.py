"""How completeness grades sentences that a text says in other words.

    GENAIOPS_DATA=... python -m benchmarks.judges.completeness

No public set labels completeness. Its core is whether a text says a sentence, and that is
labelled in BEGIN and WiCE (of the latter the claims with the shortest articles, as answers
are short): the claim stands for a sentence of the reference, the text for the answer. The
rows that share less than two thirds of the claim's words show paraphrases.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.judges.data import Remembering, auroc, groundedness_rows
from benchmarks.reporting import Report, Table, alone
from genaiops.embedding import Embedder, default_embedder
from genaiops.evaluation.judges.completeness import graded
from genaiops.evaluation.judges.groundedness import Supported
from genaiops.evaluation.judges.sentences import Vectorizer, claims_of, sentences_of
from genaiops.evaluation.judges.support import FEATURES

SHORT_ARTICLES = 110
PARAPHRASE = 0.65  # share of words in common below which a row counts as one


def graded_row(row: dict[str, Any], embedder: Embedder) -> tuple[float, float] | None:
    """Completeness of the row's text for its claim, and the words they share; None without content words."""
    wanted, said = claims_of(row["answer"]), sentences_of(row["contexts"])
    if not wanted or not said:
        return None
    task = Supported(wanted, said)
    supports = task.supports(Vectorizer(embedder, task.texts()))
    words = [len(claim.words.content) for claim in wanted]
    shared = [support.features[FEATURES.index("overlap")] for support in supports]
    figures = any(sentence.words.numbers for sentence in said)
    grades = [graded(support, figures=figures) for support in supports]
    return float(np.average(grades, weights=words)), float(np.average(shared, weights=words))


def row_of(name: str, labels: list[bool], values: list[float]) -> tuple[str, ...]:
    said, unsaid = ([v for v, label in zip(values, labels, strict=True) if label is kind] for kind in (True, False))
    return (
        name,
        str(len(labels)),
        *(f"{figure:.3f}" for figure in (auroc(labels, values), np.mean(said), np.mean(unsaid))),
    )


def measure() -> Report:
    """Both sets whole, and the rows of each that say it in other words."""
    embedder = Remembering(default_embedder())
    articles = sorted(groundedness_rows("WiCE"), key=lambda row: sum(map(len, row["contexts"])))
    shown = []
    for name, rows in (("BEGIN", groundedness_rows("BEGIN")), ("WiCE", articles[:SHORT_ARTICLES])):
        found = [(row["grounded"], made) for row in rows if (made := graded_row(row, embedder)) is not None]
        shown.append(row_of(name, [label for label, _ in found], [value for _, (value, _) in found]))
        apart = [(label, value) for label, (value, shared) in found if shared < PARAPHRASE]
        shown.append(row_of(f"{name}, in other words", [label for label, _ in apart], [value for _, value in apart]))
    head = ("set", "rows", "AUROC", "mean where it is said", "where it is not")
    return Report(
        "Completeness: whether a text says a sentence", (), (Table("Against labels of support:", head, tuple(shown)),)
    )


if __name__ == "__main__":
    alone(measure)
