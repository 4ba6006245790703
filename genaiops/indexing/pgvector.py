"""Vectors in PostgreSQL with pgvector. A snapshot stays the source: what stands here can be made anew from it."""

from __future__ import annotations

import re
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np

from genaiops.embedding import Vectors
from genaiops.errors import ConfigurationError
from genaiops.indexing.filters import Selection
from genaiops.indexing.kinds import AUTO_HNSW_FROM, RECALL_FLOOR, measured_recall
from genaiops.indexing.manifest import CHUNKS_FILE, VECTORS_FILE
from genaiops.indexing.postgres import connect, connected, exists, explained, has_extension, psycopg, register, sql
from genaiops.indexing.stored import StoredChunks
from genaiops.indexing.vectors import EXACT, FILTER_COSTS, Found, VectorSearch, check_selection, ranked
from genaiops.records import digest_of

T = TypeVar("T")

REGISTRY = "genaiops_indexes"
_MOST_INDEXED_DIMENSIONS = 2000  # of pgvector's HNSW over 32-bit floats
_BLOCK = 4096  # rows handed over at once
_LINKS, _BUILD_EFFORT, _EFFORT = 16, 128, 200
_LOCK = 0x67656E61  # one loader at a time: "gena"
_ID = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Loaded:
    """The vectors of one snapshot as they stand in a database: their table, how many, of what kind and recall."""

    table: str
    chunks: int
    dimension: int
    kind: str
    recall: float | None  # recall@10 against exact search; None where search is exact

    @property
    def facts(self) -> dict[str, Any]:
        """As they stand in a manifest."""
        return {"kind": self.kind} if self.recall is None else {"kind": self.kind, "recall@10": self.recall}


def load_store(url: str, index_id: str, folder: Path, vectors_digest: str, kind: str) -> Loaded:
    """Put the vectors of the snapshot in `folder` into the database, unless they stand there; all of them or none.

    `vectors_digest` is the sha256 of its file of vectors. Everything happens in one transaction, which also writes
    the line by which the table is found: what is half loaded is never seen, and a second loader waits for the first.
    Raises StoreUnavailable, ConfigurationError.
    """
    table = _table(index_id, vectors_digest)
    with connected(url) as connection, explained(url):
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
            _prepare(connection)
            loaded = _registered(connection, table)
            if loaded is None:
                loaded = _fill(connection, table, index_id, folder, kind)
        return loaded


def drop_store(url: str, index_id: str) -> int:
    """Remove everything of an index from the database; how many tables that were. Raises StoreUnavailable."""
    with connected(url) as connection, explained(url), connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        if not exists(connection, REGISTRY):
            return 0
        rows = connection.execute(sql("SELECT name FROM {} WHERE index_id = %s", REGISTRY), [index_id]).fetchall()
        for (name,) in rows:
            connection.execute(sql("DROP TABLE IF EXISTS {}", name))
        connection.execute(sql("DELETE FROM {} WHERE index_id = %s", REGISTRY), [index_id])
        return len(rows)


def stored_indexes(url: str) -> tuple[str, ...]:
    """The ids of the indexes that the database holds, sorted. Raises StoreUnavailable."""
    with connected(url) as connection, explained(url):
        if not exists(connection, REGISTRY):
            return ()
        return tuple(row[0] for row in connection.execute(sql("SELECT DISTINCT index_id FROM {} ORDER BY 1", REGISTRY)))


