"""What is added to chunks for search and filters; the text of a chunk stays the exact span.

Every enricher says what goes before a chunk's text, and what into its metadata. The lines before the text stand in
the order in which the enrichers are named, the text comes last.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from genaiops.chunking.fields import FieldOptions, Fields
from genaiops.chunking.generated import QUESTIONS, SUMMARY, Generated, GeneratedOptions
from genaiops.chunking.headings import HeadingPath, Title
from genaiops.chunking.keywords import KeywordOptions, Keywords
from genaiops.chunking.neighbours import NeighbourOptions, Neighbours
from genaiops.chunking.tools import LACKS, Chunker, Enricher, Tools
from genaiops.configuration import Settings
from genaiops.errors import ConfigurationError
from genaiops.records import Chunk, Document

# An entry of `enrichment`: a name, or one name with its options.
Entry = str | Mapping[str, Any]


class NoOptions(Settings):
    """For enrichers that have none."""


ENRICHERS: Mapping[str, tuple[type[Settings], Callable[[Any, Tools], Enricher]]] = {
    "heading_path": (NoOptions, lambda options, tools: HeadingPath()),
    "title": (NoOptions, lambda options, tools: Title()),
    "keywords": (KeywordOptions, lambda options, tools: Keywords(options)),
    "neighbours": (NeighbourOptions, lambda options, tools: Neighbours(options)),
    "metadata": (FieldOptions, lambda options, tools: Fields(options)),
    "summary": (GeneratedOptions, lambda options, tools: Generated(SUMMARY, options, tools)),
    "questions": (GeneratedOptions, lambda options, tools: Generated(QUESTIONS, options, tools)),
}
# Raise one when its enricher would add something else than before.
VERSIONS: Mapping[str, int] = {
    "heading_path": 2, "title": 1, "keywords": 1, "neighbours": 1, "metadata": 1, "summary": 1, "questions": 1,
}  # fmt: skip
__all__ = [
    "BY_MODEL", "ENRICHERS", "LACKS", "Enriched", "Entry", "checked", "enrichers_for", "identity_of",
]  # fmt: skip
BY_MODEL = ("summary", "questions")


def checked(entries: Sequence[Entry]) -> list[tuple[str, Settings]]:
    """Names and options of the entries, in order.

    ConfigurationError for an entry of another shape, an enricher that is unknown or given twice, and wrong options.
    """
    found: dict[str, Settings] = {}
    for entry in entries:
        name, given = _parts(entry)
        if name not in ENRICHERS:
            close = difflib.get_close_matches(name, ENRICHERS, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(ENRICHERS)}"
            raise ConfigurationError(f"no enrichment {name!r}", remedy=hint)
        if name in found:
            raise ConfigurationError(f"enrichment {name!r} is given twice", remedy="remove one of the two")
        options = ENRICHERS[name][0]
        data = {"fields": given} if name == "metadata" and isinstance(given, (list, tuple)) else given
        try:
            found[name] = options.model_validate({} if data is None else data, strict=False)
        except ValidationError as error:
            told = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
            known = ", ".join(options.model_fields) or "none"
            raise ConfigurationError(
                f"enrichment {name!r} has wrong options ({told.lstrip(': ')})", remedy=f"its options are: {known}"
            ) from None
    return list(found.items())


def _parts(entry: Entry) -> tuple[str, Any]:
    if isinstance(entry, str):
        return entry, None
    if isinstance(entry, Mapping) and len(entry) == 1:
        name, given = next(iter(entry.items()))
        return str(name), given
    raise ConfigurationError(
        f"an entry of enrichment is a name, or one name with its options, not {entry!r}",
        remedy="write each as a list item of its own: - keywords: {most: 5}",
    )


def identity_of(entries: Sequence[Entry], model: Sequence[str] = ()) -> list[Any]:
    """What decides all that the entries add besides the documents: names, options, versions, and the model's name."""
    parts: list[Any] = []
    for name, options in checked(entries):
        facts: dict[str, Any] = {**options.model_dump(mode="json"), "version": VERSIONS[name]}
        parts.append({name: {**facts, **({"model": list(model)} if name in BY_MODEL else {})}})
    return parts


def enrichers_for(entries: Sequence[Entry], tools: Tools) -> list[Enricher]:
    """The enrichers of the entries. ConfigurationError as `checked`, and for a model that is not there."""
    return [ENRICHERS[name][1](options, tools) for name, options in checked(entries)]


class Enriched:
    """A chunker whose chunks have what every enricher adds."""

    def __init__(self, chunker: Chunker, enrichers: Sequence[Enricher]) -> None:
        self._chunker, self._enrichers = chunker, enrichers

    def chunk(self, document: Document) -> list[Chunk]:
        chunks = self._chunker.chunk(document)
        columns = [enricher.additions(document, chunks) for enricher in self._enrichers]
        enriched = []
        for position, chunk in enumerate(chunks):
            added = [column[position] for column in columns]
            before = [addition.before for addition in added if addition.before]
            metadata = dict(chunk.metadata)
            for addition in added:
                lacks = [*metadata.get(LACKS, ()), *addition.metadata.get(LACKS, ())]
                metadata.update(addition.metadata)
                if lacks:
                    metadata[LACKS] = lacks
            enriched.append(replace(chunk, indexed_text="\n".join([*before, chunk.text]), metadata=metadata))
        return enriched
