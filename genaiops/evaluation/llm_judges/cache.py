"""Judgements that were made before, by content: an unchanged case is not paid for twice."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from genaiops.cache_file import with_cache
from genaiops.evaluation.llm_judges.judgement import Judgement
from genaiops.records import canonical_json

_T = TypeVar("_T")
_LOOKUP = 500  # keys per query; SQLite allows 999 variables in old builds
_RECENT = 200  # judgements that tell what a call of a model takes
_PREPARE = (
    "CREATE TABLE IF NOT EXISTS judgements (key TEXT PRIMARY KEY, judge TEXT, made REAL, seal TEXT, judgement TEXT)",
)
_READER = TypeAdapter(Judgement)


class JudgementCache:
    """Judgements in the project's cache file. They hold places and marks, no text of any document.

    A row that was damaged, or that another version wrote, is as good as none.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def find(self, keys: Sequence[str]) -> dict[str, Judgement]:
        """The kept judgements among `keys`."""

        def read(db: sqlite3.Connection) -> dict[str, Judgement]:
            found: dict[str, Judgement] = {}
            for at in range(0, len(keys), _LOOKUP):
                part = keys[at : at + _LOOKUP]
                marks = ",".join("?" * len(part))
                query = f"SELECT key, seal, judgement FROM judgements WHERE key IN ({marks})"
                for key, seal, text in db.execute(query, part):
                    judgement = _unsealed(key, seal, text)
                    if judgement is not None:
                        found[key] = judgement
            return found

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

    def _run(self, work: object, otherwise: _T) -> _T:
        return with_cache(self._path, work, otherwise, prepare=_PREPARE)  # type: ignore[arg-type]


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
