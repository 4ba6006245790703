"""Headings first; code and tables whole."""

from __future__ import annotations

from collections.abc import Sequence

from genaiops.chunking.lengths import Ruler, ruler_for
from genaiops.chunking.outline import Block, Section, outline
from genaiops.chunking.settings import ChunkingSettings
from genaiops.chunking.tools import Piece, Tools
from genaiops.chunking.units import Boundary, Span, Unit, line_units, packed, prose_units, trimmed, with_boundary


class Markdown:
    """Cuts at headings first; within a section keeps code and tables whole when they fit, and cuts the rest
    as the recursive strategy does. Small neighbouring sections of one parent share a chunk.
    """

    def __init__(self, settings: ChunkingSettings, tools: Tools) -> None:
        self._settings, self._tools = settings, tools

    def pieces(self, text: str) -> list[Piece]:
        ruler = ruler_for(text, self._settings, self._tools)
        cutter = SectionCutter(text, ruler, self._settings.size, self._settings.overlap)
        return [Piece(*span) for span in cutter.spans(outline(text))]


class SectionCutter:
    """Cuts the sections of one text into spans of at most `size`."""

    def __init__(self, text: str, ruler: Ruler, size: int, overlap: int) -> None:
        self._text, self._ruler, self._size, self._overlap = text, ruler, size, overlap

    def spans(self, section: Section, heading: int | None = None) -> list[Span]:
        """The spans of a section. `heading` is where the headings above it begin that have no text of their own."""
        start = section.start if heading is None else heading
        whole = trimmed(self._text, start, section.end)
        if whole is None:
            return []
        if self._fits(*whole):
            return [whole]
        bare = all(block.kind == "heading" for block in section.blocks if not self._is_blank(block))
        parts: list[list[Span]] = []
        if not (bare and section.sections):
            parts.append(packed(self._units(start, section.blocks), self._size, self._overlap, self._ruler))
        for position, child in enumerate(section.sections):
            above = start if bare and position == 0 else None
            parts.append(self.spans(child, above))
        return self._merged([part for part in parts if part])

    def _fits(self, start: int, end: int) -> bool:
        return self._ruler.length(start, end) <= self._size

    def _units(self, start: int, blocks: Sequence[Block]) -> list[Unit]:
        """The units of a section's own blocks, and of the bare headings above it from `start`."""
        units: list[Unit] = []
        first = blocks[0].start if blocks else start
        if start < first:
            above = line_units(self._text, start, first, self._size, self._ruler)
            units += (with_boundary(unit, Boundary.GLUE) for unit in above)
        after_heading = bool(units)
        for block in blocks:
            span = trimmed(self._text, block.start, block.end)
            if span is None:
                continue
            room = self._size - (self._ruler.length(units[0].start, span[0]) if after_heading else 0)
            new = self._block_units(block, span, room)
            units += (with_boundary(new[0], Boundary.GLUE), *new[1:]) if after_heading else new
            after_heading = block.kind == "heading"
        return units

    def _block_units(self, block: Block, span: Span, room: int) -> list[Unit]:
        """`room` is what a chunk has left for code or a table that shall stay whole."""
        if block.kind == "prose":
            return prose_units(self._text, *span, self._size, self._ruler)
        if self._ruler.length(*span) <= room:
            return [Unit(*span, Boundary.PARAGRAPH)]
        lines = line_units(self._text, *span, self._size, self._ruler, blank=Boundary.SENTENCE)
        # These stay together: header, delimiter and first row of a table; fence and first line of code.
        head = {"table": 3, "code": 2}.get(block.kind, 1)
        lines[1:head] = (with_boundary(line, Boundary.GLUE) for line in lines[1:head])
        return lines

    def _is_blank(self, block: Block) -> bool:
        return trimmed(self._text, block.start, block.end) is None

    def _merged(self, parts: Sequence[Sequence[Span]]) -> list[Span]:
        """All spans in order; neighbouring parts of one span each share one when it fits."""
        spans: list[Span] = []
        small = False
        for part in parts:
            if small and len(part) == 1 and self._fits(spans[-1][0], part[0][1]):
                spans[-1] = (spans[-1][0], part[0][1])
            else:
                spans += part
            small = len(part) == 1
        return spans
