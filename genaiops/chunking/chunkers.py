"""The two strategies, their settings, and how to get a chunker."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, Protocol

from pydantic import Field, model_validator

from genaiops.chunking.enrichment import ENRICHERS
from genaiops.chunking.outline import Block, Section, outline
from genaiops.chunking.units import Boundary, Span, Unit, line_units, packed, prose_units, trimmed, with_boundary
from genaiops.errors import ConfigurationError
from genaiops.records import Chunk, Document, Settings, digest_of

# Part of every chunk's settings digest: raise one when its strategy would cut a text elsewhere than before.
VERSIONS = {"recursive": 2, "markdown": 2}


class ChunkingSettings(Settings):
    """`chunking` of flow.yaml. `size` is the most characters a chunk has, `overlap` the most it repeats."""

    strategy: Literal["markdown", "recursive"] = "markdown"
    size: int = Field(default=800, ge=50, le=20_000)
    overlap: int = Field(default=80, ge=0)

    @model_validator(mode="after")
    def _overlap_below_size(self) -> ChunkingSettings:
        if self.overlap >= self.size:
            raise ValueError(f"chunking.overlap must be below size={self.size}, got {self.overlap}")
        return self

    @property
    def digest(self) -> str:
        """What chunk ids carry: the settings and the version of the strategy."""
        return digest_of([self, VERSIONS[self.strategy]])


class Chunker(Protocol):
    """Cuts a document into chunks, in order, that together hold all of its text but white space."""

    def chunk(self, document: Document) -> list[Chunk]: ...


class RecursiveChunker:
    """Cuts at paragraphs, else at sentences, lines, words and at last characters; knows no headings."""

    def __init__(self, settings: ChunkingSettings) -> None:
        self._settings = settings

    def chunk(self, document: Document) -> list[Chunk]:
        size = self._settings.size
        units = prose_units(document.text, 0, len(document.text), size)
        return _chunks(document, packed(units, size, self._settings.overlap), self._settings.digest)


class MarkdownChunker:
    """Cuts at headings first; within a section keeps code and tables whole when they fit, and cuts the rest
    as the recursive strategy does. Small neighbouring sections of one parent share a chunk.
    """

    def __init__(self, settings: ChunkingSettings) -> None:
        self._settings = settings

    def chunk(self, document: Document) -> list[Chunk]:
        pieces = self._pieces(document.text, outline(document.text), None)
        return _chunks(document, pieces, self._settings.digest)

    def _pieces(self, text: str, section: Section, heading: int | None) -> list[Span]:
        """The spans of a section. `heading` is where the headings above it begin that have no text of their own."""
        size = self._settings.size
        start = section.start if heading is None else heading
        whole = trimmed(text, start, section.end)
        if whole is None:
            return []
        if whole[1] - whole[0] <= size:
            return [whole]
        bare = all(block.kind == "heading" for block in section.blocks if not _is_blank(text, block))
        parts: list[list[Span]] = []
        if not (bare and section.sections):
            units = self._units(text, start, section.blocks)
            parts.append(packed(units, size, self._settings.overlap))
        for position, child in enumerate(section.sections):
            above = start if bare and position == 0 else None
            parts.append(self._pieces(text, child, above))
        return _merged([part for part in parts if part], size)

    def _units(self, text: str, start: int, blocks: Sequence[Block]) -> list[Unit]:
        """The units of a section's own blocks, and of the bare headings above it from `start`."""
        units: list[Unit] = []
        first = blocks[0].start if blocks else start
        if start < first:
            above = line_units(text, start, first, self._settings.size)
            units += (with_boundary(unit, Boundary.GLUE) for unit in above)
        after_heading = bool(units)
        for block in blocks:
            span = trimmed(text, block.start, block.end)
            if span is None:
                continue
            room = self._settings.size - (span[0] - units[0].start if after_heading else 0)
            new = self._block_units(text, block, span, room)
            units += (with_boundary(new[0], Boundary.GLUE), *new[1:]) if after_heading else new
            after_heading = block.kind == "heading"
        return units

    def _block_units(self, text: str, block: Block, span: Span, room: int) -> list[Unit]:
        """`room` is what a chunk has left for code or a table that shall stay whole."""
        size = self._settings.size
        if block.kind == "prose":
            return prose_units(text, *span, size)
        if span[1] - span[0] <= room:
            return [Unit(*span, Boundary.PARAGRAPH)]
        lines = line_units(text, *span, size, blank=Boundary.SENTENCE)
        # These stay together: header, delimiter and first row of a table; fence and first line of code.
        head = {"table": 3, "code": 2}.get(block.kind, 1)
        lines[1:head] = (with_boundary(line, Boundary.GLUE) for line in lines[1:head])
        return lines


def _is_blank(text: str, block: Block) -> bool:
    return trimmed(text, block.start, block.end) is None


def _merged(parts: Sequence[Sequence[Span]], size: int) -> list[Span]:
    """All spans in order; neighbouring parts of one span each share one when it fits."""
    spans: list[Span] = []
    small = False
    for part in parts:
        if small and len(part) == 1 and part[0][1] - spans[-1][0] <= size:
            spans[-1] = (spans[-1][0], part[0][1])
        else:
            spans += part
        small = len(part) == 1
    return spans


def _chunks(document: Document, spans: Sequence[Span], settings: str) -> list[Chunk]:
    pieces = ((start, end, document.text[start:end]) for start, end in spans)
    return [Chunk(document.id, start, end, text, settings, text) for start, end, text in pieces]


class _Enriched:
    def __init__(self, chunker: Chunker, enrichment: Sequence[str]) -> None:
        self._chunker = chunker
        self._enrichers = [ENRICHERS[name] for name in enrichment]

    def chunk(self, document: Document) -> list[Chunk]:
        chunks = self._chunker.chunk(document)
        for enrich in self._enrichers:
            chunks = enrich(document, chunks)
        return chunks


CHUNKERS: Mapping[str, Callable[[ChunkingSettings], Chunker]] = {
    "markdown": MarkdownChunker,
    "recursive": RecursiveChunker,
}


def chunker_for(settings: ChunkingSettings, enrichment: Sequence[str] = ()) -> Chunker:
    """The chunker of these settings, whose chunks every enricher named adds to, in that order.

    ConfigurationError for an enricher that is not in `ENRICHERS`, or given twice.
    """
    for position, name in enumerate(enrichment):
        if name not in ENRICHERS:
            close = difflib.get_close_matches(name, ENRICHERS, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(ENRICHERS)}"
            raise ConfigurationError(f"no enrichment {name!r}", remedy=hint)
        if name in enrichment[:position]:
            raise ConfigurationError(f"enrichment {name!r} is given twice", remedy="remove one of the two")
    chunker = CHUNKERS[settings.strategy](settings)
    return _Enriched(chunker, enrichment) if enrichment else chunker
