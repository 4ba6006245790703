"""Vectors that were computed before, by content: model, precision and text decide the key."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from genaiops.cache_file import with_cache
from genaiops.embedding.protocol import Vectors
from genaiops.errors import StorageError

_T = TypeVar("_T")
_SEAL = 16  # bytes
_WAIT_S = 5.0  # for another process that writes
_PAGES_KIB = 65_536  # of the database kept in memory: the whole index of a million vectors' keys would be 110 MB
_LOOKUP = 500  # keys per query; SQLite allows 999 variables in old builds
_PREPARE = (
    f"PRAGMA cache_size = -{_PAGES_KIB}",
    # With rowids: rows of 1.6 kB in a b-tree by key would take a page of 4 kB each.
    "CREATE TABLE IF NOT EXISTS vectors (space TEXT, key BLOB, vector BLOB, PRIMARY KEY (space, key))",
    "CREATE TABLE IF NOT EXISTS facts (kind TEXT, key TEXT, value TEXT, PRIMARY KEY (kind, key))",
)


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
    seal = hashlib.blake2b(key, digest_size=_SEAL)
    seal.update(memoryview(blob)[_SEAL:])
    if seal.digest() != blob[:_SEAL]:
        return None
    import numpy as np  # here, so that a command that only erases or reads facts starts without it

    return np.frombuffer(blob, dtype=np.float32, offset=_SEAL)


def forget_vectors(cache_file: Path, keys: Sequence[bytes]) -> int:
    """Erase the vectors of texts, given by `text_key`, from a cache file; returns how many there were.

    Their bytes are overwritten in the file and the write-ahead log is emptied. A cache file that does not exist
    stays absent. Raises StorageError when it cannot be written: an erasure that fails must not pass for one.
    """
    if not cache_file.exists():
        return 0
    try:
        gone = VectorCache(cache_file, strict=True).forget(keys)
        with closing(sqlite3.connect(cache_file, timeout=_WAIT_S)) as db:
            busy = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    except (sqlite3.Error, OSError) as error:
        raise StorageError(
            f"vectors cannot be erased: {error}", where=cache_file, remedy="delete the file: it is only a cache"
        ) from None
    if busy:
        raise StorageError(
            "vectors were erased, but the file's log is in use",
            where=cache_file,
            remedy="end other commands, try again",
        )
    return gone


class VectorCache:
    """A SQLite file of vectors and of small facts about this machine.

    A cache is never a reason to fail: when the file is locked or damaged it warns
    and behaves as if it were empty.
    """

    def __init__(self, path: Path | None, *, strict: bool = False) -> None:
        """`strict`: a file that is not usable raises sqlite3.Error or OSError after all."""
        self._path = path
        self._strict = strict

    def vectors(self, space: str, keys: Sequence[bytes], dimension: int) -> dict[bytes, Vectors]:
        """The cached vectors (float32 `[dimension]`) among `keys`."""

        def read(db: sqlite3.Connection) -> dict[bytes, Vectors]:
            found: dict[bytes, Vectors] = {}
            ordered = sorted(set(keys))  # neighbours in the index of the table are read together
            for at in range(0, len(ordered), _LOOKUP):
                part = ordered[at : at + _LOOKUP]
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

    def forget(self, keys: Sequence[bytes]) -> int:
        """Delete the vectors of these texts, of every model and precision; returns how many there were."""

        def delete(db: sqlite3.Connection) -> int:
            db.execute("PRAGMA secure_delete = ON")  # the bytes are overwritten, not only unlinked
            wanted, gone = sorted(set(keys)), 0
            spaces = [space for (space,) in db.execute("SELECT DISTINCT space FROM vectors")]
            for space in spaces:
                for at in range(0, len(wanted), _LOOKUP):
                    part = wanted[at : at + _LOOKUP]
                    marks = ",".join("?" * len(part))
                    statement = f"DELETE FROM vectors WHERE space = ? AND key IN ({marks})"
                    gone += db.execute(statement, (space, *part)).rowcount
            return gone

        return self._run(delete, 0)

    def facts(self, kind: str) -> dict[str, str]:
        """Small facts of one kind, as key → value."""
        return self._run(lambda db: dict(db.execute("SELECT key, value FROM facts WHERE kind = ?", (kind,))), {})

    def remember(self, kind: str, facts: Mapping[str, str]) -> None:
        data = [(kind, key, value) for key, value in facts.items()]
        self._run(lambda db: db.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?, ?)", data), None)

    def _run(self, work: Callable[[sqlite3.Connection], object], otherwise: _T) -> _T:
        return with_cache(self._path, work, otherwise, prepare=_PREPARE, strict=self._strict)
