"""What every loader takes and gives, and how bytes become text."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from genaiops.errors import DocumentError
from genaiops.records import Document

_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A document that could not be read, and why. `document_id` is the file's id where one line of it is meant."""

    document_id: str
    reason: str
    kind: str = "unreadable"


@dataclass(frozen=True, slots=True)
class Corpus:
    """Documents sorted by id, and what was left out, sorted by id."""

    documents: tuple[Document, ...]
    quarantined: tuple[Quarantined, ...] = ()


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file may cost a parser: wall-clock seconds, MiB of memory, bytes of text it turns into."""

    timeout_s: float = 30.0
    memory_mb: int = 512
    text_bytes: int = 100_000_000


class Loader(Protocol):
    """Turns the bytes of one file into documents. Made with the `Limits` of one reading."""

    @property
    def version(self) -> str:
        """Changes when the same bytes would give other documents."""
        ...

    @property
    def cached(self) -> bool:
        """Whether parsing costs so much more than a digest of the bytes that its outcome is worth keeping."""
        ...

    def load(self, content: bytes, document_id: str) -> Corpus:
        """The documents of one file, and those of its parts that are broken; DocumentError when all of it is."""
        ...


class LimitExceeded(DocumentError):
    """A file took too long or too much memory: true of this attempt, so never kept in a cache."""


def decoded(content: bytes, document_id: str) -> str:
    """UTF-8 text without its byte order mark, each line ended by one line feed; else DocumentError."""
    if content.startswith(_UTF16_MARKS):
        raise DocumentError("is UTF-16 text", where=document_id, remedy="save it as UTF-8")
    if (position := content.find(0)) >= 0:
        raise DocumentError(f"is binary, not text (NUL byte at offset {position})", where=document_id)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # "utf-8-sig" counts from behind the mark.
        offset = error.start + len(content) - len(error.object)
        raise DocumentError(
            f"not UTF-8 (byte 0x{content[offset]:02x} at offset {offset})", where=document_id, remedy="save it as UTF-8"
        ) from None
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text or text.isspace():
        raise DocumentError("is empty", where=document_id)
    return text


def plain(value: object) -> Any:
    """`value` as JSON data with text keys. Dates and other scalars become text; ValueError for NaN and infinity."""
    if isinstance(value, Mapping):
        return {_encodable(str(key)): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{value} is not a finite number")
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return _encodable(str(value))


def _encodable(text: str) -> str:
    """`text`, if UTF-8 can hold it: half of a surrogate pair, which JSON and YAML can spell, is a ValueError."""
    text.encode()
    return text
