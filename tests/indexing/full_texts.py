"""A full-text index of a few texts, written as a build writes it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from genaiops.indexing.full_text import write_languages
from genaiops.indexing.languages import ENGLISH, words_in
from genaiops.indexing.saved_bm25 import SavedBM25
from genaiops.indexing.word_counts import WordCounts


def write_full_text(texts: Iterable[str], folder: Path, languages: Iterable[str] | None = None) -> None:
    """Build the BM25 index of `texts` and write it into `folder` (created).

    `languages` gives the analysis of each text (default: English).
    """
    counts, used = WordCounts(folder), set[str]()

    def words() -> Iterator[list[str]]:
        for text, language in zip(texts, repeat(ENGLISH)) if languages is None else zip(texts, languages, strict=True):
            used.add(language)
            yield words_in(text, language)

    counts.add(words())
    counts.finish()
    write_languages(used, folder)


def scores_of(index: SavedBM25, words: Sequence[str]) -> NDArray[np.float32]:
    """The BM25 score of every text, `[texts]`; a word counts as often as it stands in `words`."""
    scores = np.zeros(index.texts, dtype=np.float32)
    for word in words:
        index.add(scores, word)
    return scores
