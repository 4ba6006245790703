"""Cutting documents into chunks, as a piece of work that any engine can do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from genaiops.chunking import chunker_for
from genaiops.embedding import CorpusEmbedder
from genaiops.flow.settings import FlowSettings
from genaiops.records import Document

if TYPE_CHECKING:
    from genaiops.chunking import Chunker
    from genaiops.indexing.writing import ChunkBlock

_BLOCK_CHARACTERS = 500_000
_BLOCK_DOCUMENTS = 256


@dataclass(frozen=True, slots=True)
class ChunkWork:
    """The chunks of each document of a block."""

    settings: FlowSettings
    embedder: CorpusEmbedder

    def __call__(self, block: Sequence[Document]) -> list[ChunkBlock]:
        from genaiops.indexing.writing import ChunkBlock

        chunker = self.chunker()
        return [ChunkBlock.of(chunker.chunk(document)) for document in block]

    def chunker(self) -> Chunker:
        return chunker_for(self.settings.chunking, self.settings.enrichment)


def in_blocks(documents: Iterable[Document]) -> Iterator[list[Document]]:
    """Documents in blocks of like cost, each small against the memory of a worker."""
    block: list[Document] = []
    characters = 0
    for document in documents:
        block.append(document)
        characters += len(document.text)
        if characters >= _BLOCK_CHARACTERS or len(block) >= _BLOCK_DOCUMENTS:
            yield block
            block, characters = [], 0
    if block:
        yield block
