"""What a source lists: files to be loaded, and rows that are documents already."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass

from genaiops.records import Document


@dataclass(frozen=True, slots=True)
class Raw:
    """The bytes of one file. `modified` is ISO 8601 in UTC, "" when unknown; `suffix` says which loader reads it."""

    content: bytes
    suffix: str
    modified: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """One file of a source. `read` gets its bytes or raises DocumentError.

    `place` names it in messages. `tag`, where the source gives one, changes whenever the bytes do, so that a
    known file need not be read again; it comes with `modified`.
    """

    document_id: str
    place: str
    suffix: str
    read: Callable[[], Raw]
    tag: str = ""
    modified: str = ""


@dataclass(frozen=True, slots=True)
class Ready:
    """One row of a source, a document already, its origin filled."""

    document: Document
    place: str


def utc(moment: object) -> str:
    """A point in time as ISO 8601 in UTC, to the second; a naive one counts as UTC. "" for what is none."""
    if isinstance(moment, str):
        try:
            moment = datetime.datetime.fromisoformat(moment.strip())
        except ValueError:
            return ""
    elif isinstance(moment, (int, float)) and not isinstance(moment, bool):
        try:
            moment = datetime.datetime.fromtimestamp(moment, datetime.UTC)
        except (ValueError, OverflowError, OSError):
            return ""
    elif isinstance(moment, datetime.date) and not isinstance(moment, datetime.datetime):
        moment = datetime.datetime(moment.year, moment.month, moment.day)
    if not isinstance(moment, datetime.datetime):
        return ""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.UTC)
    try:
        return moment.astimezone(datetime.UTC).isoformat(timespec="seconds")
    except OverflowError:
        return ""
