"""BM25 over stemmed words, kept by bm25s as plain arrays and JSON (no pickle)."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from genaiops.indexing.filters import Selection
from genaiops.indexing.saved_bm25 import SavedBM25
from genaiops.indexing.word_counts import EMPTY_MARK, WordCounts
from genaiops.words import content_words


def write_full_text(texts: Iterable[str], folder: Path) -> None:
    """Build the BM25 index of `texts` and write it into `folder` (created)."""
    counts = WordCounts(folder)
    counts.add(content_words(text) for text in texts)
    counts.finish()


class FullText:
    """Scores every text of the index against a query."""

    def __init__(self, folder: Path) -> None:
        self._index = None if (folder / EMPTY_MARK).exists() else SavedBM25(folder)

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
