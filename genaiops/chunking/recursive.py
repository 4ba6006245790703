"""Paragraphs, else sentences, lines, words and at last characters."""

from __future__ import annotations

from genaiops.chunking.lengths import ruler_for
from genaiops.chunking.settings import ChunkingSettings
from genaiops.chunking.tools import Piece, Tools
from genaiops.chunking.units import packed, prose_units


class Recursive:
    """Cuts at the strongest boundary that keeps a chunk within its size; knows no headings."""

    def __init__(self, settings: ChunkingSettings, tools: Tools) -> None:
        self._settings, self._tools = settings, tools

    def pieces(self, text: str) -> list[Piece]:
        size, ruler = self._settings.size, ruler_for(text, self._settings, self._tools)
        units = prose_units(text, 0, len(text), size, ruler)
        return [Piece(*span) for span in packed(units, size, self._settings.overlap, ruler)]