class PgVectorSearch:
    """The vectors of one index in a database, over as many connections as there are searches at once."""

    def __init__(self, url: str, index_id: str, vectors_digest: str) -> None:
        """Raises KeyError when the database does not hold the index, StoreUnavailable when it cannot be asked."""
        self._url = url
        self._idle: list[Any] = []
        weakref.finalize(self, _close, self._idle)
        with explained(url):
            found = self._with_connection(lambda connection: _registered(connection, _table(index_id, vectors_digest)))
        if found is None:
            raise KeyError(index_id)
        self.loaded = found

    def __len__(self) -> int:
        return self.loaded.chunks

    @property
    def dimension(self) -> int:
        return self.loaded.dimension

    def search(self, vector: Vectors, k: int, within: Selection | None = None) -> Found:
        """See VectorStore. Raises StoreUnavailable."""
        query = np.ascontiguousarray(vector, dtype=np.float32).reshape(-1)
        available = check_selection(within, len(self))
        exact = self.loaded.kind == EXACT or (within is not None and len(within) ** 2 <= FILTER_COSTS * len(self))

        def nearest(asked: int) -> Found:
            found = [] if exact else self._ask(query, asked, within, exact=False)
            # A walk over the graph can end before it has met enough: then every permitted vector is compared.
            return found if len(found) >= asked else self._ask(query, asked, within, exact=True)

        return ranked(nearest, k, available)

    def reconstruct(self, positions: Sequence[int]) -> Vectors:
        """See VectorStore. Raises StoreUnavailable."""
        wanted = [int(position) for position in positions]
        text = "SELECT position, embedding::real[] FROM {} WHERE position = ANY(%s)"
        with explained(self._url):
            statement = sql(text, self.loaded.table)
            found = dict(self._with_connection(lambda connection: connection.execute(statement, [wanted]).fetchall()))
        rows = [np.asarray(found[position], dtype=np.float32) for position in wanted]
        return np.stack(rows) if rows else np.empty((0, self.dimension), dtype=np.float32)

    def _ask(self, query: Vectors, k: int, within: Selection | None, *, exact: bool) -> Found:
        # The bit of a chunk says whether it may be found; the sum keeps the planner from walking the graph.
        where = " WHERE get_bit(%(bits)s::bytea, position) = 1" if within is not None else ""
        order = "0.0 + (embedding <#> %(query)s), position" if exact else "embedding <#> %(query)s"
        text = "SELECT position, -(embedding <#> %(query)s) FROM {}" + where + " ORDER BY " + order + " LIMIT %(k)s"
        values = {"query": query, "k": k, "bits": None if within is None else within.bits.tobytes()}
        with explained(self._url):
            statement = sql(text, self.loaded.table)
            rows = self._with_connection(lambda connection: connection.execute(statement, values).fetchall())
        return [(int(position), float(cosine)) for position, cosine in rows]

    def _with_connection(self, use: Callable[[Any], T]) -> T:
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._ready()
        else:
            try:
                return self._used(connection, use)
            except psycopg().OperationalError:  # the server was restarted, or closed what was idle: once more
                connection = self._ready()
        return self._used(connection, use)

    def _used(self, connection: Any, use: Callable[[Any], T]) -> T:
        try:
            result = use(connection)
        except BaseException:
            connection.close()
            raise
        self._idle.append(connection)
        return result

    def _ready(self) -> Any:
        connection = connect(self._url)
        if has_extension(connection):
            register(connection)
            connection.execute(f"SET hnsw.ef_search = {_EFFORT}")
            connection.execute("SET hnsw.iterative_scan = strict_order")  # goes on until k permitted ones are met
        return connection


def _close(connections: list[Any]) -> None:
    for connection in connections:
        connection.close()


def _table(index_id: str, vectors_digest: str) -> str:
    """Vectors differ a little between processors, so the same index of two machines has two tables."""
    if not (_ID.fullmatch(index_id) and _ID.fullmatch(vectors_digest)):
        raise ValueError("an index and its vectors are named by 64 hex digits")
    return f"genaiops_vectors_{digest_of([index_id, vectors_digest])[:32]}"


def _prepare(connection: Any) -> None:
    if not has_extension(connection):
        connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
    register(connection)
    columns = "name text PRIMARY KEY, index_id text NOT NULL, chunks integer NOT NULL, dimension integer NOT NULL, "
    connection.execute(sql("CREATE TABLE IF NOT EXISTS {} (" + columns + "kind text NOT NULL, recall real)", REGISTRY))


