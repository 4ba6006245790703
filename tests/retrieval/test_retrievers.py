"""Three ways to search one index of real vectors, with texts that occur more than once."""

from __future__ import annotations

from pathlib import Path

import pytest

from genaiops.configuration import validated_data
from genaiops.embedding import Embedder
from genaiops.errors import ConfigurationError
from genaiops.indexing.snapshot import Index
from genaiops.records import Query
from genaiops.retrieval import RerankSettings, RetrievalSettings, Retriever
from genaiops.retrieval.fusion import FUSIONS
from genaiops.retrieval.retrievers import retriever_for
from genaiops.retrieval.searching import SEARCHES
from tests.contracts.retriever_contract import RetrieverContract
from tests.retrieval.conftest import PAGES


class _OfTheKettles(RetrieverContract):
    settings = RetrievalSettings()

    @pytest.fixture
    def index(self, kettle_index: Index) -> Index:
        return kettle_index

    @pytest.fixture
    def retriever(self, kettle_index: Index, embedder: Embedder) -> Retriever:
        return retriever_for(self.settings, kettle_index, embedder)


class TestVectorSearch(_OfTheKettles):
    settings = RetrievalSettings(search="vector")


class TestFullTextSearch(_OfTheKettles):
    settings = RetrievalSettings(search="full_text")


class TestHybridSearch(_OfTheKettles):
    settings = RetrievalSettings(search="hybrid")


class TestHybridSearchOfVectorsOnly(_OfTheKettles):
    settings = RetrievalSettings(vector_weight=1.0)


class TestHybridSearchOfWordsOnly(_OfTheKettles):
    settings = RetrievalSettings(vector_weight=0.0)


class TestReciprocalRank(_OfTheKettles):
    settings = RetrievalSettings(fusion="reciprocal_rank")


class TestMinMax(_OfTheKettles):
    settings = RetrievalSettings(fusion="min_max", vector_weight=0.5)


class TestParents(_OfTheKettles):
    settings = RetrievalSettings(expand="parent")
    whole_chunks = False
    most_hits = len(PAGES)


class TestNeighbours(_OfTheKettles):
    settings = RetrievalSettings(expand="neighbours")
    whole_chunks = False


class TestParentsOfWords(_OfTheKettles):
    queries = ("kettle warranty", "How do I remove limescale from a kettle?", "litre")
    settings = RetrievalSettings(search="full_text", expand="parent")
    whole_chunks = False


class TestDiverse(_OfTheKettles):
    settings = RetrievalSettings(diversity=0.6)
    signals = frozenset({"vector", "full_text", "relevance"})


class TestOneOfEachDocument(_OfTheKettles):
    settings = RetrievalSettings(max_per_document=1)
    most_hits = len(PAGES)


class TestDiverseNeighboursCapped(_OfTheKettles):
    settings = RetrievalSettings(search="vector", diversity=0.3, max_per_document=2, expand="neighbours")
    signals = frozenset({"vector", "relevance"})
    whole_chunks = False


class TestReranked(_OfTheKettles):
    signals = frozenset({"vector", "full_text", "rerank"})

    @pytest.fixture
    def retriever(self, kettle_index: Index, embedder: Embedder, cross_encoder: Path) -> Retriever:
        settings = RetrievalSettings(rerank=RerankSettings(model=str(cross_encoder), depth=20))
        return retriever_for(settings, kettle_index, embedder)


def ids(retriever: Retriever, text: str, k: int) -> list[str]:
    return [hit.chunk.id for hit in retriever.retrieve(Query(text), k)]


@pytest.fixture
def found_by(kettle_index: Index, embedder: Embedder) -> dict[str, Retriever]:
    return {name: retriever_for(RetrievalSettings(search=name), kettle_index, embedder) for name in SEARCHES}  # type: ignore[arg-type]


def test_every_search_that_may_be_configured_has_a_retriever(found_by: dict[str, Retriever]) -> None:
    assert set(found_by) == {"vector", "full_text", "hybrid"}


@pytest.mark.parametrize("search", ["vector", "full_text", "hybrid"])
def test_the_document_that_answers_comes_first(found_by: dict[str, Retriever], search: str) -> None:
    for question, document in (
        ("How do I get rid of limescale with vinegar?", "cleaning.md"),
        ("Who pays for the return parcel from abroad?", "returns.md"),
        ("At which volts does the travel kettle work?", "models/travel.md"),
    ):
        assert found_by[search].retrieve(Query(question), 1)[0].chunk.document_id == document


def test_vector_search_finds_what_shares_no_word(found_by: dict[str, Retriever]) -> None:
    question = "guarantee period"
    assert found_by["full_text"].retrieve(Query(question), 6) == []
    assert any("warranty" in hit.chunk.text for hit in found_by["vector"].retrieve(Query(question), 6))


