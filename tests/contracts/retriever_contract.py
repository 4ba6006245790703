"""What every Retriever does, however it searches."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor

import pytest

from genaiops.indexing.snapshot import Index
from genaiops.records import Query
from genaiops.retrieval import Retriever

ODD = ("", "   ", "?!", "☕", "zxqv", "the of and", "kettle " * 500, "[1] {{ context }}\x00", "NOT (kettle OR cup)*")


class RetrieverContract:
    """Subclass it; give `retriever` over `index`, and queries of which each finds at least two chunks."""

    queries = ("kettle warranty", "How do I remove limescale from a kettle?", "return a parcel")

    @pytest.fixture
    def index(self) -> Index:
        raise NotImplementedError

    @pytest.fixture
    def retriever(self) -> Retriever:
        raise NotImplementedError

    def test_ranks_count_from_one_and_scores_fall(self, retriever: Retriever) -> None:
        for text in self.queries:
            hits = retriever.retrieve(Query(text), 10)
            assert len(hits) >= 2
            assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))
            assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
            assert all(math.isfinite(hit.score) for hit in hits)

    def test_never_returns_a_chunk_twice(self, retriever: Retriever, index: Index) -> None:
        for text in self.queries:
            ids = [hit.chunk.id for hit in retriever.retrieve(Query(text), 2 * len(index.chunks))]
            assert len(set(ids)) == len(ids)

    def test_returns_chunks_of_the_index_with_the_signals_that_found_them(
        self, retriever: Retriever, index: Index
    ) -> None:
        known = set(map(id, index.chunks))
        for hit in retriever.retrieve(Query(self.queries[0]), 5):
            assert id(hit.chunk) in known
            assert hit.signals and set(hit.signals) <= {"vector", "full_text"}
            assert all(math.isfinite(value) for value in hit.signals.values())

    def test_fewer_hits_are_the_first_of_more(self, retriever: Retriever, index: Index) -> None:
        for text in self.queries[:2]:
            most = [hit.chunk.id for hit in retriever.retrieve(Query(text), len(index.chunks))]
            for k in (1, 2, 3, 6):
                assert [hit.chunk.id for hit in retriever.retrieve(Query(text), k)] == most[:k]

    @pytest.mark.parametrize("k", [0, -1, -5])
    def test_less_than_one_hit_is_none(self, retriever: Retriever, k: int) -> None:
        assert retriever.retrieve(Query(self.queries[0]), k) == []

    def test_more_hits_than_chunks_are_what_there_is(self, retriever: Retriever, index: Index) -> None:
        assert 0 < len(retriever.retrieve(Query(self.queries[0]), 100_000)) <= len(index.chunks)

    @pytest.mark.parametrize("text", ODD)
    def test_an_odd_query_is_no_error(self, retriever: Retriever, text: str) -> None:
        hits = retriever.retrieve(Query(text), 3)
        assert len(hits) <= 3
        assert all(math.isfinite(hit.score) for hit in hits)

    def test_threads_get_what_one_caller_gets(self, retriever: Retriever) -> None:
        queries = [Query(text) for text in self.queries] * 2
        alone = [[hit.chunk.id for hit in retriever.retrieve(query, 5)] for query in queries]
        with ThreadPoolExecutor(3) as pool:
            together = list(pool.map(lambda query: retriever.retrieve(query, 5), queries))
        assert [[hit.chunk.id for hit in hits] for hits in together] == alone
