"""A query becomes hits: what to search for, search, rerank, choose, expand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from genaiops.embedding import Embedder
from genaiops.indexing.filters import Selection
from genaiops.indexing.snapshot import Index
from genaiops.records import Chunk, Hit, Query
from genaiops.retrieval.choosing import capped, diverse
from genaiops.retrieval.expanding import WINDOWS, expanded
from genaiops.retrieval.reranking import CrossEncoderReranker, Reranker
from genaiops.retrieval.rewriting import Complete, Searched, searched_for
from genaiops.retrieval.searching import SEARCHES, Asked, Candidate, Search
from genaiops.retrieval.settings import RetrievalSettings

_CHOOSE_FROM = 100  # candidates that are made diverse
_DEEPER = 4


@dataclass(frozen=True, slots=True)
class Found:
    """The hits, best first, and what was searched for."""

    hits: tuple[Hit, ...]
    searched: Searched


@dataclass(frozen=True)
class StagedRetriever:
    """Searches one index as `settings` say. Filters and access labels decide before anything is searched."""

    index: Index
    search: Search
    settings: RetrievalSettings
    reranker: Reranker | None = None

    def retrieve(self, query: Query, k: int) -> list[Hit]:
        """See Retriever. Raises ConfigurationError when the settings rewrite questions: that needs `find`."""
        return list(self.find(query, k).hits)

    def find(self, query: Query, k: int, complete: Complete | None = None) -> Found:
        """At most `k` hits for a query; `complete` asks the model that rewrites questions.

        There are `k` whenever the settings leave so many. Raises ConfigurationError for a filter that cannot be
        read, and ModelError when the rewriting model fails.
        """
        if k < 1:
            return Found((), Searched((query.text,), query.text))
        searched = searched_for(query.text, self.settings, complete)
        chosen, _ = self.looked(query, k, searched)
        hits = (
            Hit(chunk, candidate.score, rank, candidate.signals)
            for rank, (candidate, chunk) in enumerate(chosen, start=1)
        )
        return Found(tuple(hits), searched)

    def looked(self, query: Query, k: int, searched: Searched) -> tuple[list[tuple[Candidate, Chunk]], list[Candidate]]:
        """At most `k` chosen candidates with the text they grow to, and all the candidates they were chosen from."""
        asked = self.asked(query, searched)
        pool = k
        if self.reranker is not None and self.settings.rerank is not None:
            pool = max(pool, self.settings.rerank.depth)
        if self.settings.diversity is not None:
            pool = max(pool, _CHOOSE_FROM)
        while True:
            candidates = self.search.candidates(asked, pool)
            chosen = list(islice(self._chosen(query.text, candidates), k))
            # The cap and the expansion drop some: look deeper until enough are left or nothing more is found.
            if len(chosen) >= k or len(candidates) < pool:
                return chosen, candidates
            pool *= _DEEPER

    def asked(self, query: Query, searched: Searched) -> Asked:
        """What the searches of this index are given."""
        return Asked(searched.texts, searched.words, selected(self.index, query, self.settings))

    def warm(self) -> None:
        """Load what the first question would otherwise wait for; a model that rewrites questions is not asked."""
        plain = self.settings.model_copy(update={"rewrite": "none"})
        replace(self, settings=plain).retrieve(Query("What is this about?"), 1)

    def _chosen(self, question: str, candidates: list[Candidate]) -> Iterator[tuple[Candidate, Chunk]]:
        *_, (_, candidates) = self.steps(question, candidates)
        if self.settings.expand != "none":
            return expanded(self.index, candidates, WINDOWS[self.settings.expand])
        return ((candidate, self.index.chunk(candidate.position)) for candidate in candidates)

    def steps(self, question: str, candidates: list[Candidate]) -> Iterator[tuple[str, list[Candidate]]]:
        """The candidates after each step between search and expansion, under the setting that asks for it."""
        settings = self.settings
        yield "search", candidates
        if self.reranker is not None:
            texts = [self.index.chunk(candidate.position).indexed_text for candidate in candidates]
            candidates = reranked(candidates, self.reranker.scores(question, texts))
            yield "rerank", candidates
        if settings.max_per_document is not None:
            candidates = capped(candidates, self.index.document_numbers, settings.max_per_document)
            yield "max_per_document", candidates
        if settings.diversity is not None:
            vectors = self.index.vectors.reconstruct([candidate.position for candidate in candidates])
            candidates = diverse(candidates, vectors, settings.diversity)
            yield "diversity", candidates


def reranked(candidates: list[Candidate], scores: list[float]) -> list[Candidate]:
    """The candidates in the order of a reranker's scores; equal ones keep their order."""
    scored = [
        replace(candidate, score=score, signals={**candidate.signals, "rerank": score})
        for candidate, score in zip(candidates, scores, strict=True)
    ]
    return sorted(scored, key=lambda candidate: -candidate.score)


def selected(index: Index, query: Query, settings: RetrievalSettings) -> Selection | None:
    """What both the flow's filter and the query's leave; None when that is everything."""
    own = index.select(query)
    if not settings.where:
        return own
    flows = index.select(replace(query, where=settings.where))
    if own is None or flows is None:
        return own if flows is None else flows
    return own & flows


def retriever_for(
    settings: RetrievalSettings, index: Index, embedder: Embedder, *, base: Path | None = None
) -> StagedRetriever:
    """The retriever of these settings; `base` is the folder a reranking model's relative path starts from.

    Raises ConfigurationError or IntegrityError when the reranking model cannot be used.
    """
    reranker = CrossEncoderReranker(settings.rerank, base) if settings.rerank else None
    return StagedRetriever(index, SEARCHES[settings.search](index, embedder, settings), settings, reranker)
