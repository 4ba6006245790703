"""Results of earlier evaluations in the project's cache file, by the digest of all that decided them.

A cache is never a reason to fail: a row that was damaged is no row, and a file that cannot be used is none.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from genaiops.cache_file import CacheTable, looked_up, sealed, unsealed
from genaiops.records import as_json, canonical_json

TABLE = "evaluation_results"
_DAY_S = 86_400


def result_key(*parts: object) -> bytes:
    """What a result is kept under (32 bytes): all that decided it, records and plain data."""
    # As digest_of, but plain data is left to the encoder: a thousand contexts are walked through in no time.
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), default=as_json)
    return hashlib.sha256(text.encode()).digest()


class KeptResults(CacheTable):
    """A table of the cache file: key → JSON data."""

    prepare = (
        f"CREATE TABLE IF NOT EXISTS {TABLE} (key BLOB PRIMARY KEY, used INTEGER NOT NULL, data BLOB NOT NULL) "
        "WITHOUT ROWID",
    )

    def get(self, keys: Sequence[bytes]) -> dict[bytes, Any]:
        """The data of the keys that are known and undamaged; that they were used is noted, by the day."""
        today = int(time.time()) // _DAY_S

        def read(db: sqlite3.Connection) -> dict[bytes, Any]:
            found: dict[bytes, Any] = {}
            old = []
            for key, used, data in looked_up(db, f"SELECT key, used, data FROM {TABLE} WHERE key IN", keys):
                if (value := unsealed(key, data)) is not None:
                    found[key] = json.loads(bytes(value))
                if used != today:
                    old.append((today, key))
            if old:
                db.executemany(f"UPDATE {TABLE} SET used = ? WHERE key = ?", old)
            return found

        return self._run(read, {}) if keys else {}

    def put(self, results: Mapping[bytes, Any]) -> None:
        """Keep results, in one transaction."""
        today = int(time.time()) // _DAY_S
        rows = [(key, today, sealed(key, canonical_json(data).encode())) for key, data in results.items()]
        if rows:
            self._run(lambda db: db.executemany(f"INSERT OR REPLACE INTO {TABLE} VALUES (?, ?, ?)", rows), None)


def prune_results(file: Path, most_mb: float, *, dry_run: bool = False) -> int:
    """Take out the results that were used longest ago, until they take at most `most_mb` MB; returns how many.

    Raises sqlite3.Error.
    """
    with closing(sqlite3.connect(file, timeout=30, isolation_level=None)) as db:
        exists = db.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (TABLE,)).fetchone()
        if exists is None:
            return 0
        room, doomed = most_mb * 1e6, list[tuple[bytes]]()
        for key, size in db.execute(f"SELECT key, LENGTH(data) FROM {TABLE} ORDER BY used DESC, key"):
            room -= size
            if room < 0:
                doomed.append((key,))
        if doomed and not dry_run:
            db.execute("PRAGMA secure_delete = ON")
            db.execute("BEGIN IMMEDIATE")
            db.executemany(f"DELETE FROM {TABLE} WHERE key = ?", doomed)
            db.execute("COMMIT")
    return len(doomed)
