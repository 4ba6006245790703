"""The cache file seen from the indexes: which of its vectors one of them still holds."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from genaiops.errors import Conflict, StorageError
from genaiops.indexing.manifest import CHUNKS_FILE

_MB = 1_000_000


@contextmanager
def told(file: Path) -> Iterator[None]:
    """What SQLite says of a cache file that it cannot read or write, as StorageError."""
    try:
        yield
    except sqlite3.Error as error:
        raise StorageError(
            f"the cache cannot be used: {error}",
            where=file,
            remedy="make room or allow writing there, or delete the file, then run the same command again",
        ) from error


@contextmanager
def opened(file: Path) -> Iterator[sqlite3.Connection]:
    """The cache file, with every deleted byte overwritten; at the end the log beside it is emptied into it.

    Raises StorageError.
    """
    with told(file), closing(sqlite3.connect(file, timeout=30, isolation_level=None)) as db:
        db.execute("PRAGMA secure_delete = ON")
        yield db
        settle(db, file)


def settle(db: sqlite3.Connection, file: Path) -> None:
    """Write the file anew without free pages and empty its log. Conflict while another process reads it."""
    try:
        if db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
            raise sqlite3.OperationalError("locked")
        db.execute("VACUUM")
        if db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
            raise sqlite3.OperationalError("locked")
    except sqlite3.OperationalError as error:
        if "locked" not in str(error) and "busy" not in str(error):
            raise
        raise Conflict(
            "another process uses the cache, so its old pages cannot be overwritten",
            where=file,
            remedy="stop it, then run the same command again",
        ) from None


def has_table(db: sqlite3.Connection, name: str) -> bool:
    return db.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (name,)).fetchone() is not None


def keys_of(indexes: Iterable[Path]) -> Iterator[bytes]:
    """The keys under which the cache keeps the vectors of these snapshots' chunks."""
    from genaiops.embedding.cache import text_key

    for folder in indexes:
        try:
            with (folder / CHUNKS_FILE).open(encoding="utf-8") as stream:
                for line in stream:
                    row = json.loads(line)
                    yield text_key(row["indexed_text"])
        except (OSError, ValueError, KeyError):  # a damaged index cannot say; its vectors can be computed again
            continue


def mark_used(db: sqlite3.Connection, indexes: Iterable[Path]) -> None:
    """A table `used` of this connection alone, with the keys of the vectors that the snapshots hold."""
    db.execute("PRAGMA temp_store = MEMORY")
    db.execute("CREATE TEMP TABLE used (key BLOB PRIMARY KEY) WITHOUT ROWID")
    db.executemany("INSERT OR IGNORE INTO used VALUES (?)", ((key,) for key in keys_of(indexes)))


def prune_vectors(file: Path, indexes: Iterable[Path], *, unused_mb: float, dry_run: bool = False) -> int:
    """Take out the vectors that no given snapshot holds, once they take more than `unused_mb` MB; returns how many.

    A cache of vectors has no dates, and what is in no index is seldom asked for again: all of it goes at once.
    """
    db = sqlite3.connect(file, timeout=30, isolation_level=None)
    try:
        if not has_table(db, "vectors"):
            return 0
        mark_used(db, indexes)
        unused = "key NOT IN (SELECT key FROM used)"
        count, size = db.execute(f"SELECT COUNT(*), SUM(LENGTH(vector)) FROM vectors WHERE {unused}").fetchone()
    finally:
        db.close()
    if not count or (size or 0) <= unused_mb * _MB:
        return 0
    if not dry_run:
        with opened(file) as db:
            mark_used(db, indexes)
            db.execute(f"DELETE FROM vectors WHERE {unused}")
    return int(count)
