"""A full-text index of a few texts, written as a build writes it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import repeat
from pathlib import Path

from genaiops.indexing.full_text import write_languages
from genaiops.indexing.languages import ENGLISH, words_in
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
