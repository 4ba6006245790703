"""BM25 over stemmed words, kept by bm25s as plain arrays and JSON (no pickle)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from genaiops.indexing.saved_bm25 import SavedBM25
from genaiops.words import content_words

# Robertson's usual parameters; bm25s' "lucene" variant never gives a negative weight.
_K1, _B = 1.5, 0.75
_EMPTY_MARK = "empty.json"


def write_full_text(texts: Sequence[str], folder: Path) -> None:
    """Build the BM25 index of `texts` and write it into `folder` (created)."""
    folder.mkdir()
    tokenised = [content_words(text) for text in texts]
    # bm25s numbers words in the order of a set, which changes from process to process; ours is sorted.
    vocabulary = {word: number for number, word in enumerate(sorted({w for row in tokenised for w in row}))}
    if not vocabulary:
        (folder / _EMPTY_MARK).write_text(json.dumps({"texts": len(texts)}), encoding="utf-8")
        return
    import bm25s
    from bm25s.tokenization import Tokenized

    index = bm25s.BM25(k1=_K1, b=_B, method="lucene")
    ids = [[vocabulary[word] for word in row] for row in tokenised]
    index.index(Tokenized(ids=ids, vocab=vocabulary), show_progress=False)
    index.save(folder, show_progress=False)


class FullText:
    """Scores every text of the index against a query."""

    def __init__(self, folder: Path) -> None:
        self._index = None if (folder / _EMPTY_MARK).exists() else SavedBM25(folder)

    def search(self, text: str, k: int) -> list[tuple[int, float]]:
        """The `k` best positions with their BM25 score (> 0), best first; equal scores by position."""
        if k < 1 or self._index is None:
            return []
        known = [word for word in content_words(text) if word in self._index.vocab_dict]
        if not known:
            return []
        scores = np.asarray(self._index.get_scores(known), dtype=np.float64)
        # Every text that scores as well as the k-th is a candidate, so that position decides between equals.
        least = np.partition(scores, -k)[-k] if k < len(scores) else 0.0
        candidates = np.flatnonzero((scores >= least) & (scores > 0))
        found = [(int(i), float(scores[i])) for i in candidates]
        return sorted(found, key=lambda pair: (-pair[1], pair[0]))[:k]
