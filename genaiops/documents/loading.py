"""What every loader takes and gives, what a cleaner does, and how bytes become text."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from genaiops.errors import DocumentError
from genaiops.records import Document

_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A document that was left out, and why. `document_id` is the file's id where one line of it is meant.

    `kind` is `unreadable`, `empty`, `secret`, `injection` or `duplicate`.
    """

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
    def name(self) -> str:
        """The format, as an index tells it of its documents."""
        ...

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


class TextFormat:
    """What loaders share that need no parser: reading text costs what the file's size says, so nothing is limited."""

    version = "1"
    cached = False

    def __init__(self, limits: Limits) -> None:
        """As every loader is made."""


class Clean(Protocol):
    """Turns one loaded document into a clean one, or says why it must be left out."""

    @property
    def version(self) -> str:
        """Digest of the settings and the code that clean: part of the key of every cached document."""
        ...

    def clean(self, document: Document) -> Document | Quarantined:
        """Sees the document before any cache does."""
        ...


class LimitExceeded(DocumentError):
    """A file took too long or too much memory: true of this attempt, so never kept in a cache."""


class EmptyDocument(DocumentError):
    """A file is intact and holds no text."""

    kind: ClassVar[str] = "empty"


def quarantined(error: DocumentError, document_id: str) -> Quarantined:
    """What is kept of an error: its reason with the line, without the file that the id already names."""
    line = error.where.removeprefix(f"{document_id}:")
    reason = error.what if line == error.where else f"line {line}: {error.what}"
    kind = error.kind if isinstance(error, EmptyDocument) else "unreadable"
    return Quarantined(document_id, f"{reason}; {error.remedy}" if error.remedy else reason, kind)


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
    text = unix_lines(text)
    if not text or text.isspace():
        raise EmptyDocument("is empty", where=document_id)
    return text


def unix_lines(text: str) -> str:
    """`text` with every line ended by one line feed."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


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
