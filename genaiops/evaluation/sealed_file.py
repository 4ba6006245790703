"""Records in files that nobody edits: a schema version, the content, and the digest of the content."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from genaiops.errors import IntegrityError, NotFound
from genaiops.records import digest_of

T = TypeVar("T")
SCHEMA = 1


def sealed(kind: str, content: Any) -> dict[str, Any]:
    """What the file of a record holds."""
    return {"schema_version": SCHEMA, "digest": digest_of(content), kind: content}


def load_sealed(path: Path, kind: str, read: Callable[[Any], T], *, again: str, most: float = float("inf")) -> T:
    """The record that `read` makes of a file's content; `again` says how one is made, `most` bounds it in bytes.

    Raises NotFound without the file, IntegrityError when it is damaged, was edited, or has another version.
    """

    def refused(what: str, remedy: str = again) -> IntegrityError:
        return IntegrityError(f"the {kind} {what}", where=path, remedy=remedy)

    try:
        if path.stat().st_size > most:
            raise ValueError(f"it is larger than {most:,} bytes")
        record = json.loads(path.read_text(encoding="utf-8"))
        record = record if isinstance(record, dict) else {}
        found = digest_of(record.get(kind))  # ValueError: it holds NaN
    except (FileNotFoundError, NotADirectoryError):
        raise NotFound(f"there is no {kind} here", where=path, remedy=again) from None
    except (OSError, ValueError, RecursionError) as error:
        raise refused(f"cannot be read: {error}") from None
    version = record.get("schema_version")
    if version != SCHEMA:
        newer = isinstance(version, int) and version > SCHEMA
        remedy = "upgrade: pip install --upgrade genaiops" if newer else again
        raise refused(f"has schema version {version!r}, this genaiops reads {SCHEMA}", remedy)
    if found != record.get("digest"):
        raise refused("was changed after it was written")
    try:
        return read(record[kind])
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise refused(f"is not complete: {error}") from None
