"""The words and pairs of words that set a chunk apart from the rest of its document. Offline."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence

from pydantic import Field

from genaiops.chunking.tools import Addition
from genaiops.configuration import Settings
from genaiops.records import Chunk, Document
from genaiops.sentences import sentence_spans
from genaiops.words import STOPWORDS, stem, words

_SHORTEST = 3  # characters of a keyword


class KeywordOptions(Settings):
    """`most` keywords for each chunk; with `search`, they are also put before its text."""

    most: int = Field(default=5, ge=1, le=20)
    search: bool = False  # it made retrieval a little worse where it was measured: docs/enrichment.md


class Keywords:
    """Words and pairs of neighbouring words, by tf · idf with the chunks of the document as collection.

    idf is ln(1 + chunks ÷ chunks with the term); a pair counts double. Only the document decides, so that a change
    of one document changes the chunks of no other. They are also `metadata["keywords"]`, the best first.
    """

    def __init__(self, options: KeywordOptions) -> None:
        self._options = options

    def additions(self, document: Document, chunks: Sequence[Chunk]) -> list[Addition]:
        counts = [Counter(_terms(chunk.text)) for chunk in chunks]
        within = Counter(term for count in counts for term in count)
        added = []
        for chunk, count in zip(chunks, counts, strict=True):
            shown = dict(_terms_as_written(chunk.text))
            weights = {term: n * math.log(1 + len(chunks) / within[term]) * len(term) for term, n in count.items()}
            best = self._best(sorted(weights, key=lambda term: (-weights[term], term)))
            names = [shown[term] for term in best]
            added.append(Addition(", ".join(names) if self._options.search else "", {"keywords": names}))
        return added

    def _best(self, ranked: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
        """The first `most` that say something new: no word of a pair that is among them, and no pair of such words."""
        best: list[tuple[str, ...]] = []
        used: set[str] = set()
        for term in ranked:
            if len(best) == self._options.most:
                break
            if used.isdisjoint(term):
                best.append(term)
                used.update(term)
        return best


def _terms(text: str) -> Iterator[tuple[str, ...]]:
    return (term for term, _ in _terms_as_written(text))


def _terms_as_written(text: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """Stems of single words and of two in a row of one sentence, each with the words as they stand."""
    for start, end in sentence_spans(text):
        before = ("", "")
        for word in words(text[start:end]):
            if word in STOPWORDS or len(word) < _SHORTEST or not word[0].isalpha():
                before = ("", "")
                continue
            here = stem(word.removesuffix("'s"))
            yield (here,), word
            if before[0] and before[0] != here:
                yield (before[0], here), f"{before[1]} {word}"
            before = (here, word)
