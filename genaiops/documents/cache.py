"""Documents as they were read and cleaned, kept by what they came from. A cache is never a reason to fail."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Callable
from pathlib import Path

from genaiops.documents.loading import Corpus, Quarantined
from genaiops.records import Document, canonical_json, digest_of

_log = logging.getLogger(__name__)
_BUSY_S = 2.0
_TABLE = "read_documents"
_OF_DOCUMENT = (  # its own rows, those of the file it is a part of, and those of its parts
    "document_id = ?1 OR substr(?1, 1, length(document_id) + 1) = document_id || '#'"
    " OR substr(document_id, 1, length(?1) + 1) = ?1 || '#'"
)


def cache_key(content: str, document_id: str, *, suffix: str, version: str, clean: str) -> str:
    """What an outcome depends on: the digest of the bytes, the id, the loader with its version, and the cleaner's."""
    return digest_of([content, document_id, suffix, version, clean])


class ParsedCache:
    """A table in the project's cache file. Whatever is wrong with the file, it only remembers nothing.

    Opened at the first use, so that a corpus of text files never touches it.
    """

    def __init__(self, path: Path | None, uncached: Callable[[Document], bool] | None = None) -> None:
        """What holds a document for which `uncached` is true is not kept."""
        self._path = path
        self._uncached = uncached
        self._connection: sqlite3.Connection | None = None

    def get(self, key: str) -> Corpus | None:
        try:
            connection = self._connected()
            if connection is None:
                return None
            row = connection.execute(f"SELECT outcome FROM {_TABLE} WHERE key = ?", (key,)).fetchone()
            return None if row is None else _from_json(row[0])
        except (sqlite3.Error, OSError) as error:
            self._give_up(error)
        except (ValueError, TypeError, KeyError) as error:
            _log.warning("%s: an entry is damaged and will be replaced: %s", self._path, error)
        return None

    def put(self, key: str, document_id: str, outcome: Corpus) -> None:
        """Keep the outcome of the file or row `document_id`."""
        told = (*outcome.documents, *(Document(item.document_id, "") for item in outcome.quarantined))
        if self._uncached is not None and any(self._uncached(document) for document in told):
            return
        try:
            connection = self._connected()
            if connection is not None:
                connection.execute(
                    f"INSERT OR REPLACE INTO {_TABLE} VALUES (?, ?, ?)", (key, document_id, canonical_json(outcome))
                )
        except (sqlite3.Error, OSError) as error:
            self._give_up(error)

    def forget(self, document_id: str) -> int:
        """Erase every row that holds the document; returns how many. Raises sqlite3.Error and OSError.

        Also the rows of a file that `document_id` is a part of (`rows.jsonl#7`), whose other parts are read again.
        """
        connection = self._connected()
        if connection is None:
            return 0
        connection.execute("PRAGMA secure_delete = ON")  # zeros where the rows were
        removed = connection.execute(f"DELETE FROM {_TABLE} WHERE {_OF_DOCUMENT}", (document_id,)).rowcount
        busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise sqlite3.OperationalError("another process is reading the cache; its log still holds what was erased")
        return removed

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _connected(self) -> sqlite3.Connection | None:
        if self._connection is None and self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            # Every statement commits by itself: what was parsed stays known if we are killed.
            self._connection = sqlite3.connect(self._path, timeout=_BUSY_S, isolation_level=None)
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._connection.execute(
                f"CREATE TABLE IF NOT EXISTS {_TABLE} "
                "(key TEXT PRIMARY KEY, document_id TEXT NOT NULL, outcome TEXT NOT NULL)"
            )
            self._connection.execute(f"CREATE INDEX IF NOT EXISTS {_TABLE}_id ON {_TABLE} (document_id)")
            # What an earlier version kept, whole and without the id to forget it by.
            self._connection.execute("DROP TABLE IF EXISTS parsed_documents")
        return self._connection

    def _give_up(self, error: Exception) -> None:
        _log.warning("%s: reading goes on without the cache: %s", self._path, error)
        self._path = None
        self.close()


def forget_parsed(cache_file: Path, document_id: str) -> int:
    """Erase a document from the cache in `cache_file`; returns how many rows. 0 where there is no such file.

    Raises sqlite3.Error when the file is damaged or in use, since the text may then still be there.
    """
    if not cache_file.exists():
        return 0
    cache = ParsedCache(cache_file)
    try:
        return cache.forget(document_id)
    finally:
        cache.close()


def _from_json(text: str) -> Corpus:
    """ValueError, TypeError or KeyError for anything `put` did not write."""
    data = json.loads(text)
    documents = tuple(Document.from_json(item) for item in data["documents"])
    if not all(isinstance(d.id, str) and isinstance(d.text, str) and isinstance(d.metadata, dict) for d in documents):
        raise ValueError("not a document")
    return Corpus(documents, tuple(Quarantined(**item) for item in data["quarantined"]))
