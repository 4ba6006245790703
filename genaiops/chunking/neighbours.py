"""Which chunk stands before and behind each one, and the words next to it."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from genaiops.chunking.tools import Addition
from genaiops.configuration import Settings
from genaiops.records import Chunk, Document


class NeighbourOptions(Settings):
    """`before`: so many characters that stand before a chunk are searched with it, from the beginning of a word."""

    before: int = Field(default=0, ge=0, le=2_000)


class Neighbours:
    """`metadata["previous"]` and `["next"]` are the ids of the chunks of the same document beside each one."""

    def __init__(self, options: NeighbourOptions) -> None:
        self._most = options.before

    def additions(self, document: Document, chunks: Sequence[Chunk]) -> list[Addition]:
        ids = [chunk.id for chunk in chunks]
        added = []
        for position, chunk in enumerate(chunks):
            beside = {}
            if position > 0:
                beside["previous"] = ids[position - 1]
            if position + 1 < len(ids):
                beside["next"] = ids[position + 1]
            added.append(Addition(_words_before(document.text, chunk.start, self._most), beside))
        return added


def _words_before(text: str, end: int, most: int) -> str:
    start = max(0, end - most)
    words = text[start:end]
    if start > 0 and not text[start - 1].isspace():  # half a word
        words = words.partition(" ")[2]
    return " ".join(words.split())
