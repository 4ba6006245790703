"""JSON: an object is one document, a list of objects one document each."""

from __future__ import annotations

import json

from genaiops.documents.json_lines import document_of, kind_of, parsed, reason_of
from genaiops.documents.loading import Corpus, Limits, Quarantined, decoded
from genaiops.errors import DocumentError
from genaiops.records import Document


class JsonLoader:
    """An object or a list of objects, with the fields of a line of JSONL.

    An object alone is the document `path`; those of a list are `path#<id>`, or `path#<position>` from 1.
    """

    name = "json"
    version = "1"
    cached = False

    def __init__(self, limits: Limits) -> None:
        """Reading text costs what the file's size says; there is nothing to limit."""

    def load(self, content: bytes, document_id: str) -> Corpus:
        try:
            data = parsed(decoded(content, document_id))
        except (ValueError, RecursionError) as error:
            line = error.lineno if isinstance(error, json.JSONDecodeError) else None
            raise DocumentError(reason_of(error), where=document_id, line=line) from None
        if isinstance(data, dict):
            try:
                return Corpus((document_of(data, document_id, None),))
            except ValueError as error:
                raise DocumentError(reason_of(error), where=document_id) from None
        if not isinstance(data, list):
            raise DocumentError(
                f"expected an object or a list of objects, got {type(data).__name__}", where=document_id
            )
        return gathered(data, document_id, "item")


def gathered(rows: list[object], document_id: str, what: str) -> Corpus:
    """The documents of `rows`, and a reason for each row that is none, named by `what` and its position."""
    documents: dict[str, Document] = {}
    positions: dict[str, int] = {}
    left_out: list[Quarantined] = []
    for number, row in enumerate(rows, 1):
        try:
            document = document_of(row, document_id, number)
            if document.id in documents:
                raise ValueError(f"id {document.id!r} was already given by {what} {positions[document.id]}")
        except ValueError as error:
            left_out.append(Quarantined(document_id, f"{what} {number}: {reason_of(error)}", kind_of(error)))
            continue
        documents[document.id], positions[document.id] = document, number
    return Corpus(tuple(documents.values()), tuple(left_out))
