"""JSONL: one document per line; a broken line is quarantined alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any, NoReturn

from genaiops.documents.loading import Corpus, Quarantined, TextFormat, decoded, plain, unix_lines
from genaiops.records import Document

ID_FIELDS = ("id", "_id", "doc_id")
TEXT_FIELDS = ("text", "content", "body")
_LONGEST_ID = 512
_MOST_VALUES = 3_000_000  # of some hundred bytes each


class EmptyText(ValueError):
    """An object is intact and holds no text."""


class JsonLinesLoader(TextFormat):
    """One JSON object per line, the document `path#<id>`.

    The id is the first of `id`, `_id`, `doc_id` that is given, else the line number; the text is the
    first of `text`, `content`, `body`, with `title` put before it. Every other field becomes metadata,
    and so does the title.
    """

    name = "jsonl"

    def load(self, content: bytes, document_id: str) -> Corpus:
        # Not splitlines: U+2028 and its like may stand inside a JSON string.
        lines = enumerate(decoded(content, document_id).split("\n"), 1)
        rows = ((number, line) for number, line in lines if line and not line.isspace())
        return gathered(rows, document_id, "line", parsed)


def gathered(
    rows: Iterable[tuple[int, Any]], document_id: str, what: str, read: Callable[[Any], object] = lambda row: row
) -> Corpus:
    """The documents of numbered rows, and a reason for each row that is none, named by `what` and its number."""
    documents: dict[str, Document] = {}
    numbers: dict[str, int] = {}
    left_out: list[Quarantined] = []
    for number, row in rows:
        try:
            document = document_of(read(row), document_id, number)
            if document.id in documents:
                raise ValueError(f"id {document.id!r} was already given by {what} {numbers[document.id]}")
        except (ValueError, RecursionError) as error:
            left_out.append(Quarantined(document_id, f"{what} {number}: {reason_of(error)}", kind_of(error)))
            continue
        documents[document.id], numbers[document.id] = document, number
    return Corpus(tuple(documents.values()), tuple(left_out))


def parsed(text: str) -> object:
    """The JSON value of a text. ValueError, RecursionError: it is none, or holds so many that memory would not do."""
    if len(text) > _MOST_VALUES and sum(map(text.count, "[{,")) > _MOST_VALUES:
        raise ValueError(f"holds more than {_MOST_VALUES:,} values")
    return json.loads(text, parse_constant=_refuse_constant)


def document_of(data: object, file_id: str, number: int | None) -> Document:
    """The document of one object, `file_id` itself when it has no number. ValueError says what is wrong with it."""
    if not isinstance(data, dict):
        raise ValueError(f"expected an object, got {type(data).__name__}")
    row: dict[str, Any] = plain(data)
    document_id = file_id if number is None else f"{file_id}#{_key(row, number)}"
    field = next((name for name in TEXT_FIELDS if name in row), None)
    if field is None:
        raise ValueError(f"no text: none of {', '.join(TEXT_FIELDS)} is given")
    text = row.pop(field)
    if not isinstance(text, str):
        raise ValueError(f"{field} must be a string, got {type(text).__name__}")
    title = row.get("title")
    title = title.strip() if isinstance(title, str) else ""
    if not text.strip() and not title:
        raise EmptyText(f"{field} is empty")
    text = "\n\n".join(part for part in (title, text) if part)
    return Document(document_id, unix_lines(text), row)


def _key(row: dict[str, Any], number: int) -> str:
    """The id within the file; takes its field out of the row."""
    field = next((name for name in ID_FIELDS if name in row), None)
    if field is None:
        return str(number)
    value = row.pop(field)
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise ValueError(f"{field} must be a string or a whole number, got {type(value).__name__}")
    key = str(value)
    if not key.strip() or not key.isprintable() or len(key) > _LONGEST_ID:
        raise ValueError(f"{field} must be 1 to {_LONGEST_ID} printable characters, got {key[:40]!r}")
    return key


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def kind_of(error: Exception) -> str:
    """The kind of `Quarantined` that an error makes."""
    return "empty" if isinstance(error, EmptyText) else "unreadable"


def reason_of(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"not valid JSON: {error.msg} (column {error.colno})"
    if isinstance(error, UnicodeEncodeError):
        return "not valid JSON: half of a surrogate pair"
    return "not valid JSON: nested too deeply" if isinstance(error, RecursionError) else str(error)
