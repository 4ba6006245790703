"""What models wrote, kept in a SQLite file by the content it was asked about."""

from __future__ import annotations

import sqlite3

from genaiops.cache_file import CacheTable


class GeneratedTexts(CacheTable):
    """A table of the cache file."""

    prepare = (
        "CREATE TABLE IF NOT EXISTS generated (key TEXT PRIMARY KEY, document_id TEXT, text TEXT) WITHOUT ROWID",
    )

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
