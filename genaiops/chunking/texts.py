"""What models wrote, kept in a SQLite file by the content it was asked about."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from genaiops.cache_file import with_cache

_T = TypeVar("_T")
_PREPARE = (
    "PRAGMA secure_delete = ON",  # what was forgotten must not stay in free pages
    "CREATE TABLE IF NOT EXISTS generated (key TEXT PRIMARY KEY, document_id TEXT, text TEXT) WITHOUT ROWID",
)


class GeneratedTexts:
    """A table of cache.db. A cache is never a reason to fail: a damaged or locked file is as good as an empty one."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def get(self, key: str) -> str | None:
        """The text under `key`, a digest of all that decided it; None where there is none."""

        def read(db: sqlite3.Connection) -> str | None:
            row = db.execute("SELECT text FROM generated WHERE key = ?", (key,)).fetchone()
            return row[0] if row and isinstance(row[0], str) else None

        return self._run(read, None)

    def put(self, key: str, document_id: str, text: str) -> None:
        """Remember `text`, made from content of that document."""
        row = (key, document_id, text)
        self._run(lambda db: db.execute("INSERT OR REPLACE INTO generated VALUES (?, ?, ?)", row), None)

    def forget(self, document_id: str) -> int:
        """Delete what was made from content of that document; returns how many texts went."""
        query = "DELETE FROM generated WHERE document_id = ?"
        return self._run(lambda db: db.execute(query, (document_id,)).rowcount, 0)

    def _run(self, work: Callable[[sqlite3.Connection], object], otherwise: _T) -> _T:
        return with_cache(self._path, work, otherwise, prepare=_PREPARE)


def forget_generated(cache_file: Path, document_id: str) -> int:
    """Delete from the cache what models wrote about a document; returns how many texts went."""
    return GeneratedTexts(cache_file).forget(document_id) if cache_file.is_file() else 0
