"""Making a snapshot outside a build: of documents, or of what is left of another snapshot."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from pydantic import ValidationError

from genaiops.embedding import Progress
from genaiops.embedding.protocol import silent
from genaiops.embedding.settings import Precision
from genaiops.errors import GenaiopsError, IndexMismatch, StorageError
from genaiops.files import TEMPORARY_PREFIX, discard
from genaiops.flow import Flow, FlowSettings
from genaiops.flow.history import all_histories
from genaiops.indexing import Manifest, read_manifest
from genaiops.indexing.manifest import CHUNKS_FILE, VECTORS_FILE
from genaiops.project import Project
from genaiops.records import Chunk, Document, Metadata

if TYPE_CHECKING:
    from genaiops.embedding import EmbeddingSettings, Vectors

PGVECTOR = "pgvector"  # the `index.store` whose vectors lie in a database too


@contextmanager
def staging_folder(beside: Path) -> Iterator[Path]:
    """A folder for half-done work in the folder `beside`; gone when the block ends, swept when its process dies."""
    aside = beside / f"{TEMPORARY_PREFIX}{os.getpid()}-{secrets.token_hex(8)}"
    aside.mkdir(parents=True)
    try:
        yield aside
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def documents_of_sources(project: Project, settings: FlowSettings, base: Path) -> tuple[Document, ...]:
    """What a build of these settings would index now."""
    from genaiops.flow.building import read_corpus

    return read_corpus(project, settings, base).documents


def write_snapshot(
    project: Project,
    flow: Flow,
    documents: Sequence[Document],
    inputs: dict[str, Any],
    *,
    into: Path,
    progress: Progress = silent,
) -> int:
    """Chunk, embed and write `into/<id>`; returns how many texts had to be embedded."""
    from genaiops.documents import Corpus
    from genaiops.flow.building import write_corpus

    corpus = Corpus(tuple(documents))
    return write_corpus(
        project, flow.settings, flow.folder, corpus, inputs, flow.embedder, into=into, progress=progress
    )


def write_again(
    chunks: Sequence[Chunk],
    documents: Sequence[Document],
    inputs: Metadata,
    facts: Metadata,
    *,
    vectors: Vectors,
    into: Path,
) -> None:
    """Write `into/<id>` of chunks that were cut before."""
    from genaiops.indexing.snapshot import write_index

    write_index(into, inputs, documents, chunks, vectors, facts)


def vectors_again(project: Project, chunks: Sequence[Chunk], manifest: Manifest) -> Vectors:
    """The vectors of chunks of a snapshot that keeps none exactly: those of the cache, else newly computed.

    Raises IndexMismatch when the weights of its embedder are others by now, or nobody can tell which it was.
    """
    from genaiops.embedding.cache import VectorCache
    from genaiops.embedding.loading import CachedEmbedder
    from genaiops.flow.flow import embedder_of
    from genaiops.flow.models import embedding_of

    settings, base = _embedding_told(project, manifest)
    embedder = embedder_of(embedding_of(settings, project), project, base)
    if embedder.fingerprint != manifest.embedder:
        raise IndexMismatch("the index was built with another embedder", remedy="bring back the weights of that time")
    return CachedEmbedder(embedder, VectorCache(project.cache)).embed([chunk.indexed_text for chunk in chunks])


def _embedding_told(project: Project, manifest: Manifest) -> tuple[EmbeddingSettings, Path]:
    """How a snapshot was embedded, and the folder its model's path starts from: of the history, else the manifest."""
    from genaiops.embedding import EmbeddingSettings

    flow, model, precision = (manifest.facts.get(key) for key in ("flow", "model", "precision"))
    lines = [(item, dict(item.settings.get("embedding") or {})) for item in reversed(all_histories(project))]
    # One that an erasure made of an old index has no line: then it was embedded as its flow's others of that model.
    of_flow = [line for line in lines if (line[0].settings.get("name"), line[1].get("model")) == (flow, model)]
    of_index = [line for line in lines if line[0].index == manifest.id]
    built, told = (*of_index, *of_flow, (None, {"model": model}))[0]
    if precision in get_args(Precision):  # what `auto` came to; an endpoint has none
        told["precision"] = precision
    try:
        settings = EmbeddingSettings.model_validate(told, strict=False)
    except ValidationError as error:
        raise IndexMismatch(
            f"nobody can tell how index {manifest.id[:12]} was embedded",
            where=project.indexes / manifest.id,
            remedy=f"use the version of genaiops that built it ({error.error_count()} settings unknown)",
        ) from None
    return settings, project.root / built.folder if built else project.root


def remove_snapshot(folder: Path) -> None:
    """Take a snapshot away: from the database its vectors were put into, if any, then from the disk in one rename.

    Raises ConfigurationError or StoreUnavailable when that database cannot be reached; then nothing was removed.
    """
    try:
        stored = read_manifest(folder).inputs["index"].get("store") == PGVECTOR
    except GenaiopsError:  # damaged: it cannot tell
        stored = False
    if stored:
        from genaiops.indexing.pgvector import drop_store
        from genaiops.indexing.postgres import store_url

        drop_store(store_url(), folder.name)
    if folder.exists():
        discard(folder)


def read_chunks(folder: Path) -> tuple[Chunk, ...]:
    """The chunks of a snapshot whose files were checked."""
    with (folder / CHUNKS_FILE).open(encoding="utf-8") as stream:
        return tuple(Chunk(**json.loads(line)) for line in stream)


def vectors_in(folder: Path) -> Vectors | None:
    """The vectors of a snapshot, float32 `[chunks, dimension]`; None where its kind keeps them only compressed.

    Raises StorageError when the file cannot be read.
    """
    import faiss
    import numpy as np

    path = folder / VECTORS_FILE
    if not path.is_file():
        return None
    try:
        index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
    except RuntimeError as error:  # what FAISS makes of any answer of the system
        raise StorageError(
            f"cannot be read: {error}", where=path, remedy="see that the disk can be read, then try again"
        ) from None
    if not isinstance(index, (faiss.IndexFlat, faiss.IndexHNSWFlat)):
        return None
    return np.ascontiguousarray(index.reconstruct_n(0, index.ntotal), dtype=np.float32)
