"""The project's cache file: an SQLite database that several rooms keep a table in. Never a reason to fail."""

from __future__ import annotations

import hashlib
import logging
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar, TypeVar

_log = logging.getLogger(__name__)
_T = TypeVar("_T")
_WAIT_S = 5.0  # for another process that writes
_LOOKUP = 500  # keys per query; SQLite allows 999 variables in old builds
_SEAL = 16  # bytes


class CacheTable:
    """A table of the cache file. Without a file it remembers nothing.

    A file that is locked or damaged is as good as none, with a warning.
    """

    prepare: ClassVar[tuple[str, ...]]  # what every connection begins with: pragmas and CREATE TABLE IF NOT EXISTS

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def _run(self, work: Callable[[sqlite3.Connection], object], otherwise: _T) -> _T:
        """`work` in one transaction of the cache file, made if absent; `otherwise` without a file."""
        path = self._path
        if path is None:
            return otherwise
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            db = sqlite3.connect(path, timeout=_WAIT_S)
            try:
                with db:
                    db.execute("PRAGMA journal_mode = WAL")
                    db.execute("PRAGMA synchronous = OFF")  # everything in it can be computed again
                    for statement in self.prepare:
                        db.execute(statement)
                    result = work(db)
                return result  # type: ignore[return-value]
            finally:
                db.close()
        except (sqlite3.Error, OSError) as error:
            _log.warning("%s: the cache is not usable (%s); going on without it", path, error)
            return otherwise


def looked_up(db: sqlite3.Connection, query: str, keys: Sequence[object], *before: object) -> Iterator[Any]:
    """The rows of a query that ends in `key IN`, for all keys; `before` are the values of its other marks."""
    for at in range(0, len(keys), _LOOKUP):
        part = keys[at : at + _LOOKUP]
        yield from db.execute(f"{query} ({','.join('?' * len(part))})", (*before, *part))


def sealed(key: bytes, data: bytes) -> bytes:
    """Data with a digest of it and its key: SQLite would hand out flipped bits without a word."""
    return hashlib.blake2b(key + data, digest_size=_SEAL).digest() + data


def unsealed(key: bytes, blob: object) -> memoryview | None:
    """The data that `sealed` was given; None for anything else, and for none."""
    if not isinstance(blob, bytes) or len(blob) <= _SEAL:
        return None
    data = memoryview(blob)[_SEAL:]
    digest = hashlib.blake2b(key, digest_size=_SEAL)
    digest.update(data)
    return data if digest.digest() == blob[:_SEAL] else None
