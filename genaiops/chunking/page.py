"""One chunk per page, where a form feed ends a page, as in text extracted from PDF."""

from __future__ import annotations

import re

from genaiops.chunking.lengths import ruler_for
from genaiops.chunking.settings import ChunkingSettings
from genaiops.chunking.tools import Piece, Tools
from genaiops.chunking.units import packed, prose_units

_PAGE = re.compile(r"[^\f]+")


class Pages:
    """No chunk crosses a page; a page too long is cut as the recursive strategy does. `metadata["page"]` is from 1."""

    def __init__(self, settings: ChunkingSettings, tools: Tools) -> None:
        self._settings, self._tools = settings, tools

    def pieces(self, text: str) -> list[Piece]:
        size, ruler = self._settings.size, ruler_for(text, self._settings, self._tools)
        found: list[Piece] = []
        page, counted = 1, 0
        for match in _PAGE.finditer(text):
            page += text.count("\f", counted, match.start())
            counted = match.start()
            units = prose_units(text, *match.span(), size, ruler)
            found += (Piece(*span, {"page": page}) for span in packed(units, size, self._settings.overlap, ruler))
        return found
