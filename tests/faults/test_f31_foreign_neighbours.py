"""Crossing tenants: what a query may not find is never found, however near it lies, and takes nobody's place."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from genaiops.indexing import index_inputs
from genaiops.indexing.kinds import VECTOR_KINDS
from genaiops.indexing.snapshot import Index, load_index, write_index
from genaiops.records import Chunk, Document, Query
from tests.faults.build_children import LONG

TENANTS, EACH, DIMENSION = 50, 200, 32  # 10,000 chunks: the least that ivfpq is trained on
QUERIES = 34_000 if LONG else 100  # per kind; each is asked of both searches


def tenant_of(position: int) -> int:
    return position % TENANTS


@pytest.fixture(scope="module", params=sorted(VECTOR_KINDS))
def index(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Index:
    """50 tenants of 200 chunks; every chunk holds its tenant's canary and the words that all tenants ask for."""
    documents, chunks = [], []
    for position in range(TENANTS * EACH):
        tenant = tenant_of(position)
        text = f"kettle {'water ' * (position // TENANTS % 7)} canary{tenant} page{position}"
        metadata = {"access": [f"tenant{tenant}"], "tenant": tenant}
        documents.append(Document(f"t{tenant}/{position}.md", text, metadata))
        chunks.append(Chunk(documents[-1].id, 0, len(text), text, "s", text, metadata))
    rows = np.random.default_rng(31).normal(size=(len(chunks), DIMENSION)).astype(np.float32)
    vectors = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    folder = tmp_path_factory.mktemp("f31")
    inputs = index_inputs(documents, {"index": {"kind": request.param}}, "words-1")
    manifest = write_index(folder, inputs, documents, chunks, vectors, {})
    return load_index(folder / manifest.id, embedder="words-1")


def test_f31_no_tenant_finds_anothers_chunk_and_each_finds_its_own(index: Index) -> None:
    chance = random.Random(31)
    rows = np.random.default_rng(13).normal(size=(QUERIES, DIMENSION)).astype(np.float32)
    for number, vector in enumerate(rows):
        asking = chance.randrange(TENANTS)
        query = Query("kettle water canary7 canary8", access=(f"tenant{asking}",))
        if number % 2:
            query = Query(query.text, where={"tenant": asking})
        within = index.select(query)
        k = chance.choice([1, 10, EACH, 3 * EACH])
        for found in (index.vectors.search(vector, k, within), index.full_text.search(query.text, k, within)):
            assert len(found) == min(k, EACH)  # the top k is full
            assert {tenant_of(position) for position, _ in found} == {asking}
            assert all(f"canary{asking} " in index.chunk(position).text for position, _ in found)


def test_f31_a_forbidden_vector_that_is_always_nearest_is_never_found(tmp_path: Path) -> None:
    """2,000 copies of every query stand in the way of the ten that may be found."""
    chance = np.random.default_rng(3)
    query = chance.normal(size=DIMENSION).astype(np.float32)
    query /= np.linalg.norm(query)
    foreign = query + 1e-3 * chance.normal(size=(2_000, DIMENSION)).astype(np.float32)
    own = chance.normal(size=(10, DIMENSION)).astype(np.float32) - query  # on the far side
    vectors = np.concatenate([foreign, own])
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    labels = [["them"]] * 2_000 + [["us"]] * 10
    chunks = [Chunk(f"{n}.md", 0, 1, "x", "s", "x", {"access": label}) for n, label in enumerate(labels)]
    documents = [Document(chunk.document_id, "x", chunk.metadata) for chunk in chunks]
    for kind in ("flat", "hnsw"):
        inputs = index_inputs(documents, {"index": {"kind": kind}}, "words-1")
        manifest = write_index(tmp_path, inputs, documents, chunks, vectors.astype(np.float32), {})
        opened = load_index(tmp_path / manifest.id, embedder="words-1")
        within = opened.select(Query("x", access=("us",)))
        for k in (1, 5, 10, 100):
            found = opened.vectors.search(query, k, within)
            assert len(found) == min(k, 10)
            assert all(position >= 2_000 for position, _ in found)
        assert opened.vectors.search(query, 5, opened.select(Query("x", access=()))) == []
        assert (
            opened.full_text.search("x", 100, within)
            == [(p, s) for p, s in opened.full_text.search("x", 2_010)][2_000:]
        )
