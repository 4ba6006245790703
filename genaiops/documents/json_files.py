"""JSON: an object is one document, a list of objects one document each."""

from __future__ import annotations

import json

from genaiops.documents.json_lines import document_of, gathered, parsed, reason_of
from genaiops.documents.loading import Corpus, TextFormat, decoded
from genaiops.errors import DocumentError


class JsonLoader(TextFormat):
    """An object or a list of objects, with the fields of a line of JSONL.

    An object alone is the document `path`; those of a list are `path#<id>`, or `path#<position>` from 1.
    """

    name = "json"

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
        return gathered(enumerate(data, 1), document_id, "item")
