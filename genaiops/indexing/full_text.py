"""BM25 over stemmed words, kept by bm25s as plain arrays and JSON (no pickle)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import bm25s
import numpy as np
from numpy.typing import NDArray

from genaiops.indexing.filters import Selection
from genaiops.indexing.word_counts import EMPTY_MARK, WordCounts
from genaiops.words import content_words


def write_full_text(texts: Iterable[str], folder: Path) -> None:
    """Build the BM25 index of `texts` and write it into `folder` (created)."""
    counts = WordCounts(folder)
    counts.add(content_words(text) for text in texts)
    counts.finish()


class Posting(NamedTuple):
    """The texts that hold one word: their positions (ascending, each once), what the word gives to each BM25 score
    (float, > 0 and below `idf`), and how rare the word is.
    """

    positions: NDArray[Any]
    gives: NDArray[np.float32]
    idf: float


class FullText:
    """Scores every text of the index against a query."""

    def __init__(self, folder: Path) -> None:
        self._index = None if (folder / EMPTY_MARK).exists() else bm25s.BM25.load(folder, load_corpus=False)

    def search(self, text: str, k: int, within: Selection | None = None) -> list[tuple[int, float]]:
        """The `k` best positions with their BM25 score (> 0), best first; equal scores by position.

        `within` takes the other positions out before the best are chosen. How rare a word is still counts over all
        texts, so a score does not depend on who asks.
        """
        if k < 1 or self._index is None:
            return []
        known = [word for word in content_words(text) if word in self._index.vocab_dict]
        if not known:
            return []
        scores = np.asarray(self._index.get_scores(known), dtype=np.float64)
        if within is not None:
            scores *= within.mask
        # Every text that scores as well as the k-th is a candidate, so that position decides between equals.
        least = np.partition(scores, -k)[-k] if k < len(scores) else 0.0
        candidates = np.flatnonzero((scores >= least) & (scores > 0))
        found = [(int(i), float(scores[i])) for i in candidates]
        return sorted(found, key=lambda pair: (-pair[1], pair[0]))[:k]

    def postings(self, text: str) -> Iterator[Posting]:
        """One for each word of `text` that the index has, repeats kept. A BM25 score is the sum of what they give."""
        if self._index is None:
            return
        arrays, words = self._index.scores, self._index.vocab_dict
        texts = int(arrays["num_docs"])
        for number in (words[word] for word in content_words(text) if word in words):
            column = slice(int(arrays["indptr"][number]), int(arrays["indptr"][number + 1]))
            holding = column.stop - column.start
            idf = float(np.log(1 + (texts - holding + 0.5) / (holding + 0.5)))
            yield Posting(arrays["indices"][column], arrays["data"][column], idf)
