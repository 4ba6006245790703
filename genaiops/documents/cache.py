"""Parsed documents, kept by the content they came from. A cache is never a reason to fail."""

from __future__ import annotations

import hashlib
import json
import logging
import sqlite3
from pathlib import Path

from genaiops.documents.loading import Corpus, Quarantined
from genaiops.records import Document, canonical_json, digest_of

_log = logging.getLogger(__name__)
_BUSY_S = 2.0


def cache_key(content: bytes, document_id: str, *, suffix: str, version: str) -> str:
    """What the outcome of parsing depends on: the bytes, the id, the loader and its version."""
    return digest_of([hashlib.sha256(content).hexdigest(), document_id, suffix, version])


class ParsedCache:
    """A table in the project's cache file. Whatever is wrong with the file, it only remembers nothing.

    Opened at the first use, so that a corpus of text files never touches it.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    def get(self, key: str) -> Corpus | None:
        try:
            connection = self._connected()
            if connection is None:
                return None
            row = connection.execute("SELECT outcome FROM parsed_documents WHERE key = ?", (key,)).fetchone()
            return None if row is None else _from_json(row[0])
        except (sqlite3.Error, OSError) as error:
            self._give_up(error)
        except (ValueError, TypeError, KeyError) as error:
            _log.warning("%s: an entry is damaged and will be replaced: %s", self._path, error)
        return None

    def put(self, key: str, outcome: Corpus) -> None:
        try:
            connection = self._connected()
            if connection is not None:
                connection.execute(
                    "INSERT OR REPLACE INTO parsed_documents VALUES (?, ?)", (key, canonical_json(outcome))
                )
        except (sqlite3.Error, OSError) as error:
            self._give_up(error)

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
                "CREATE TABLE IF NOT EXISTS parsed_documents (key TEXT PRIMARY KEY, outcome TEXT NOT NULL)"
            )
        return self._connection

    def _give_up(self, error: Exception) -> None:
        _log.warning("%s: reading goes on without the cache: %s", self._path, error)
        self._path = None
        self.close()


def _from_json(text: str) -> Corpus:
    """ValueError, TypeError or KeyError for anything `put` did not write."""
    data = json.loads(text)
    documents = tuple(Document.from_json(item) for item in data["documents"])
    if not all(isinstance(d.id, str) and isinstance(d.text, str) and isinstance(d.metadata, dict) for d in documents):
        raise ValueError("not a document")
    return Corpus(documents, tuple(Quarantined(**item) for item in data["quarantined"]))
