"""Scores from the files that bm25s saves, with numpy alone.

Importing bm25s brings scipy.sparse, tqdm and asyncio: a fifth of the time of a short command, for a sum over a few
columns. `get_scores` gives bit for bit what bm25s gives (tests/indexing/test_saved_bm25.py).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Without a score for words that do not occur, as BM25+ and BM25L have one.
_PLAIN_METHODS = ("lucene", "robertson", "atire")


class SavedBM25:
    """A saved index; its arrays are mapped into memory, so only the columns a query needs are read."""

    def __init__(self, folder: Path) -> None:
        """Raises ValueError when the files are not those of one index."""
        params = json.loads((folder / "params.index.json").read_text(encoding="utf-8"))
        if params["method"] not in _PLAIN_METHODS:
            raise ValueError(f"the scores of method {params['method']!r} are not a plain sum")
        self.vocab_dict: dict[str, int] = json.loads((folder / "vocab.index.json").read_text(encoding="utf-8"))
        self._texts = int(params["num_docs"])
        self._scores = _mapped(folder / "data.csc.index.npy", "f")
        self._positions = _mapped(folder / "indices.csc.index.npy", "i")
        self._starts = _mapped(folder / "indptr.csc.index.npy", "i")
        if len(self._scores) != len(self._positions):
            raise ValueError(f"{len(self._scores)} scores for {len(self._positions)} positions")

    def get_scores(self, words: Sequence[str]) -> NDArray[np.float32]:
        """The BM25 score of every text, `[texts]`; a word counts as often as it stands in `words`.

        Raises KeyError for a word that is not in `vocab_dict`.
        """
        scores = np.zeros(self._texts, dtype=self._scores.dtype)
        for word in words:
            column = self.vocab_dict[word]
            start, end = int(self._starts[column]), int(self._starts[column + 1])
            scores[self._positions[start:end]] += self._scores[start:end]  # a text stands once in a column
        return scores


def _mapped(path: Path, kind: str) -> NDArray[Any]:
    array = np.lib.format.open_memmap(path, mode="r")  # refuses arrays of objects, which are pickles
    if array.dtype.kind != kind or array.ndim != 1:
        raise ValueError(f"{path.name} holds {array.dtype} {array.shape}, not a row of numbers")
    row: NDArray[Any] = array.view(np.ndarray)
    return row
