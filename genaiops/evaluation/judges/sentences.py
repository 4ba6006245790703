"""The sentences of answers and contexts, with their words and vectors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from genaiops.evaluation.judges.words import Words, without_markers, words_of
from genaiops.sentences import sentences

if TYPE_CHECKING:
    from genaiops.embedding import Embedder, Vectors

ALL_OF = 6  # so many sentences of contexts are all looked at
NEAREST = 5  # of more, so many for each claim
NOT_SAID = frozenset({"heading", "code"})  # kinds of sentences of an answer that claim nothing


@dataclass(frozen=True, slots=True)
class Sentence:
    """The span `[start, end)` of context number `context` (of the answer: 0), as text and as words.

    `place` counts the sentences of all contexts: neighbours differ by one.
    """

    context: int
    start: int
    end: int
    text: str
    words: Words
    place: int = 0


def claims_of(answer: str) -> list[Sentence]:
    """The sentences of an answer that say something: citation markers blanked, headings and code left out."""
    plain = without_markers(answer)
    found = [s for s in sentences(plain) if s.kind not in NOT_SAID]
    made = [Sentence(0, s.start, s.end, plain[s.start : s.end], words_of(plain[s.start : s.end])) for s in found]
    return [sentence for sentence in made if sentence.words.content]


def sentences_of(contexts: Iterable[str]) -> list[Sentence]:
    """The sentences of every context that hold at least one content word, in order."""
    made = [
        Sentence(number, s.start, s.end, text[s.start : s.end], words_of(text[s.start : s.end]))
        for number, text in enumerate(contexts)
        for s in sentences(text)
    ]
    kept = (sentence for sentence in made if sentence.words.content)
    return [replace(sentence, place=place) for place, sentence in enumerate(kept)]


def nearest(claims: Iterable[Sentence], evidence: Sequence[Sentence]) -> Sequence[Sentence]:
    """Of long contexts the sentences, in order, that have most words in common with a claim; short ones whole.

    A whole article holds many sentences that are near to anything: measured, looking at fewer is quicker and better.
    """
    if len(evidence) <= ALL_OF:
        return evidence
    chosen: set[int] = set()
    for claim in claims:
        stems = claim.words.stems
        chosen.update(sorted(range(len(evidence)), key=lambda i: -len(evidence[i].words.stems & stems))[:NEAREST])
    return [evidence[i] for i in sorted(chosen)]


class Vectorizer:
    """Vectors of the texts of one batch, each text embedded once, in one call sorted by length."""

    def __init__(self, embedder: Embedder, texts: Iterable[str]) -> None:
        # Sorted by length, texts of a model's batch need little padding; then by text, so that order can't matter.
        unique = sorted(set(texts), key=lambda text: (len(text), text))
        self._row = {text: row for row, text in enumerate(unique)}
        self._vectors = embedder.embed(unique) if unique else None

    def of(self, texts: Iterable[str]) -> Vectors:
        """float32 [number of texts, dimension], unit rows; only texts announced at the start."""
        import numpy as np

        rows = [self._row[text] for text in texts]
        if self._vectors is None:
            return np.zeros((0, 0), dtype=np.float32)
        found: Vectors = self._vectors[rows]
        return found
