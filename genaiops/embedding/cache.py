"""Vectors that were computed before, by content: model, precision and text decide the key."""

from __future__ import annotations

import hashlib
import logging
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from genaiops.embedding.protocol import Vectors

_log = logging.getLogger(__name__)
_T = TypeVar("_T")
_SEAL = 16  # bytes
_LOOKUP = 500  # keys per query; SQLite allows 999 variables in old builds


def text_key(text: str) -> bytes:
    """sha256 of a text's UTF-8 bytes (32 bytes)."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _sealed(key: bytes, vector: Vectors) -> bytes:
    """A vector with a digest of its text and itself: SQLite would hand out flipped bits without a word."""
    data = vector.tobytes()
    return hashlib.blake2b(key + data, digest_size=_SEAL).digest() + data


def _unsealed(key: bytes, blob: object) -> Vectors | None:
    """The vector that `_sealed` wrote, None for anything else."""
    if not isinstance(blob, bytes) or len(blob) % 4 or len(blob) <= _SEAL:
        return None
    vector = np.frombuffer(blob, dtype=np.float32, offset=_SEAL)
    return vector if _sealed(key, vector) == blob else None


class VectorCache:
    """A SQLite file of vectors and of small facts about this machine.

    A cache is never a reason to fail: when the file is locked or damaged it warns
    and behaves as if it were empty.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def vectors(self, space: str, keys: Sequence[bytes], dimension: int) -> dict[bytes, Vectors]:
        """The cached vectors (float32 `[dimension]`) among `keys`."""

        def read(db: sqlite3.Connection) -> dict[bytes, Vectors]:
            found: dict[bytes, Vectors] = {}
            for at in range(0, len(keys), _LOOKUP):
                part = keys[at : at + _LOOKUP]
                marks = ",".join("?" * len(part))
                query = f"SELECT key, vector FROM vectors WHERE space = ? AND key IN ({marks})"
                for key, blob in db.execute(query, (space, *part)):
                    vector = _unsealed(key, blob)
                    if vector is not None and len(vector) == dimension:
                        found[key] = vector
            return found

        return self._run(read, {})

    def add(self, space: str, rows: Iterable[tuple[bytes, Vectors]]) -> None:
        """Remember vectors; one that is there already was found damaged, and is replaced."""
        data = [(space, key, _sealed(key, vector)) for key, vector in rows]
        self._run(lambda db: db.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)", data), None)

    def facts(self, kind: str) -> dict[str, str]:
        """Small facts of one kind, as key → value."""
        return self._run(lambda db: dict(db.execute("SELECT key, value FROM facts WHERE kind = ?", (kind,))), {})

    def remember(self, kind: str, facts: Mapping[str, str]) -> None:
        data = [(kind, key, value) for key, value in facts.items()]
        self._run(lambda db: db.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?, ?)", data), None)

    def _run(self, work: Callable[[sqlite3.Connection], object], otherwise: _T) -> _T:
        if self._path is None:
            return otherwise
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            db = sqlite3.connect(self._path, timeout=5)
            try:
                with db:
                    db.execute("PRAGMA journal_mode = WAL")
                    db.execute("PRAGMA synchronous = OFF")  # everything in it can be computed again
                    db.execute(
                        "CREATE TABLE IF NOT EXISTS vectors "
                        "(space TEXT, key BLOB, vector BLOB, PRIMARY KEY (space, key)) WITHOUT ROWID"
                    )
                    db.execute(
                        "CREATE TABLE IF NOT EXISTS facts (kind TEXT, key TEXT, value TEXT, PRIMARY KEY (kind, key))"
                    )
                    result = work(db)
                return result  # type: ignore[return-value]
            finally:
                db.close()
        except (sqlite3.Error, OSError) as error:
            _log.warning("%s: the cache is not usable (%s); going on without it", self._path, error)
            return otherwise
