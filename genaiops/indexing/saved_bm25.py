"""Scores from the files that bm25s saves, with numpy alone.

Importing bm25s brings scipy.sparse, tqdm and asyncio: a fifth of the time of a short command, for a sum over a few
columns. `get_scores` gives bit for bit what bm25s gives (tests/indexing/test_saved_bm25.py).
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from tokenize import TokenError
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
        self.vocab_dict.pop("", None)  # bm25s adds it for queries of no known word
        self.texts = int(params["num_docs"])
        self._scores = _mapped(folder / "data.csc.index.npy", "f")
        self._positions = _mapped(folder / "indices.csc.index.npy", "i")
        self._starts = _mapped(folder / "indptr.csc.index.npy", "i")
        if len(self._scores) != len(self._positions):
            raise ValueError(f"{len(self._scores)} scores for {len(self._positions)} positions")
        self._check()

    def _check(self) -> None:
        """Digests tell that a file is the one that was written, not who wrote it: nothing may point outside."""
        starts, pairs = self._starts, len(self._positions)
        columns = np.fromiter(self.vocab_dict.values(), dtype=np.int64, count=len(self.vocab_dict))
        if not len(starts) or starts[0] < 0 or starts[-1] > pairs or (np.diff(starts) < 0).any():
            raise ValueError("the columns of the full-text index are not in order")
        if len(columns) and not 0 <= columns.min() <= columns.max() < len(starts) - 1:
            raise ValueError("the words of the full-text index have no columns")
        if pairs and not 0 <= self._positions.min() <= self._positions.max() < self.texts:
            raise ValueError("the full-text index names texts that are not there")

    def holding(self, word: str) -> int:
        """How many texts have the word. Raises KeyError."""
        column = self.vocab_dict[word]
        return int(self._starts[column + 1] - self._starts[column])

    def column(self, word: str) -> tuple[NDArray[Any], NDArray[np.float32]]:
        """The positions of the texts that have the word, ascending, and what it gives to each. Raises KeyError."""
        column = self.vocab_dict[word]
        span = slice(int(self._starts[column]), int(self._starts[column + 1]))
        return self._positions[span], self._scores[span]

    def add(self, scores: NDArray[np.float32], word: str, times: float = 1.0) -> None:
        """Add to `scores` `[texts]` what the word gives to each text, `times` as much. Raises KeyError."""
        positions, gives = self.column(word)
        scores[positions] += gives if times == 1 else gives * np.float32(times)  # a text stands once in a column


def idf(holding: int, texts: int) -> float:
    """Lucene's weight of a word that `holding` of `texts` have."""
    return math.log(1 + (texts - holding + 0.5) / (holding + 0.5))


def _mapped(path: Path, kind: str) -> NDArray[Any]:
    try:
        array = np.lib.format.open_memmap(path, mode="r")  # refuses arrays of objects, which are pickles
    except (TokenError, SyntaxError) as error:  # numpy reads the head as Python's literals
        raise ValueError(f"{path.name} has no head that can be read: {error}") from None
    if array.dtype.kind != kind or array.ndim != 1:
        raise ValueError(f"{path.name} holds {array.dtype} {array.shape}, not a row of numbers")
    row: NDArray[Any] = array.view(np.ndarray)
    return row
