"""Windows of one length, wherever they fall: the baseline that every other strategy must beat."""

from __future__ import annotations

import re

from genaiops.chunking.lengths import ruler_for
from genaiops.chunking.settings import ChunkingSettings
from genaiops.chunking.tools import Piece, Tools
from genaiops.chunking.units import trimmed

_BLACK = re.compile(r"\S")


class Fixed:
    """Cuts after `size` and begins again `overlap` before the cut, in the middle of a word if it falls so."""

    def __init__(self, settings: ChunkingSettings, tools: Tools) -> None:
        self._settings, self._tools = settings, tools

    def pieces(self, text: str) -> list[Piece]:
        size, overlap = self._settings.size, self._settings.overlap
        ruler = ruler_for(text, self._settings, self._tools)
        found: list[Piece] = []
        first = _BLACK.search(text)
        while first:
            start = first.start()
            window = trimmed(text, start, min(ruler.reach(start, size), len(text)))
            stop = window[1] if window else start + 1
            if not found or stop > found[-1].end:
                found.append(Piece(start, stop))
            following = _BLACK.search(text, stop)
            if following is None:
                break
            # The overlap must leave each window something new.
            first = _BLACK.search(text, max(ruler.back(stop, overlap), start + 1))
        return found
