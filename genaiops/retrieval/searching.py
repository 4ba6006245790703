"""The searches of one index: by vector, by words, and by both."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from genaiops.embedding import Embedder, Vectors
from genaiops.indexing.filters import Selection
from genaiops.indexing.snapshot import Index
from genaiops.retrieval.fusion import DEPTH, FUSIONS, Leg, Ranked
from genaiops.retrieval.settings import RetrievalSettings

_SAMPLE = 2048  # vectors that tell how near the whole index is to a query
_FEWEST = 100  # texts over which the scores of a rare word are spread
# BM25 over documents, whose words are counted from the scores of their chunks.
_K1, _B = 1.5, 0.75
_MOST = 0.999  # share of a word's weight beyond which its count cannot be told


@dataclass(frozen=True, slots=True)
class Asked:
    """What is looked for: texts whose mean vector is searched with, words, and which positions may be found."""

    texts: tuple[str, ...]
    words: str
    within: Selection | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A position that may become a hit. `signals` are the raw scores that found it."""

    position: int
    score: float
    signals: Mapping[str, float] = field(default_factory=dict)


class Search(Protocol):
    """Finds positions."""

    def candidates(self, asked: Asked, k: int) -> list[Candidate]:
        """The `k` best (k ≥ 1), best first, equal scores by position."""
        ...


@dataclass(frozen=True)
class VectorLeg:
    """Cosine of the query's vector and the chunks'."""

    index: Index
    embedder: Embedder

    def leg(self, asked: Asked, k: int) -> Leg:
        vector = self._vector(asked.texts)
        ranked = self.index.vectors.search(vector, k, asked.within)
        near = self._sample @ vector
        mean, deviation = (float(near.mean()), float(near.std())) if len(near) else (0.0, 0.0)
        return Leg(ranked, mean, deviation, ranked[-1][1] if ranked else mean)

    def candidates(self, asked: Asked, k: int) -> list[Candidate]:
        ranked = self.index.vectors.search(self._vector(asked.texts), k, asked.within)
        return [Candidate(position, score, {"vector": score}) for position, score in ranked]

    def _vector(self, texts: tuple[str, ...]) -> Vectors:
        vectors = self.embedder.embed(list(texts))
        if len(vectors) == 1:
            first: Vectors = vectors[0]
            return first
        mean: Vectors = vectors.mean(axis=0)
        return mean / max(float(np.linalg.norm(mean)), 1e-12)

    @cached_property
    def _sample(self) -> Vectors:
        """Evenly spaced vectors of the index, all of them in a small one."""
        size = len(self.index.vectors)
        return self.index.vectors.reconstruct(
            np.unique(np.linspace(0, size - 1, min(size, _SAMPLE)).astype(int)).tolist()
        )


@dataclass(frozen=True)
class FullTextLeg:
    """BM25 of the query's words in the chunk, plus BM25 of them in its whole document.

    A chunk that holds half of the words, in a document that holds the others, comes before one in a document that
    does not. Callan, "Passage-level evidence in document retrieval" (1994), adds the two in the same way.
    """

    index: Index

    def leg(self, asked: Asked, k: int) -> Leg:
        scores = self._scores(asked.words)
        matched = scores[scores > 0]
        # Over at least 100 texts, the others with 0: a single text that has a rare word stands out most of all.
        texts = max(len(matched), min(_FEWEST, len(scores)), 1)
        mean = float(matched.sum() / texts)
        deviation = float(np.sqrt(max(float((matched**2).sum() / texts) - mean**2, 0.0)))
        ranked = _best(scores, k, asked.within)
        return Leg(ranked, mean, deviation, ranked[-1][1] if len(ranked) >= k else 0.0)

    def candidates(self, asked: Asked, k: int) -> list[Candidate]:
        ranked = _best(self._scores(asked.words), k, asked.within)
        return [Candidate(position, score, {"full_text": score}) for position, score in ranked]

    def _scores(self, text: str) -> NDArray[np.float64]:
        """float64 `[chunks]`, 0 for a chunk without any of the words."""
        documents, sizes = self.index.document_numbers, self._sizes
        scores = np.zeros(len(documents))
        of_documents = np.zeros(len(sizes))
        length = 1 - _B + _B * sizes / sizes.mean() if len(sizes) else sizes
        for posting in self.index.full_text.postings(text):
            scores[posting.positions] += posting.gives
            # BM25 turned round: how often the word stands in each chunk, as if all chunks were equally long.
            share = np.minimum(posting.gives / posting.idf, _MOST)
            counts = np.bincount(
                documents[posting.positions], weights=_K1 * share / (1 - share), minlength=len(of_documents)
            )
            holding = int((counts > 0).sum())
            idf = np.log(1 + (len(sizes) - holding + 0.5) / (holding + 0.5))
            of_documents += idf * counts / (counts + _K1 * length)
        return np.where(scores > 0, scores + of_documents[documents], 0.0)

    @cached_property
    def _sizes(self) -> NDArray[np.int64]:
        """Chunks of each document."""
        return np.bincount(self.index.document_numbers)


def _best(scores: NDArray[np.float64], k: int, within: Selection | None) -> Ranked:
    """The `k` best positions with a score above 0, best first, equal scores by position."""
    if within is not None:
        scores = scores * within.mask
    # Every text that scores as well as the k-th is a candidate, so that position decides between equals.
    least = np.partition(scores, -k)[-k] if k < len(scores) else 0.0
    found = np.flatnonzero((scores >= least) & (scores > 0))
    return [(int(i), float(scores[i])) for i in found[np.lexsort((found, -scores[found]))][:k]]


@dataclass(frozen=True)
class HybridSearch:
    """Both searches, joined by one of `fusion.FUSIONS`. `weight` is the vector search's share."""

    vector: VectorLeg
    full_text: FullTextLeg
    fusion: str = "weighted"
    weight: float | None = None

    def legs(self, asked: Asked, k: int) -> tuple[Leg, Leg]:
        depth = max(DEPTH, k)
        return self.vector.leg(asked, depth), self.full_text.leg(asked, depth)

    def candidates(self, asked: Asked, k: int) -> list[Candidate]:
        return self.fused(*self.legs(asked, k), self.weight)[:k]

    def fused(self, vector: Leg, full_text: Leg, weight: float | None) -> list[Candidate]:
        """Everything that either search found, best first."""
        scores = FUSIONS[self.fusion](vector, full_text, weight, self.vector.index.document_numbers)
        raw = {"vector": vector.scores, "full_text": full_text.scores}
        return [
            Candidate(position, score, {name: leg[position] for name, leg in raw.items() if position in leg})
            for position, score in sorted(scores.items(), key=lambda pair: (-pair[1], pair[0]))
        ]


def _hybrid(index: Index, embedder: Embedder, settings: RetrievalSettings) -> Search:
    return HybridSearch(VectorLeg(index, embedder), FullTextLeg(index), settings.fusion, settings.vector_weight)


SEARCHES: Mapping[str, Callable[[Index, Embedder, RetrievalSettings], Search]] = {
    "vector": lambda index, embedder, settings: VectorLeg(index, embedder),
    "full_text": lambda index, embedder, settings: FullTextLeg(index),
    "hybrid": _hybrid,
}
