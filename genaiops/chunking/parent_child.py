"""Small chunks to search, larger spans around them to read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from genaiops.chunking.lengths import ruler_for
from genaiops.chunking.markdown import SectionCutter
from genaiops.chunking.outline import Block, blocks, tree
from genaiops.chunking.settings import ChunkingSettings
from genaiops.chunking.tools import Piece, Tools
from genaiops.chunking.units import Span


class ParentChild:
    """Cuts as the Markdown strategy does twice: into parents of `parent_size`, and each of them into chunks.

    `metadata["parent"]` is the `[start, end]` of the parent; chunks of one parent share it. Parents share no text.
    """

    def __init__(self, settings: ChunkingSettings, tools: Tools) -> None:
        self._settings, self._tools = settings, tools

    def pieces(self, text: str) -> list[Piece]:
        ruler = ruler_for(text, self._settings, self._tools)
        whole = list(blocks(text))
        parents = SectionCutter(text, ruler, self._settings.parent, 0).spans(tree(whole, 0, len(text)))
        children = SectionCutter(text, ruler, self._settings.size, self._settings.overlap)
        return [
            Piece(*span, {"parent": list(parent)})
            for parent, inside in zip(parents, _inside(whole, parents), strict=True)
            for span in children.spans(tree(inside, *parent))
        ]


def _inside(whole: Sequence[Block], spans: Sequence[Span]) -> Iterator[list[Block]]:
    """For each of the spans, in order and apart, the blocks in it, cut at its ends."""
    first = 0
    for start, end in spans:
        while first < len(whole) and whole[first].end <= start:
            first += 1
        last = first
        while last < len(whole) and whole[last].start < end:
            last += 1
        yield [replace(block, start=max(block.start, start), end=min(block.end, end)) for block in whole[first:last]]
