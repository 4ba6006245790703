"""What is put before a chunk's text for embedding and search; the text itself stays the exact span."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from genaiops.chunking.outline import blocks
from genaiops.records import Chunk, Document

Enricher = Callable[[Document, Sequence[Chunk]], list[Chunk]]

SEPARATOR = " > "


def heading_path(document: Document, chunks: Sequence[Chunk]) -> list[Chunk]:
    """Puts `A > B > C` on a line before each text: the headings that hold all of the chunk.

    The path is also `metadata["heading_path"]`, a list. A text without a heading of the first level has the
    document's title, if its metadata holds one, in that place. `chunks` are in order of their start.
    """
    headings = [block for block in blocks(document.text) if block.kind == "heading"]
    title = document.metadata.get("title")
    above = [title.strip()] if isinstance(title, str) and all(h.level > 1 for h in headings) else []
    open_headings: list[tuple[int, str]] = []
    position = 0
    enriched = []
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
        before = f"{SEPARATOR.join(names)}\n" if names else ""
        metadata = {**chunk.metadata, "heading_path": names}
        enriched.append(replace(chunk, indexed_text=before + chunk.indexed_text, metadata=metadata))
    return enriched


def _open(open_headings: list[tuple[int, str]], level: int, title: str) -> None:
    while open_headings and open_headings[-1][0] >= level:
        open_headings.pop()
    open_headings.append((level, title))


ENRICHERS: Mapping[str, Enricher] = {"heading_path": heading_path}
