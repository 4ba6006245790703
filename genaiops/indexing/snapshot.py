"""One folder, written once, read many times: chunks, documents, vectors, full text, manifest."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from genaiops.embedding import Vectors
from genaiops.errors import IndexMismatch, IntegrityError
from genaiops.files import published_folder, sha256_of_file
from genaiops.indexing.filters import Columns, Selection
from genaiops.indexing.full_text import FullText, write_full_text
from genaiops.indexing.languages import chunk_language
from genaiops.indexing.manifest import (
    CHUNKS_FILE,
    DOCUMENTS_FILE,
    FORMAT,
    FULL_TEXT_FOLDER,
    MANIFEST_FILE,
    PROVENANCE_FILE,
    Manifest,
    index_id,
    read_manifest,
    verify_files,
)
from genaiops.indexing.stored import StoredChunks, StoredTexts, parsing
from genaiops.indexing.stores import open_vectors, write_vectors
from genaiops.indexing.vectors import VectorStore
from genaiops.records import Chunk, Document, Metadata, Query, as_json, canonical_json


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
        return self._columns.select(query)

    @cached_property
    def _columns(self) -> Columns:
        if isinstance(self.chunks, StoredChunks):
            return Columns(self.chunks.labels())
        return Columns((chunk.document_id, chunk.metadata) for chunk in self.chunks)


def write_index(
    folder: Path,
    inputs: Metadata,
    documents: Sequence[Document],
    chunks: Sequence[Chunk],
    vectors: Vectors,
    facts: Metadata,
) -> Manifest:
    """Publish a snapshot under `folder/<id>` in one rename and return its manifest.

    `vectors` is float32 `[len(chunks), dimension]`. Nothing is visible before every file is on disk.
    """
    identity = index_id(inputs)
    with published_folder(folder / identity) as aside:
        _write_lines(aside / CHUNKS_FILE, (as_json(chunk) for chunk in chunks))
        ordered = sorted(documents, key=lambda document: document.id)
        _write_lines(aside / DOCUMENTS_FILE, ({"id": d.id, "text": d.text, "metadata": d.metadata} for d in ordered))
        # Apart, since these are facts of one reading: `Manifest.content` is the same on every machine.
        _write_lines(aside / PROVENANCE_FILE, ({"id": d.id, "origin": d.origin, "edits": d.edits} for d in ordered))
        of_vectors = write_vectors(vectors, aside, identity, inputs["index"])
        language = str(inputs["index"].get("language", "auto"))
        languages = [chunk_language(chunk.metadata, language) for chunk in chunks]
        write_full_text([chunk.indexed_text for chunk in chunks], aside / FULL_TEXT_FOLDER, languages)
        files = {p.relative_to(aside).as_posix(): sha256_of_file(p) for p in sorted(aside.rglob("*")) if p.is_file()}
        manifest = Manifest(
            id=identity,
            format=FORMAT,
            inputs=inputs,
            counts={"documents": len(documents), "chunks": len(chunks), "dimension": int(vectors.shape[1])},
            files=files,
            facts={**facts, **of_vectors},
        )
        (aside / MANIFEST_FILE).write_bytes(manifest.text.encode())
    return manifest


def _write_lines(path: Path, rows: Any) -> None:
    with path.open("w", encoding="utf-8") as stream:
        for row in rows:
            stream.write(canonical_json(row) + "\n")


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
    return Index(manifest, chunks, vectors, full_text, StoredTexts(folder / DOCUMENTS_FILE))


def read_documents_of(folder: Path) -> tuple[Document, ...]:
    """The documents a snapshot was built from, with their origins and edits."""
    verify_files(folder, read_manifest(folder).files)
    with parsing(folder):
        rows = [json.loads(line) for line in (folder / DOCUMENTS_FILE).read_text(encoding="utf-8").split("\n")[:-1]]
        provenance = folder / PROVENANCE_FILE
        if provenance.exists():  # indexes of format 1 have none
            origins = provenance.read_text(encoding="utf-8").split("\n")[:-1]
            rows = [{**json.loads(origin), **row} for row, origin in zip(rows, origins, strict=True)]
        return tuple(Document.from_json(row) for row in rows)
