"""Fields of the document's metadata on each of its chunks, to filter and to search by."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from genaiops.chunking.tools import Addition
from genaiops.configuration import Settings
from genaiops.records import Chunk, Document


class FieldOptions(Settings):
    """`fields` go into each chunk's metadata; with `search`, also before its text, as `product: aks`."""

    fields: tuple[str, ...] = Field(min_length=1)
    search: bool = False


class Fields:
    """Copies the fields that a document has; a document without one of them has chunks without it."""

    def __init__(self, options: FieldOptions) -> None:
        self._options = options

    def additions(self, document: Document, chunks: Sequence[Chunk]) -> list[Addition]:
        found = {name: document.metadata[name] for name in self._options.fields if name in document.metadata}
        before = ""
        if self._options.search:
            before = "\n".join(f"{name}: {_shown(value)}" for name, value in found.items())
        return [Addition(before, found) for _ in chunks]


def _shown(value: object) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_shown, value))
    return " ".join(str(value).split())
