"""BM25 over stemmed words, kept as plain arrays and JSON (no pickle) in the files of bm25s."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from genaiops.indexing.filters import Selection
from genaiops.indexing.languages import ENGLISH, LANGUAGES, query_words
from genaiops.indexing.saved_bm25 import SavedBM25, idf
from genaiops.indexing.word_counts import EMPTY_MARK

LANGUAGES_FILE = "languages.json"  # absent where all is English


def write_languages(languages: Iterable[str], folder: Path) -> None:
    """Tell the searches of the index in `folder` in which languages its texts were stemmed (none: English)."""
    used = sorted(set(languages)) or [ENGLISH]
    if used != [ENGLISH]:
        (folder / LANGUAGES_FILE).write_text(json.dumps(used), encoding="utf-8")


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
        """ValueError, KeyError, TypeError or OSError when the files are no full-text index."""
        self._languages = _languages(folder)
        self._index: SavedBM25 | None = None
        if (folder / EMPTY_MARK).exists():
            texts = json.loads((folder / EMPTY_MARK).read_text(encoding="utf-8"))["texts"]
            if not isinstance(texts, int) or isinstance(texts, bool):
                raise ValueError("the number of texts is none")
            self._texts = texts
        else:
            self._index = SavedBM25(folder)
            self._texts = self._index.texts

    def __len__(self) -> int:
        """How many texts there are."""
        return int(self._texts)

    def search(self, text: str, k: int, within: Selection | None = None) -> list[tuple[int, float]]:
        """The `k` best positions with their BM25 score (> 0), best first; equal scores by position.

        `within` takes the other positions out before the best are chosen. How rare a word is still counts over all
        texts, so a score does not depend on who asks.
        """
        if within is not None and within.size != self._texts:
            raise ValueError(f"the selection is of {within.size} positions, the index has {self._texts}")
        if k < 1 or self._index is None:
            return []
        scores = np.zeros(self._texts, dtype=np.float32)
        for stems in query_words(text, self._languages):
            for stem, times in self._weighted(stems):
                self._index.add(scores, stem, times)
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
        for stems in query_words(text, self._languages):
            found = [(*self._index.column(stem), times) for stem, times in self._weighted(stems)]
            if not found:
                continue
            rarity = idf(min(sum(len(positions) for positions, _, _ in found), self._texts), self._texts)
            if len(found) == 1:
                yield Posting(found[0][0], found[0][1], rarity)
                continue
            every = np.concatenate([positions for positions, _, _ in found])
            gives = np.concatenate([scores * np.float32(times) for _, scores, times in found])
            positions, place = np.unique(every, return_inverse=True)
            yield Posting(positions, np.bincount(place, weights=gives).astype(np.float32), rarity)

    def _weighted(self, stems: Iterable[str]) -> list[tuple[str, float]]:
        """The stems that the index has, each with how much more it counts than by itself.

        One word with several stems (a corpus in several languages) is as rare as all of them together; else the few
        texts in another language, where its stem is rare, would come before all others.
        """
        if self._index is None:
            return []
        known = [stem for stem in stems if stem in self._index.vocab_dict]
        holding = [self._index.holding(stem) for stem in known]
        together = min(sum(holding), self._texts)
        return [
            (stem, idf(together, self._texts) / idf(alone, self._texts))
            for stem, alone in zip(known, holding, strict=True)
        ]


def _languages(folder: Path) -> tuple[str, ...]:
    path = folder / LANGUAGES_FILE
    if not path.exists():
        return (ENGLISH,)
    told = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(told, list) or not told or not set(told) <= LANGUAGES:
        raise ValueError("the full-text index is in languages that are not known here")
    return tuple(told)
