"""`store: pgvector` against a real PostgreSQL: the same contract, whole or not at all, and gone when it is dropped."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import pytest
from pydantic import ValidationError

from genaiops.embedding import Vectors
from genaiops.errors import ConfigurationError, StoreUnavailable
from genaiops.files import sha256_of_file
from genaiops.indexing import IndexSettings, Manifest, index_inputs, read_manifest
from genaiops.indexing import pgvector as module
from genaiops.indexing.kinds import build_vectors
from genaiops.indexing.pgvector import PgVectorSearch, drop_store, load_store, stored_indexes
from genaiops.indexing.postgres import masked
from genaiops.indexing.snapshot import Index, load_index, write_index
from genaiops.indexing.stored import StoredChunks
from genaiops.indexing.vectors import VectorStore
from genaiops.records import Chunk, Document, Query, canonical_json
from tests.contracts.index_store_contract import IndexStoreContract, unit_rows
from tests.faults.build_children import LONG
from tests.postgres import started


def written_vectors(folder: Path, vectors: Vectors) -> str:
    """The two files of a snapshot that a database is filled from; the digest of the vectors."""
    build_vectors(vectors, "flat", folder / "vectors.faiss")
    lines = (canonical_json(Chunk(f"{n}.md", 0, 1, "x", "s", "x")) + "\n" for n in range(len(vectors)))
    (folder / "chunks.jsonl").write_text("".join(lines), encoding="utf-8")
    return sha256_of_file(folder / "vectors.faiss")


class _InADatabase(IndexStoreContract):
    kind = ""

    @pytest.fixture(autouse=True)
    def _places(self, tmp_path: Path, postgres: str) -> None:
        self.folder, self.url = tmp_path, postgres

    def store(self, vectors: Vectors) -> VectorStore:
        digest = written_vectors(self.folder, vectors)
        identity = sha256(self.kind.encode()).hexdigest()
        load_store(self.url, identity, self.folder, digest, self.kind)
        return PgVectorSearch(self.url, identity, digest)


class TestExact(_InADatabase):
    kind = "flat"


class TestGraph(_InADatabase):
    kind, recall = "hnsw", 0.95


def snapshot(folder: Path, *, count: int = 40, kind: str = "flat") -> Manifest:
    texts = [f"kettle number {n}" for n in range(count)]
    documents = [Document(f"{n}.md", text, {"n": n}) for n, text in enumerate(texts)]
    chunks = [Chunk(d.id, 0, len(d.text), d.text, "s", d.text, d.metadata) for d in documents]
    inputs = index_inputs(documents, {"index": {"store": "pgvector", "kind": kind}}, "words-1")
    return write_index(folder, inputs, documents, chunks, unit_rows(count, 16), {})


def opened(folder: Path, manifest: Manifest) -> Index:
    return load_index(folder / manifest.id, embedder="words-1")


@pytest.fixture
def database(postgres: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("GENAIOPS_PGVECTOR_URL", postgres)
    return postgres


def test_a_snapshot_is_searched_in_the_database_and_filtered_there(tmp_path: Path, database: str) -> None:
    manifest = snapshot(tmp_path)
    index = opened(tmp_path, manifest)
    assert isinstance(index.vectors, PgVectorSearch)
    vectors = unit_rows(40, 16)
    assert [index.vectors.search(vectors[n], 1)[0][0] for n in range(40)] == list(range(40))
    within = index.select(Query("?", where={"n": {"gte": 35}}))
    assert {p for p, _ in index.vectors.search(vectors[0], 9, within)} == {35, 36, 37, 38, 39}
    assert {p for p, _ in index.full_text.search("kettle", 9, within)} == {35, 36, 37, 38, 39}
    assert manifest.facts["kind"] == "flat"


def test_the_recall_of_the_graph_stands_in_the_manifest(tmp_path: Path, database: str) -> None:
    facts = read_manifest(tmp_path / snapshot(tmp_path, count=300, kind="hnsw").id).facts
    assert facts["kind"] == "hnsw"
    assert 0.95 <= facts["recall@10"] <= 1


def test_a_database_that_lost_an_index_is_filled_again_from_the_snapshot(tmp_path: Path, database: str) -> None:
    manifest = snapshot(tmp_path)
    assert manifest.id in stored_indexes(database)
    assert drop_store(database, manifest.id) == 1
    assert manifest.id not in stored_indexes(database)
    assert drop_store(database, manifest.id) == 0
    assert opened(tmp_path, manifest).vectors.search(unit_rows(40, 16)[7], 1)[0][0] == 7
    assert manifest.id in stored_indexes(database)


def tables(url: str) -> set[str]:
    import psycopg

    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT tablename FROM pg_tables WHERE tablename LIKE 'genaiops_vectors%'")
        return {str(row[0]) for row in rows}


def test_what_is_half_loaded_is_never_seen(tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = tables(database)

    class Breaks(StoredChunks):
        def __getitem__(self, at: object) -> Chunk:  # type: ignore[override]
            if at == 30:
                assert tables(database) == before  # another connection sees nothing of the first 30
                raise OSError("the disk broke")
            return super().__getitem__(at)  # type: ignore[call-overload, no-any-return]

    digest = written_vectors(tmp_path, unit_rows(60, 8))
    identity = "a" * 64
    monkeypatch.setattr(module, "StoredChunks", Breaks)
    with pytest.raises(OSError, match="the disk broke"):
        load_store(database, identity, tmp_path, digest, "flat")
    assert tables(database) == before
    with pytest.raises(KeyError):
        PgVectorSearch(database, identity, digest)
    monkeypatch.undo()
    assert load_store(database, identity, tmp_path, digest, "flat").chunks == 60
    assert len(PgVectorSearch(database, identity, digest)) == 60


def test_several_loaders_at_once_make_one_table(tmp_path: Path, database: str) -> None:
    digest, identity = written_vectors(tmp_path, unit_rows(200, 8)), "b" * 64
    before = tables(database)
    with ThreadPoolExecutor(4) as pool:
        loaded = list(pool.map(lambda _: load_store(database, identity, tmp_path, digest, "flat"), range(4)))
    assert len(set(loaded)) == 1
    assert len(tables(database) - before) == 1
    assert drop_store(database, identity) == 1
    assert tables(database) == before


def test_threads_search_at_the_same_time(tmp_path: Path, database: str) -> None:
    vectors = unit_rows(300, 16)
    digest, identity = written_vectors(tmp_path, vectors), "c" * 64
    load_store(database, identity, tmp_path, digest, "flat")
    store, seen = PgVectorSearch(database, identity, digest), set()

    def ask(position: int) -> int:
        seen.add(threading.get_ident())
        return store.search(vectors[position], 1)[0][0]

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(ask, range(300))) == list(range(300))


def test_too_many_dimensions_for_a_graph_are_refused_and_auto_does_without(tmp_path: Path, database: str) -> None:
    digest = written_vectors(tmp_path, unit_rows(3, 2001))
    with pytest.raises(ConfigurationError, match="no graph over 2001 dimensions, only up to 2,000"):
        load_store(database, "d" * 64, tmp_path, digest, "hnsw")
    assert load_store(database, "d" * 64, tmp_path, digest, "auto").kind == "flat"


@pytest.mark.parametrize("name", ["", "x" * 64, "a" * 63, 'a"; DROP TABLE x; --'])
def test_an_id_that_is_no_digest_reaches_no_statement(database: str, tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="64 hex digits"):
        load_store(database, name, tmp_path, "a" * 64, "flat")
    assert drop_store(database, name) == 0


def test_no_database_is_an_outage_that_names_the_remedy_and_no_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENAIOPS_PGVECTOR_URL", "postgresql://reader:hush@127.0.0.1:9/x?password=hush")
    with pytest.raises(StoreUnavailable) as caught:
        snapshot(tmp_path)
    assert caught.value.exit_code == 3
    assert "hush" not in str(caught.value)
    assert "postgresql://reader:***@127.0.0.1:9/x" in caught.value.where
    assert "start the database" in caught.value.remedy
    assert list(tmp_path.iterdir()) == []  # nothing half made


@pytest.mark.parametrize("url", ["", "mysql://x", "sqlite:///x"])
def test_without_a_database_the_setting_is_refused(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENAIOPS_PGVECTOR_URL", url)
    with pytest.raises(ConfigurationError, match=r"index\.store: pgvector needs a database"):
        snapshot(tmp_path)


@pytest.mark.skipif(not LONG, reason="starts a second server: make faults")
def test_a_database_that_stops_and_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While it is down every question is an outage; afterwards the same open index answers again."""
    short = Path("/tmp") / f"pg-{sha256(str(tmp_path).encode()).hexdigest()[:8]}"
    short.mkdir()
    server = started(short)
    monkeypatch.setenv("GENAIOPS_PGVECTOR_URL", server.get_uri())
    index = opened(tmp_path, snapshot(tmp_path))
    vector = unit_rows(40, 16)[5]
    server.stop()
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            index.vectors.search(vector, 1)
    server.start()
    assert index.vectors.search(vector, 1)[0][0] == 5
    server.cleanup()


def test_passwords_are_masked_wherever_they_stand() -> None:
    assert masked("postgresql://u:p%40w@h:5/d?sslmode=x") == "postgresql://u:***@h:5/d?sslmode=x"
    assert masked("postgresql://h/d?user=u&password=secret&x=1") == "postgresql://h/d?user=u&password=***&x=1"
    assert masked("postgresql://u:p@/:w@h:5/d") == "postgresql://u:***@h:5/d"
    assert masked("postgresql://u@h/d") == "postgresql://u@h/d"


def test_a_kind_that_the_database_lacks_is_refused_at_the_door() -> None:
    with pytest.raises(ValidationError, match="pgvector has no ivfpq"):
        IndexSettings(store="pgvector", kind="ivfpq")
    assert "url" not in IndexSettings(store="pgvector").model_dump()
