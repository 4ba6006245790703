"""The cache without the document."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from genaiops.delivery.caches import mark_used, opened
from genaiops.delivery.forgetting.artefacts import Log
from genaiops.delivery.forgetting.erasure import Erasure
from genaiops.delivery.receipts import Artefact
from genaiops.project import Project

READ_DOCUMENTS = "read_documents"  # documents as they were read and cleaned
_FACTS = ("facts",)  # of this machine; no text of a document is the key or value of one


def clean_cache(project: Project, erasure: Erasure, indexes: Iterable[Path], log: Log) -> None:
    """Of the cache stay the vectors of texts that a snapshot still holds, and parsed documents without the document.

    Everything else in it can be computed again, and nobody could tell of a vector which text it came from.
    """
    if not project.cache.is_file():
        return
    with opened(project.cache) as db:
        db.execute("BEGIN IMMEDIATE")
        names = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for name in names:
            if name.startswith("sqlite_") or name in _FACTS:
                continue
            before = db.execute(f'SELECT COUNT(*) FROM "{name}"').fetchone()[0]
            if name == "vectors":
                mark_used(db, indexes)
                db.execute("DELETE FROM vectors WHERE key NOT IN (SELECT key FROM used)")
            elif name == READ_DOCUMENTS:
                _forget_read(db, erasure)
            else:
                db.execute(f'DELETE FROM "{name}"')
            gone = before - db.execute(f'SELECT COUNT(*) FROM "{name}"').fetchone()[0]
            if gone:
                log.tell(Artefact("cache", name, name, f"{gone} of {before} rows deleted"))
        db.execute("COMMIT")


def _forget_read(db: sqlite3.Connection, erasure: Erasure) -> None:
    """Rows of the document, of the file it is a part of, and those that hold a passage of it."""
    doomed = []
    for key, name, outcome in db.execute(f"SELECT key, document_id, outcome FROM {READ_DOCUMENTS}"):
        mine = any(one == name or one.startswith(f"{name}#") for one in erasure.texts)
        named = any(json.dumps(one, ensure_ascii=False) in outcome for one in erasure.texts)
        if mine or named or erasure.is_quoted_in(_unescaped(outcome)):
            doomed.append((key,))
    db.executemany(f"DELETE FROM {READ_DOCUMENTS} WHERE key = ?", doomed)


def _unescaped(text: str) -> str:
    try:
        return " ".join(_strings(json.loads(text)))
    except ValueError:
        return text


def _strings(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
