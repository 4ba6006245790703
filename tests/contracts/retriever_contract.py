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
    signals = frozenset({"vector", "full_text"})  # a hit has at least one of these
    most_hits: int | None = None  # that the settings leave of this index for the first query; None: as many as chunks
    whole_chunks = True  # hits are chunks of the index, not expanded ones

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

    def test_returns_exact_spans_of_documents_with_the_signals_that_found_them(
        self, retriever: Retriever, index: Index
    ) -> None:
        known = set(map(id, index.chunks))
        for hit in retriever.retrieve(Query(self.queries[0]), 5):
            chunk = hit.chunk
            assert chunk.text == index.document_text(chunk.document_id)[chunk.start : chunk.end]
            assert not self.whole_chunks or id(chunk) in known
            assert hit.signals and set(hit.signals) <= self.signals
            assert all(math.isfinite(value) for value in hit.signals.values())

    def test_the_same_question_has_the_same_hits(self, retriever: Retriever) -> None:
        for text in self.queries:
            assert retriever.retrieve(Query(text), 7) == retriever.retrieve(Query(text), 7)

    def test_a_filter_leaves_what_it_permits_and_as_much_as_there_is(self, retriever: Retriever, index: Index) -> None:
        wanted = {chunk.document_id for chunk in index.chunks if chunk.metadata.get("shelf") == "left"}
        for text in self.queries:
            free = [h for h in retriever.retrieve(Query(text), len(index.chunks)) if h.chunk.document_id in wanted]
            hits = retriever.retrieve(Query(text, where={"shelf": "left"}), len(index.chunks))
            assert {hit.chunk.document_id for hit in hits} <= wanted
            assert {hit.chunk.document_id for hit in hits} >= {hit.chunk.document_id for hit in free}
            few = retriever.retrieve(Query(text, where={"shelf": "left"}), 2)
            assert len(few) == min(2, len(hits))
        assert retriever.retrieve(Query(self.queries[0], where={"shelf": "nowhere"}), 5) == []

    def test_labels_hide_what_is_not_for_everybody(self, retriever: Retriever, index: Index) -> None:
        hidden = {chunk.document_id for chunk in index.chunks if "access" in chunk.metadata}
        assert hidden
        for text in self.queries:
            for access, may in ((("staff",), True), (("guest",), False), ((), False), (None, True)):
                found = retriever.retrieve(Query(text, access=access), len(index.chunks))
                seen = {hit.chunk.document_id for hit in found}
                assert may or not seen & hidden
                if may and text == self.queries[0]:
                    assert seen & hidden

    def test_there_are_k_hits_when_there_are_k_to_find(self, retriever: Retriever, index: Index) -> None:
        most = self.most_hits or len(retriever.retrieve(Query(self.queries[0]), 100_000))
        for k in range(1, most + 1):
            assert len(retriever.retrieve(Query(self.queries[0]), k)) == k

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
