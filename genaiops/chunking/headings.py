"""The headings above a chunk, and the title of its document."""

from __future__ import annotations

from collections.abc import Sequence

from genaiops.chunking.outline import Block, blocks
from genaiops.chunking.tools import Addition
from genaiops.records import Chunk, Document

SEPARATOR = " > "
_LONGEST = 200  # characters of a title


class HeadingPath:
    """Puts `A > B > C` before each text: the headings that hold all of the chunk.

    The path is also `metadata["heading_path"]`, a list. A text without a heading of the first level has the
    document's title, if its metadata holds one, in that place.
    """

    def additions(self, document: Document, chunks: Sequence[Chunk]) -> list[Addition]:
        headings = _headings(document)
        title = document.metadata.get("title")
        above = [title.strip()] if isinstance(title, str) and all(h.level > 1 for h in headings) else []
        open_headings: list[tuple[int, str]] = []
        position = 0
        added = []
        for chunk in chunks:
            while position < len(headings) and headings[position].start <= chunk.start:
                _open(open_headings, headings[position].level, headings[position].title)
                position += 1
            path = list(open_headings)
            inside = position
            while inside < len(headings) and headings[inside].start < chunk.end:
                while path and path[-1][0] >= headings[inside].level:
                    path.pop()
                inside += 1
            names = [name for name in (*above, *(name for _, name in path)) if name]
            added.append(Addition(SEPARATOR.join(names), {"heading_path": names}))
        return added


class Title:
    """Puts the document's title before each text: that of its metadata, else its first heading of the highest level.

    The title is also `metadata["title"]`. A document with neither adds nothing.
    """

    def additions(self, document: Document, chunks: Sequence[Chunk]) -> list[Addition]:
        given = document.metadata.get("title")
        title = " ".join(given.split()) if isinstance(given, str) else ""
        if not title:
            first = min(_headings(document), key=lambda heading: heading.level, default=None)
            title = first.title if first else ""
        title = title[:_LONGEST]
        return [Addition(title, {"title": title} if title else {}) for _ in chunks]


def _headings(document: Document) -> list[Block]:
    return [block for block in blocks(document.text) if block.kind == "heading"]


def _open(open_headings: list[tuple[int, str]], level: int, title: str) -> None:
    while open_headings and open_headings[-1][0] >= level:
        open_headings.pop()
    open_headings.append((level, title))
