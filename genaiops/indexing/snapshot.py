"""One folder, written once, read many times: chunks, documents, vectors, full text, manifest."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from genaiops.errors import IndexMismatch, IntegrityError
from genaiops.indexing.conditions import ACCESS_KEY
from genaiops.indexing.filters import Columns, Selection
from genaiops.indexing.full_text import FullText
from genaiops.indexing.manifest import (
    CHUNKS_FILE,
    DOCUMENTS_FILE,
    FULL_TEXT_FOLDER,
    PROVENANCE_FILE,
    Manifest,
    read_manifest,
    verify_files,
)
from genaiops.indexing.stored import StoredChunks, StoredTexts, parsing
from genaiops.indexing.stores import open_vectors
from genaiops.indexing.vectors import VectorStore
from genaiops.indexing.writing import write_index
from genaiops.records import Chunk, Document, Query

__all__ = ["Index", "documents_in", "load_index", "read_chunks_of", "read_documents_of", "write_index"]


@dataclass(frozen=True)
class Index:
    """An open snapshot. Positions are those of `chunks`, in every part of it."""

    manifest: Manifest
    chunks: Sequence[Chunk]
    vectors: VectorStore
    full_text: FullText
    texts: StoredTexts

    @property
    def id(self) -> str:
        return self.manifest.id

    def chunk(self, position: int) -> Chunk:
        return self.chunks[position]

    def document_text(self, document_id: str) -> str:
        """The text that the chunks of a document are spans of. NotFound."""
        return self.texts[document_id]

    def select(self, query: Query) -> Selection | None:
        """The positions that `query.where` and `query.access` permit; None when that is all of them.

        Give it to the searches as `within`. ConfigurationError when `where` has a form that there is not.
        """
        labelled = not isinstance(self.chunks, StoredChunks) or self.chunks.has_key(ACCESS_KEY)
        if not query.where and not labelled:
            return None  # the usual question to the usual index reads no metadata
        return self._columns.select(query)

    @property
    def document_numbers(self) -> NDArray[np.int32]:
        """For each position the number of its document, counted from 0 in the order of the chunks: int32 `[chunks]`."""
        return self._columns.of_document

    @cached_property
    def _columns(self) -> Columns:
        if isinstance(self.chunks, StoredChunks):
            return Columns(self.chunks.labels())
        return Columns((chunk.document_id, chunk.metadata) for chunk in self.chunks)


def load_index(folder: Path, *, embedder: str) -> Index:
    """Open the snapshot in `folder`, every file checked against the manifest before it is parsed.

    `embedder` is the fingerprint of the embedder that will embed the questions.
    Raises NotBuilt, IntegrityError, or IndexMismatch when the vectors are another embedder's.
    """
    manifest = read_manifest(folder)
    if manifest.embedder != embedder:
        raise IndexMismatch(
            f"the index was built with embedder {manifest.embedder[:12]}, the flow now uses {embedder[:12]}",
            where=folder,
            remedy="build it with this embedder: genaiops build FLOW, or set embedding.model back",
        )
    verify_files(folder, manifest.files)
    with parsing(folder):
        chunks = StoredChunks(folder / CHUNKS_FILE)
        vectors = open_vectors(folder, manifest)
        full_text = FullText(folder / FULL_TEXT_FOLDER)
    if not len(vectors) == len(full_text) == len(chunks):
        counts = f"{len(vectors)} vectors and {len(full_text)} texts for {len(chunks)} chunks"
        raise IntegrityError(counts, where=folder, remedy="rebuild it: genaiops build FLOW --full")
    if len(chunks) and vectors.dimension != manifest.counts["dimension"]:
        what = f"the vectors have {vectors.dimension} dimensions, the manifest says {manifest.counts['dimension']}"
        raise IntegrityError(what, where=folder, remedy="rebuild it: genaiops build FLOW --full")
    return Index(manifest, chunks, vectors, full_text, StoredTexts(folder / DOCUMENTS_FILE))


def read_chunks_of(folder: Path) -> tuple[Chunk, ...]:
    """The chunks of a snapshot, checked; no embedder is needed."""
    verify_files(folder, read_manifest(folder).files)
    with parsing(folder), (folder / CHUNKS_FILE).open(encoding="utf-8") as stream:
        return tuple(Chunk(**json.loads(line)) for line in stream)


def read_documents_of(folder: Path) -> tuple[Document, ...]:
    """The documents a snapshot was built from, with their origins and edits."""
    verify_files(folder, read_manifest(folder).files)
    return documents_in(folder)


def documents_in(folder: Path) -> tuple[Document, ...]:
    """As `read_documents_of`, of a snapshot whose other files may be damaged; these two were checked by the caller."""
    with parsing(folder):
        rows = [json.loads(line) for line in (folder / DOCUMENTS_FILE).read_text(encoding="utf-8").split("\n")[:-1]]
        provenance = folder / PROVENANCE_FILE
        if provenance.exists():  # indexes of format 1 have none
            origins = provenance.read_text(encoding="utf-8").split("\n")[:-1]
            rows = [{**json.loads(origin), **row} for row, origin in zip(rows, origins, strict=True)]
        return tuple(Document.from_json(row) for row in rows)
