"""Vector, full-text and hybrid search over one index."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from genaiops.embedding import Embedder
from genaiops.indexing.snapshot import Index
from genaiops.records import Hit, Query
from genaiops.retrieval.settings import RetrievalSettings, Retriever

Ranked = list[tuple[int, float]]  # (position of the chunk, score), best first
# Candidates per leg of a hybrid search. Deep, because a chunk outside one leg's list counts as that leg's worst.
_DEPTH = 100


@dataclass(frozen=True)
class VectorRetriever:
    """Cosine of the query's vector and the chunks'."""

    index: Index
    embedder: Embedder

    def ranked(self, query: Query, k: int) -> Ranked:
        return self.index.vectors.search(self.embedder.embed([query.text])[0], k)

    def retrieve(self, query: Query, k: int) -> list[Hit]:
        ranked = self.ranked(query, k)
        return _hits(self.index, ranked, vector=dict(ranked))


@dataclass(frozen=True)
class FullTextRetriever:
    """BM25 of the query's words."""

    index: Index

    def ranked(self, query: Query, k: int) -> Ranked:
        return self.index.full_text.search(query.text, k)

    def retrieve(self, query: Query, k: int) -> list[Hit]:
        ranked = self.ranked(query, k)
        return _hits(self.index, ranked, full_text=dict(ranked))


@dataclass(frozen=True)
class HybridRetriever:
    """Weighted mean of both legs, each scaled to [0, 1] over its own candidates (min–max, "convex combination").

    Bruch, Gai and Ingber, "An Analysis of Fusion Functions for Hybrid Retrieval" (2023), find it
    better than reciprocal rank fusion, which throws the scores away.
    """

    vector: VectorRetriever
    full_text: FullTextRetriever
    vector_weight: float

    def retrieve(self, query: Query, k: int) -> list[Hit]:
        depth = max(_DEPTH, k)
        by_vector, by_text = self.vector.ranked(query, depth), self.full_text.ranked(query, depth)
        fused: dict[int, float] = {}
        for leg, weight in ((by_vector, self.vector_weight), (by_text, 1 - self.vector_weight)):
            for position, score in _scaled(leg):
                fused[position] = fused.get(position, 0.0) + weight * score
        best = sorted(fused.items(), key=lambda pair: (-pair[1], pair[0]))[: max(k, 0)]
        return _hits(self.vector.index, best, vector=dict(by_vector), full_text=dict(by_text))


def _scaled(ranked: Ranked) -> Iterable[tuple[int, float]]:
    """Scores moved to [0, 1]; a single candidate, or all equal, count 1."""
    if not ranked:
        return
    low, high = ranked[-1][1], ranked[0][1]
    for position, score in ranked:
        yield position, (score - low) / (high - low) if high > low else 1.0


def _hits(index: Index, ranked: Ranked, **legs: dict[int, float]) -> list[Hit]:
    return [
        Hit(
            index.chunks[position],
            score,
            rank,
            {name: scores[position] for name, scores in legs.items() if position in scores},
        )
        for rank, (position, score) in enumerate(ranked, start=1)
    ]


def _hybrid(index: Index, embedder: Embedder, settings: RetrievalSettings) -> Retriever:
    return HybridRetriever(VectorRetriever(index, embedder), FullTextRetriever(index), settings.vector_weight)


RETRIEVERS: dict[str, Callable[[Index, Embedder, RetrievalSettings], Retriever]] = {
    "vector": lambda index, embedder, settings: VectorRetriever(index, embedder),
    "full_text": lambda index, embedder, settings: FullTextRetriever(index),
    "hybrid": _hybrid,
}


def retriever_for(settings: RetrievalSettings, index: Index, embedder: Embedder) -> Retriever:
    """The retriever that `settings.search` names."""
    return RETRIEVERS[settings.search](index, embedder, settings)
