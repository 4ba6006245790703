"""Judgements that were made before, by content: an unchanged case is not paid for twice."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
from collections.abc import Iterable, Sequence

from pydantic import TypeAdapter, ValidationError

from genaiops.cache_file import CacheTable, looked_up
from genaiops.evaluation.llm_judges.judgement import Judgement
from genaiops.records import canonical_json

_RECENT = 200  # judgements that tell what a call of a model takes
_READER = TypeAdapter(Judgement)


class JudgementCache(CacheTable):
    """Judgements in the project's cache file. They hold places and marks, no text of any document.

    A row that was damaged, or that another version wrote, is as good as none.
    """

    prepare = (
        "CREATE TABLE IF NOT EXISTS judgements "
        "(key TEXT PRIMARY KEY, judge TEXT, made REAL, seal TEXT, judgement TEXT)",
    )

    def find(self, keys: Sequence[str]) -> dict[str, Judgement]:
        """The kept judgements among `keys`."""

        def read(db: sqlite3.Connection) -> dict[str, Judgement]:
            rows = looked_up(db, "SELECT key, seal, judgement FROM judgements WHERE key IN", keys)
            read = ((row[0], _unsealed(*row)) for row in rows)
            return {key: judgement for key, judgement in read if judgement is not None}

        return self._run(read, {})

    def add(self, judge: str, rows: Iterable[tuple[str, Judgement]]) -> None:
        """Keep judgements that a judge (the digest of it) made."""
        texts = [(key, canonical_json(judgement)) for key, judgement in rows]
        data = [(key, judge, time.time(), _seal(key, text), text) for key, text in texts]
        self._run(lambda db: db.executemany("INSERT OR REPLACE INTO judgements VALUES (?, ?, ?, ?, ?)", data), None)

    def recent(self, judge: str) -> list[Judgement]:
        """The last judgements of a judge: what a call takes."""

        def read(db: sqlite3.Connection) -> list[Judgement]:
            query = "SELECT key, seal, judgement FROM judgements WHERE judge = ? ORDER BY made DESC LIMIT ?"
            found = (_unsealed(*row) for row in db.execute(query, (judge, _RECENT)))
            return [judgement for judgement in found if judgement is not None]

        return self._run(read, [])


def _seal(key: str, text: str) -> str:
    """SQLite would hand out flipped bits without a word."""
    return hashlib.blake2b(f"{key}{text}".encode(), digest_size=16).hexdigest()


def _unsealed(key: str, seal: object, text: object) -> Judgement | None:
    if not isinstance(text, str) or seal != _seal(key, text):
        return None
    try:
        return _READER.validate_python(json.loads(text))
    except (ValidationError, ValueError):
        return None
