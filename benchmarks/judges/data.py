"""Public labelled sets for the judges' benchmarks, read from the folder in GENAIOPS_DATA."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import rankdata

from genaiops.embedding import Embedder, Progress
from genaiops.embedding.protocol import silent
from genaiops.evaluation.records import Sample

FITTED = {"BEGIN": "begin_dev.jsonl", "WiCE": "wice_dev.jsonl"}
MEASURE_ONLY = {"ExpertQA": "attributionbench_expertqa_dev.jsonl", "SciFact": "scifact_train.jsonl"}


def data_folder() -> Path:
    """The folder named by GENAIOPS_DATA; ends the program with a message when it is absent."""
    folder = Path(os.environ.get("GENAIOPS_DATA", ""))
    if not os.environ.get("GENAIOPS_DATA") or not folder.is_dir():
        sys.exit("set GENAIOPS_DATA to the folder with the public labelled sets (groundedness/, relevance/)")
    return folder


class Remembering:
    """An embedder that embeds no text twice: these benchmarks go over the same texts several times."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._known: dict[str, Any] = {}
        self.fingerprint, self.dimension = embedder.fingerprint, embedder.dimension

    def embed(self, texts: Sequence[str], progress: Progress = silent) -> Any:
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if new:
            self._known.update(zip(new, self._embedder.embed(new, progress), strict=True))
        return np.array([self._known[text] for text in texts], dtype=np.float32)


def rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a JSONL file."""
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def groundedness_rows(source: str) -> list[dict[str, Any]]:
    """Rows `{id, question, contexts, answer, grounded, label_raw}` of one source."""
    return rows(data_folder() / "groundedness" / {**FITTED, **MEASURE_ONLY}[source])


def sample_of(row: dict[str, Any]) -> Sample:
    """A groundedness row as a judge takes it."""
    return Sample(row["id"], row.get("question", ""), row["answer"], tuple(row["contexts"]))


def auroc(labels: Sequence[bool], values: Sequence[float]) -> float:
    """Probability that a positive's value is above a negative's, ties counting half."""
    positive = np.asarray(labels, dtype=bool)
    ranks = rankdata(values)
    count = positive.sum()
    return float((ranks[positive].sum() - count * (count + 1) / 2) / (count * (len(positive) - count)))


def balanced_accuracy(labels: Sequence[bool], values: Sequence[float], threshold: float = 0.5) -> float:
    """Mean of the accuracies on positives and on negatives, deciding at `threshold`."""
    positive, decided = np.asarray(labels, dtype=bool), np.asarray(values) >= threshold
    return float((decided[positive].mean() + (~decided)[~positive].mean()) / 2)
