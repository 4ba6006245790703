"""What becomes of candidates: variety, a cap per document, more text, a reranker's order, and the pages' examples."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from genaiops.embedding import Embedder
from genaiops.errors import ConfigurationError
from genaiops.indexing.snapshot import Index
from genaiops.records import Query
from genaiops.retrieval import RerankSettings, RetrievalSettings
from genaiops.retrieval.choosing import capped, diverse
from genaiops.retrieval.fusion import Leg, reciprocal_rank, weighted
from genaiops.retrieval.reranking import CrossEncoderReranker
from genaiops.retrieval.retrievers import retriever_for
from genaiops.retrieval.searching import Candidate, FullTextLeg
from tests.retrieval.conftest import make_cross_encoder

PAGE = Path(__file__).parents[2] / "docs" / "retrieval.md"


def test_mmr_picks_what_its_formula_says() -> None:
    vectors = np.array([[1, 0], [1, 0], [0, 1], [0.6, 0.8]], dtype=np.float32)
    candidates = [Candidate(number, score) for number, score in enumerate((4.0, 3.0, 2.0, 0.0))]
    relevance = [1.0, 0.75, 0.5, 0.0]
    for share in (0.0, 0.3, 0.7, 1.0):
        left, chosen, expected = [0, 1, 2, 3], list[int](), list[Any]()
        while left:
            values = {
                n: share * relevance[n] - (1 - share) * max((float(vectors[n] @ vectors[o]) for o in chosen), default=0)
                for n in left
            }
            best = max(left, key=lambda n: (values[n], -n))
            expected.append((best, pytest.approx(values[best])))
            chosen.append(best)
            left.remove(best)
        assert [(c.position, c.score) for c in diverse(candidates, vectors, share)] == expected
    assert [c.position for c in diverse(candidates, vectors, 1.0)] == [0, 1, 2, 3]
    assert [c.position for c in diverse(candidates, vectors, 0.3)] == [0, 2, 1, 3]


def test_a_cap_keeps_the_first_of_each_document_in_order() -> None:
    documents = np.array([0, 0, 0, 1, 1, 2], dtype=np.int32)
    candidates = [Candidate(position, 1.0) for position in (2, 0, 3, 1, 4, 5)]
    assert [c.position for c in capped(candidates, documents, 1)] == [2, 3, 5]
    assert [c.position for c in capped(candidates, documents, 2)] == [2, 0, 3, 4, 5]


def test_a_search_that_stands_out_moves_the_ranking_more_than_one_that_finds_all_alike() -> None:
    documents = np.arange(8, dtype=np.int32)  # every chunk is its own document
    flat = Leg([(0, 0.31), (1, 0.30), (2, 0.29)], 0.28, 0.05, 0.29)
    peaked = Leg([(2, 9.0), (1, 2.0), (0, 1.5)], 1.5, 1.0, 0.0)
    assert max(weighted(flat, peaked, None, documents).items(), key=lambda pair: pair[1])[0] == 2
    near = Leg([(0, 0.90), (1, 0.35), (2, 0.30)], 0.10, 0.10, 0.30)
    dull = Leg([(2, 1.7), (1, 1.6), (0, 1.5)], 1.5, 1.0, 0.0)
    assert max(weighted(near, dull, None, documents).items(), key=lambda pair: pair[1])[0] == 0


def test_a_chunk_in_good_company_comes_before_an_equal_one_that_stands_alone() -> None:
    documents = np.array([0, 0, 0, 1, 1, 1], dtype=np.int32)
    leg = Leg([(1, 0.8), (4, 0.8), (2, 0.7)], 0.2, 0.1, 0.3)
    scores = weighted(leg, Leg([], 0.0, 0.0, 0.0), None, documents)
    assert scores[1] > scores[4]


def test_reciprocal_rank_is_its_formula() -> None:
    left, right = Leg([(3, 9.0), (1, 8.0)], 0, 1, 0), Leg([(1, 0.5)], 0, 1, 0)
    scores = reciprocal_rank(left, right, None, np.zeros(4, dtype=np.int32))
    assert scores == {3: pytest.approx(1 / 61), 1: pytest.approx(1 / 62 + 1 / 61)}


def test_full_text_adds_what_the_whole_document_holds(kettle_index: Index) -> None:
    from genaiops.retrieval.searching import Asked

    found = {c.position: c.score for c in FullTextLeg(kettle_index).candidates(Asked(("",), "refunds abroad"), 50)}
    alone = dict(kettle_index.full_text.search("refunds abroad", 50))
    assert found.keys() == alone.keys()
    assert all(found[position] > alone[position] for position in found)


@pytest.mark.parametrize("expand", ["parent", "neighbours"])
def test_expanded_texts_hold_what_was_found_and_hardly_overlap(
    kettle_index: Index,
    embedder: Embedder,
    expand: str,
) -> None:
    settings = RetrievalSettings.model_validate({"expand": expand, "search": "vector"})
    hits = retriever_for(settings, kettle_index, embedder).retrieve(Query("kettle warranty limescale"), 100)
    by_id = {chunk.id: chunk for chunk in kettle_index.chunks}
    shown: dict[str, set[int]] = {}
    for hit in hits:
        chunk = hit.chunk
        found = by_id[chunk.metadata["found"]["chunk"]] if "found" in chunk.metadata else chunk
        assert chunk.start <= found.start < found.end <= chunk.end
        places = set(range(chunk.start, chunk.end))
        assert not places & shown.get(chunk.document_id, set())  # chunks of this index do not overlap
        shown.setdefault(chunk.document_id, set()).update(places)
    texts = {chunk.document_id: kettle_index.document_text(chunk.document_id) for chunk in kettle_index.chunks}
    for chunk in kettle_index.chunks:
        assert set(range(chunk.start, chunk.end)) <= shown[chunk.document_id]
    assert len(hits) == len(texts) if expand == "parent" else len(hits) < len(kettle_index.chunks)


def test_a_reranker_orders_by_its_own_scores(cross_encoder: Path, kettle_index: Index, embedder: Embedder) -> None:
    settings = RetrievalSettings(rerank=RerankSettings(model=str(cross_encoder), depth=8))
    query = "How do I remove limescale?"
    hits = retriever_for(settings, kettle_index, embedder).retrieve(Query(query), 8)
    plain = retriever_for(RetrievalSettings(), kettle_index, embedder).retrieve(Query(query), 8)
    assert {hit.chunk.id for hit in hits} == {hit.chunk.id for hit in plain}
    reranker = CrossEncoderReranker(RerankSettings(model=str(cross_encoder)))
    alone = {hit.chunk.id: reranker.scores(query, [hit.chunk.indexed_text])[0] for hit in hits}
    for hit in hits:
        assert hit.score == hit.signals["rerank"] == pytest.approx(alone[hit.chunk.id], abs=1e-5)
    assert len({round(score, 6) for score in alone.values()}) > 1


def test_a_reranker_that_cannot_be_used_is_refused(tmp_path: Path, cross_encoder: Path) -> None:
    with pytest.raises(ConfigurationError, match="the reranking model 'nowhere/at-all' cannot be used"):
        CrossEncoderReranker(RerankSettings(model="nowhere/at-all"))
    two = tmp_path / "two"
    two.mkdir()
    make_cross_encoder(two, labels=2)
    with pytest.raises(ConfigurationError, match="a reranker gives one score, this model gives 2"):
        CrossEncoderReranker(RerankSettings(model=str(two))).scores("q", ["text"])
    code = tmp_path / "code"
    code.mkdir()
    for file in cross_encoder.iterdir():
        (code / file.name).write_bytes(file.read_bytes())
    (code / "config.json").write_text('{"auto_map": {"AutoModel": "evil.Model"}}', encoding="utf-8")
    with pytest.raises(ConfigurationError, match="code of its own"):
        CrossEncoderReranker(RerankSettings(model=str(code)))


def examples() -> list[dict[str, object]]:
    blocks = re.findall(r"^```yaml\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    found = [yaml.safe_load(block) for block in blocks]
    return [data["retrieval"] for data in found if "retrieval" in data]


@pytest.mark.parametrize("data", examples(), ids=str)
def test_every_example_of_the_page_retrieves(
    data: dict[str, object],
    kettle_index: Index,
    embedder: Embedder,
    cross_encoder: Path,
) -> None:
    if "rerank" in data:
        data = {**data, "rerank": {"model": str(cross_encoder), "depth": 30}}
    settings = RetrievalSettings.model_validate(data)
    retriever = retriever_for(settings, kettle_index, embedder)
    asked = []

    def complete(messages: object) -> str:
        asked.append(messages)
        return "remove limescale with vinegar"

    found = retriever.find(Query("How do I get rid of limescale?"), settings.top_k, complete)
    assert 2 <= len(found.hits) <= settings.top_k
    assert bool(asked) == (settings.rewrite != "none") == (found.searched.by != "none")
