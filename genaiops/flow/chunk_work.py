"""Cutting documents into chunks, as a piece of work that any engine can do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from genaiops.flow.chunkers import LACKS, chunker_of
from genaiops.flow.settings import FlowSettings
from genaiops.project import Project
from genaiops.records import Document

if TYPE_CHECKING:
    from genaiops.chunking import Chunker
    from genaiops.indexing.writing import ChunkBlock

_BLOCK_CHARACTERS = 500_000
_BLOCK_DOCUMENTS = 256


class CutDocument(NamedTuple):
    """The chunks of one document; `lacking` has the id and the enrichers of each that a model failed."""

    chunks: ChunkBlock
    lacking: list[list[str]]


@dataclass(frozen=True, slots=True)
class ChunkWork:
    """The chunks of each document of a block, and which of them a model should have enriched and did not.

    `base` is the flow's folder; `full` uses no cache; `strict` makes the failure of such a model an error.
    """

    project: Project
    settings: FlowSettings
    base: Path
    full: bool = False
    strict: bool = False

    def __call__(self, block: Sequence[Document]) -> list[CutDocument]:
        from genaiops.indexing.writing import ChunkBlock

        chunker = self.chunker()
        cut = []
        for document in block:
            chunks = chunker.chunk(document)
            lacking = [[chunk.id, *chunk.metadata[LACKS]] for chunk in chunks if LACKS in chunk.metadata]
            cut.append(CutDocument(ChunkBlock.of(chunks), lacking))
        return cut

    def chunker(self) -> Chunker:
        return chunker_of(self.project, self.settings, self.base, full=self.full, strict=self.strict)


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
