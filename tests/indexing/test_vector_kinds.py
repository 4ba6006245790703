"""Every kind of FAISS file keeps the contract of a store; what is written is the same each time, and measured."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from genaiops.embedding import Vectors
from genaiops.errors import ConfigurationError
from genaiops.indexing import kinds
from genaiops.indexing.kinds import AUTO_HNSW_FROM, AUTO_IVFPQ_FROM, IVFPQ_LEAST, build_vectors, resolve_kind
from genaiops.indexing.vectors import VectorSearch, VectorStore, faiss
from tests.contracts.index_store_contract import IndexStoreContract, unit_rows


class _InAFile(IndexStoreContract):
    kind = ""

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    def store(self, vectors: Vectors) -> VectorStore:
        build_vectors(vectors, self.kind, self.folder / "vectors.faiss")
        return VectorSearch(self.folder / "vectors.faiss")

    def test_building_twice_gives_the_same_bytes(self) -> None:
        vectors = self.filled(unit_rows(800, 16))
        for name in ("a", "b"):
            build_vectors(vectors.copy(), self.kind, self.folder / name)
        assert (self.folder / "a").read_bytes() == (self.folder / "b").read_bytes()

    def test_a_memory_map_gives_the_same_bytes_as_an_array(self) -> None:
        vectors = self.filled(unit_rows(800, 16))
        mapped = np.memmap(self.folder / "rows", dtype=np.float32, mode="w+", shape=vectors.shape)
        mapped[:] = vectors
        build_vectors(vectors, self.kind, self.folder / "a")
        build_vectors(mapped, self.kind, self.folder / "b")
        assert (self.folder / "a").read_bytes() == (self.folder / "b").read_bytes()

    def test_what_is_open_stays_readable_when_its_folder_is_removed(self) -> None:
        vectors = self.filled(unit_rows(50, 16))
        store = self.store(vectors)
        (self.folder / "vectors.faiss").unlink()
        assert store.search(vectors[3], 1)[0][0] == 3


class TestFlat(_InAFile):
    kind = "flat"

    def test_the_file_is_what_faiss_writes(self) -> None:
        vectors = unit_rows(300, 24)
        build_vectors(vectors, "flat", self.folder / "ours")
        index = faiss.IndexFlatIP(24)
        index.add(vectors)
        faiss.write_index(index, str(self.folder / "theirs"))
        assert (self.folder / "ours").read_bytes() == (self.folder / "theirs").read_bytes()


class TestHnsw(_InAFile):
    kind, recall = "hnsw", 0.95


class TestIvfPq(_InAFile):
    kind, recall, error, least = "ivfpq", 0.9, 0.001, IVFPQ_LEAST

    def test_equal_vectors_are_found_by_position(self) -> None:  # type: ignore[override]
        """Codes are all that is kept, so other vectors can look equal too; among equal scores position decides."""
        vectors = self.filled(np.repeat(unit_rows(2, 8), 120, axis=0))
        found = self.store(vectors).search(vectors[0], 99)
        assert found == sorted(found, key=lambda pair: (-pair[1], pair[0]))

    def test_too_few_vectors_are_refused(self) -> None:
        with pytest.raises(
            ConfigurationError, match="ivfpq needs at least 10,000 chunks to be trained on, there are 50"
        ):
            build_vectors(unit_rows(50, 8), "ivfpq", self.folder / "v")

    def test_it_takes_little_more_than_half_the_room(self) -> None:
        vectors = unit_rows(IVFPQ_LEAST, 128)
        for kind in ("flat", "ivfpq"):
            build_vectors(vectors, kind, self.folder / kind)
        assert (self.folder / "ivfpq").stat().st_size < 0.65 * (self.folder / "flat").stat().st_size


@pytest.mark.parametrize(
    ("kind", "chunks", "resolved"),
    [
        ("auto", 0, "flat"),
        ("auto", AUTO_HNSW_FROM - 1, "flat"),
        ("auto", AUTO_HNSW_FROM, "hnsw"),
        ("auto", AUTO_IVFPQ_FROM - 1, "hnsw"),
        ("auto", AUTO_IVFPQ_FROM, "ivfpq"),
        ("flat", 10**6, "flat"),
        ("hnsw", 1, "hnsw"),
    ],
)
def test_auto_goes_by_size(kind: str, chunks: int, resolved: str) -> None:
    assert resolve_kind(kind, chunks) == resolved
    assert (AUTO_HNSW_FROM, AUTO_IVFPQ_FROM) == (50_000, 400_000)  # as docs/indexing.md says


def test_the_recall_that_is_told_is_the_plain_count(tmp_path: Path) -> None:
    """200 vectors asked without themselves, by the definition."""
    vectors = unit_rows(3000, 48)
    facts = build_vectors(vectors, "hnsw", tmp_path / "v")
    search = VectorSearch(tmp_path / "v")
    asked = np.sort(np.random.default_rng(1234).permutation(3000)[:200])
    hits = 0
    for position in asked:
        cosines = vectors @ vectors[position]
        cosines[position] = -2
        truth = set(np.argsort(-cosines)[:10].tolist())
        hits += len(truth & {p for p, _ in search.search(vectors[position], 11) if p != position})
    assert facts == {"kind": "hnsw", "recall@10": pytest.approx(hits / 2000, abs=0.001)}


def test_auto_takes_a_better_kind_when_one_finds_too_little(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unclustered vectors in many dimensions are the hardest for lists and codes: nothing is near anything."""
    monkeypatch.setattr(kinds, "AUTO_HNSW_FROM", 100)
    monkeypatch.setattr(kinds, "AUTO_IVFPQ_FROM", IVFPQ_LEAST)
    vectors = unit_rows(IVFPQ_LEAST, 97)  # a prime: one code for all 97 dimensions
    facts = build_vectors(vectors, "auto", tmp_path / "v")
    assert facts["kind"] in ("hnsw", "flat")
    assert facts["tried"]["ivfpq"] < kinds.RECALL_FLOOR
    assert facts.get("recall@10", 1.0) >= kinds.RECALL_FLOOR
    asked_for = build_vectors(vectors, "ivfpq", tmp_path / "v")  # whoever names a kind gets it, with its recall told
    assert asked_for == {"kind": "ivfpq", "recall@10": facts["tried"]["ivfpq"]}


@pytest.mark.parametrize("data", [b"", b"IxFI", b"long enough to be read as an index " * 9, b"\xff" * 500])
def test_bytes_that_are_no_index_are_an_error(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "v").write_bytes(data)
    with pytest.raises((RuntimeError, ValueError)):
        VectorSearch(tmp_path / "v")


def test_a_header_that_promises_terabytes_allocates_nothing(tmp_path: Path) -> None:
    build_vectors(unit_rows(4, 8), "flat", tmp_path / "v")
    data = bytearray((tmp_path / "v").read_bytes())
    data[8:16] = (1 << 40).to_bytes(8, "little")  # the number of vectors
    (tmp_path / "v").write_bytes(data)
    with pytest.raises(RuntimeError):
        VectorSearch(tmp_path / "v")
