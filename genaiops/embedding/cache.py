"""Vectors that were computed before, by content: model, precision and text decide the key."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Mapping, Sequence

from genaiops.cache_file import CacheTable, looked_up, sealed, unsealed
from genaiops.embedding.protocol import Vectors

_PAGES_KIB = 65_536  # of the database kept in memory: the whole index of a million vectors' keys would be 110 MB


def text_key(text: str) -> bytes:
    """sha256 of a text's UTF-8 bytes (32 bytes)."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _vector(key: bytes, blob: object) -> Vectors | None:
    """The vector that was sealed under the key, None for anything else."""
    data = unsealed(key, blob)
    if data is None or len(data) % 4:
        return None
    import numpy as np  # here, so that a command that only reads facts starts without it

    return np.frombuffer(data, dtype=np.float32)


class VectorCache(CacheTable):
    """Two tables of the cache file: vectors, and small facts about this machine."""

    prepare = (
        f"PRAGMA cache_size = -{_PAGES_KIB}",
        # With rowids: rows of 1.6 kB in a b-tree by key would take a page of 4 kB each.
        "CREATE TABLE IF NOT EXISTS vectors (space TEXT, key BLOB, vector BLOB, PRIMARY KEY (space, key))",
        "CREATE TABLE IF NOT EXISTS facts (kind TEXT, key TEXT, value TEXT, PRIMARY KEY (kind, key))",
    )

    def vectors(self, space: str, keys: Sequence[bytes], dimension: int) -> dict[bytes, Vectors]:
        """The cached vectors (float32 `[dimension]`) among `keys`."""

        def read(db: sqlite3.Connection) -> dict[bytes, Vectors]:
            found: dict[bytes, Vectors] = {}
            ordered = sorted(set(keys))  # neighbours in the index of the table are read together
            query = "SELECT key, vector FROM vectors WHERE space = ? AND key IN"
            for key, blob in looked_up(db, query, ordered, space):
                vector = _vector(key, blob)
                if vector is not None and len(vector) == dimension:
                    found[key] = vector
            return found

        return self._run(read, {})

    def add(self, space: str, rows: Iterable[tuple[bytes, Vectors]]) -> None:
        """Remember vectors; one that is there already was found damaged, and is replaced."""
        data = [(space, key, sealed(key, vector.tobytes())) for key, vector in rows]
        self._run(lambda db: db.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)", data), None)

    def facts(self, kind: str) -> dict[str, str]:
        """Small facts of one kind, as key → value."""
        return self._run(lambda db: dict(db.execute("SELECT key, value FROM facts WHERE kind = ?", (kind,))), {})

    def remember(self, kind: str, facts: Mapping[str, str]) -> None:
        data = [(kind, key, value) for key, value in facts.items()]
        self._run(lambda db: db.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?, ?)", data), None)
