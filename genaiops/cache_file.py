"""The project's cache file: an SQLite database that several rooms keep a table in. Never a reason to fail."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

_log = logging.getLogger(__name__)
_T = TypeVar("_T")
_WAIT_S = 5.0  # for another process that writes


def with_cache(
    path: Path | None,
    work: Callable[[sqlite3.Connection], object],
    otherwise: _T,
    *,
    prepare: Sequence[str],
    strict: bool = False,
) -> _T:
    """`work` in one transaction of the cache file, made if absent; `otherwise` without a file.

    `prepare` are the statements that every connection begins with: pragmas and CREATE TABLE IF NOT EXISTS. A file
    that is locked or damaged is as good as none, with a warning; `strict` raises its sqlite3.Error or OSError.
    """
    if path is None:
        return otherwise
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(path, timeout=_WAIT_S)
        try:
            with db:
                db.execute("PRAGMA journal_mode = WAL")
                db.execute("PRAGMA synchronous = OFF")  # everything in it can be computed again
                for statement in prepare:
                    db.execute(statement)
                result = work(db)
            return result  # type: ignore[return-value]
        finally:
            db.close()
    except (sqlite3.Error, OSError) as error:
        if strict:
            raise
        _log.warning("%s: the cache is not usable (%s); going on without it", path, error)
        return otherwise