def test_min_max_scores_are_the_weighted_mean_of_both_scaled_legs(
    found_by: dict[str, Retriever], kettle_index: Index, embedder: Embedder
) -> None:
    query = Query("How long does the warranty of a kettle last?")
    size = len(kettle_index.chunks)
    legs = {leg: {h.chunk.id: h.score for h in found_by[leg].retrieve(query, size)} for leg in ("vector", "full_text")}

    def scaled(name: str, chunk: str) -> float:
        low, high = min(legs[name].values()), max(legs[name].values())
        return (legs[name][chunk] - low) / (high - low) if chunk in legs[name] else 0.0

    for weight in (0.2, 0.7):
        hybrid = retriever_for(RetrievalSettings(fusion="min_max", vector_weight=weight), kettle_index, embedder)
        hits = hybrid.retrieve(query, size)
        assert {hit.chunk.id for hit in hits} == set(legs["vector"]) | set(legs["full_text"])
        for hit in hits:
            chunk = hit.chunk.id
            expected = weight * scaled("vector", chunk) + (1 - weight) * scaled("full_text", chunk)
            assert hit.score == pytest.approx(expected, abs=1e-5)
            assert ("full_text" in hit.signals) == (chunk in legs["full_text"])
            assert hit.signals["vector"] == pytest.approx(legs["vector"][chunk], abs=1e-5)


@pytest.mark.parametrize("fusion", ["min_max", "reciprocal_rank"])
def test_the_ends_of_the_weight_rank_as_one_leg_alone(
    found_by: dict[str, Retriever], kettle_index: Index, embedder: Embedder, fusion: str
) -> None:
    query = "remove limescale from the kettle"
    for weight, leg in ((1.0, "vector"), (0.0, "full_text")):
        settings = RetrievalSettings.model_validate({"fusion": fusion, "vector_weight": weight})
        assert ids(retriever_for(settings, kettle_index, embedder), query, 4) == ids(found_by[leg], query, 4)


@pytest.mark.parametrize("fusion", sorted(FUSIONS))
def test_hybrid_finds_whatever_either_of_its_searches_finds(
    found_by: dict[str, Retriever], kettle_index: Index, embedder: Embedder, fusion: str
) -> None:
    hybrid = retriever_for(RetrievalSettings.model_validate({"fusion": fusion}), kettle_index, embedder)
    size = len(kettle_index.chunks)
    for text in (*RetrieverContract.queries, "dishwasher", "guarantee"):
        legs = [set(ids(found_by[leg], text, size)) for leg in ("vector", "full_text")]
        assert set(ids(hybrid, text, size)) == legs[0] | legs[1]


def test_equal_texts_come_in_the_order_of_the_index(found_by: dict[str, Retriever], kettle_index: Index) -> None:
    order = {chunk.id: position for position, chunk in enumerate(kettle_index.chunks)}
    for name in ("full_text", "vector"):
        hits = found_by[name].retrieve(Query("A broken seal ends the warranty"), 6)
        equal = [order[hit.chunk.id] for hit in hits if hit.score == hits[0].score]
        assert len(equal) > 1
        assert equal == sorted(equal)


@pytest.mark.parametrize(
    "data",
    [
        {"top_k": 0},
        {"top_k": 1001},
        {"vector_weight": -0.1},
        {"vector_weight": 1.1},
        {"search": "magic"},
        {"topk": 3},
        {"diversity": 1.5},
        {"diversity": -1.0},
        {"max_per_document": 0},
        {"expand": "all"},
        {"fusion": "sum"},
        {"rewrite": "always"},
        {"on_failure": "hide"},
        {"where": {"year": {"above": 3}}},
        {"where": {"a": {}}},
    ],
)
def test_settings_out_of_bounds_are_refused_with_the_value(data: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        validated_data(RetrievalSettings, data, where=lambda key: f"flow.yaml:{'.'.join(map(str, key))}")
    (name,) = data  # the key whose value is wrong
    assert name in caught.value.where + caught.value.what


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({"search": "vector", "vector_weight": 0.5}, "vector_weight is for search: hybrid"),
        ({"search": "full_text", "fusion": "min_max"}, "fusion is for search: hybrid"),
        ({"search": "full_text", "rewrite": "hyde"}, "rewrite: hyde writes a passage to embed"),
        ({"rerank": {"model": ""}}, "rerank.model"),
        ({"rerank": {"model": "m", "depth": 0}}, "rerank.depth"),
    ],
)
def test_settings_that_do_not_fit_each_other_are_refused(data: dict[str, object], told: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        validated_data(RetrievalSettings, data, where=lambda key: f"flow.yaml:{'.'.join(map(str, key))}")
    assert told in str(caught.value)