def _registered(connection: Any, table: str) -> Loaded | None:
    if not (exists(connection, REGISTRY) and exists(connection, table)):
        return None
    text = "SELECT chunks, dimension, kind, recall FROM {} WHERE name = %s"
    row = connection.execute(sql(text, REGISTRY), [table]).fetchone()
    if row is None:
        return None
    chunks, dimension, kind, recall = row
    return Loaded(table, chunks, dimension, kind, None if recall is None else round(recall, 4))


def _fill(connection: Any, table: str, index_id: str, folder: Path, kind: str) -> Loaded:
    source, chunks = VectorSearch(folder / VECTORS_FILE), StoredChunks(folder / CHUNKS_FILE)
    count, dimension = len(source), source.dimension
    chosen = kind
    if kind == "auto":
        chosen = "hnsw" if count >= AUTO_HNSW_FROM and dimension <= _MOST_INDEXED_DIMENSIONS else EXACT
    columns = "position integer PRIMARY KEY, document_id text NOT NULL, chunk_id text NOT NULL, "
    made = "CREATE TABLE {} (" + columns + f"embedding vector({max(1, dimension)}) NOT NULL)"
    connection.execute(sql("DROP TABLE IF EXISTS {}", table))  # of a line that somebody took out by hand
    connection.execute(sql(made, table))
    into = sql("COPY {} (position, document_id, chunk_id, embedding) FROM STDIN (FORMAT BINARY)", table)
    with connection.cursor() as cursor, cursor.copy(into) as copy:
        copy.set_types(["int4", "text", "text", "vector"])
        for start in range(0, count, _BLOCK):
            for at, row in enumerate(source.stored(start, min(_BLOCK, count - start)), start):
                chunk = chunks[at]
                copy.write_row([at, chunk.document_id, chunk.id, row])
    recall = _index(connection, table, source) if chosen == "hnsw" else None
    if kind == "auto" and recall is not None and recall < RECALL_FLOOR:
        connection.execute(sql("DROP INDEX {}", f"{table}_graph"))
        chosen, recall = EXACT, None
    loaded = Loaded(table, count, dimension, chosen, recall)
    values = [table, index_id, count, dimension, chosen, recall]
    connection.execute(sql("INSERT INTO {} VALUES (%s, %s, %s, %s, %s, %s)", REGISTRY), values)
    connection.execute(sql("ANALYZE {}", table))
    return loaded


def _index(connection: Any, table: str, source: VectorSearch) -> float:
    if source.dimension > _MOST_INDEXED_DIMENSIONS:
        raise ConfigurationError(
            f"pgvector builds no graph over {source.dimension} dimensions, only up to {_MOST_INDEXED_DIMENSIONS:,}",
            remedy="set index.kind to flat, or index.store to faiss",
        )
    options = f" WITH (m = {_LINKS}, ef_construction = {_BUILD_EFFORT})"
    connection.execute("SET LOCAL maintenance_work_mem = '512MB'")
    connection.execute(
        sql("CREATE INDEX {} ON {} USING hnsw (embedding vector_ip_ops)" + options, f"{table}_graph", table)
    )
    connection.execute(f"SET LOCAL hnsw.ef_search = {_EFFORT}")
    text = "SELECT position, -(embedding <#> %(q)s) FROM {} ORDER BY embedding <#> %(q)s LIMIT %(k)s"

    def search(vector: Vectors, k: int) -> Found:
        return [(int(p), float(s)) for p, s in connection.execute(sql(text, table), {"q": vector, "k": k})]

    return measured_recall(cast(Vectors, _Rows(source)), search)


class _Rows:
    """A file of vectors, as much like an array as measuring needs: rows by number, by numbers, by a slice."""

    def __init__(self, source: VectorSearch) -> None:
        self._source = source

    def __len__(self) -> int:
        return len(self._source)

    def __getitem__(self, at: Any) -> Vectors:
        if isinstance(at, slice):
            start, stop, _ = at.indices(len(self))
            return self._source.stored(start, stop - start)
        return np.array([self._source.stored(int(n), 1)[0] for n in at], dtype=np.float32).reshape(
            len(at), self._source.dimension
        )
