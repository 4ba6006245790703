"""Snapshots without the document: made beside the old ones, pointed at, and only then the old ones go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from genaiops.cleansing.quality import QualityCounter
from genaiops.delivery.forgetting.erasure import Erasure
from genaiops.delivery.forgetting.finding import Holding, mentions
from genaiops.delivery.snapshots import read_chunks, staging_folder, vectors_again, vectors_in, write_again
from genaiops.files import discard, fsync_folder, write_durably
from genaiops.flow.current import all_pointers, move_pointer
from genaiops.flow.history import append_history, read_history
from genaiops.indexing import Manifest, index_id, index_inputs, read_manifest, verify_files
from genaiops.indexing.manifest import MANIFEST_FILE
from genaiops.project import Project
from genaiops.records import Document, as_json


@dataclass(frozen=True, slots=True)
class Issued:
    """A snapshot and the one in its place: `after` is "" where nothing would be left of it."""

    before: str
    after: str
    documents: int
    chunks: int


def issue_again(project: Project, erasure: Erasure, holding: Holding) -> Issued:
    """Write the snapshot without the document, under the id that a build of the other documents would have.

    What is there already is kept. A snapshot that only names the document in its facts keeps its id and its files: it
    gets another manifest.
    """
    from genaiops.indexing.snapshot import read_documents_of

    manifest = read_manifest(holding.folder)
    if not holding.ids:
        # The one file that holds the facts, in one rename: at no moment is the index not there.
        told = replace(manifest, facts=_facts(manifest, erasure))
        write_durably(holding.folder / MANIFEST_FILE, told.text)
        return Issued(holding.folder.name, holding.folder.name, 0, 0)
    documents = [doc for doc in read_documents_of(holding.folder) if doc.id not in holding.ids]
    chunks = [n for n, chunk in enumerate(read_chunks(holding.folder)) if chunk.document_id not in holding.ids]
    gone = manifest.counts["documents"] - len(documents), manifest.counts["chunks"] - len(chunks)
    if not documents or not chunks:
        return Issued(holding.folder.name, "", *gone)
    inputs = _inputs(manifest, documents)
    identity = index_id(inputs)
    final = project.indexes / identity
    if _is_whole(final):
        return Issued(holding.folder.name, identity, *gone)
    with staging_folder(project.indexes) as aside:
        _write(project, erasure, holding, documents, chunks, inputs, aside)
        if final.exists():  # damaged: nothing can read it, so nothing is lost
            discard(final)
        (aside / identity).rename(final)
        fsync_folder(project.indexes)
    return Issued(holding.folder.name, identity, *gone)


def _write(
    project: Project,
    erasure: Erasure,
    holding: Holding,
    documents: list[Document],
    positions: list[int],
    inputs: Mapping[str, Any],
    aside: Path,
) -> None:
    manifest = read_manifest(holding.folder)
    chunks = read_chunks(holding.folder)
    stored = vectors_in(holding.folder)
    kept = [chunks[position] for position in positions]
    facts = _facts(manifest, erasure)
    if "chunk_lengths" in facts:
        quality = QualityCounter()
        quality.add_chunks(len(chunk.text) for chunk in kept)
        facts["chunk_lengths"] = as_json(quality.report().chunks)
    vectors = vectors_again(project, kept, manifest) if stored is None else stored[positions]
    write_again(kept, documents, inputs, facts, vectors=vectors, into=aside)


def _facts(manifest: Manifest, erasure: Erasure) -> dict[str, Any]:
    """What the manifest tells, without the document's ids."""
    return {key: without(as_json(value), set(erasure.texts)) for key, value in manifest.facts.items()}


def _inputs(manifest: Manifest, documents: list[Document]) -> dict[str, Any]:
    listed = index_inputs(documents, {}, manifest.embedder)["documents"]
    return {**as_json(manifest.inputs), "documents": listed}


def _is_whole(folder: Path) -> bool:
    from genaiops.errors import GenaiopsError

    try:
        verify_files(folder, read_manifest(folder).files)
    except GenaiopsError:
        return False
    return True


def without(value: Any, names: set[str]) -> Any:
    """Plain JSON data without the lists' items and the maps' entries that name one of `names`."""
    if isinstance(value, dict):
        return {key: without(item, names) for key, item in value.items() if not _names_one([key, item], names)}
    if isinstance(value, list):
        return [without(item, names) for item in value if not _names_one(item, names)]
    return value


def _names_one(item: Any, names: set[str]) -> bool:
    """A text that is one of the names or quotes it, or a row such as `[document id, reason]`."""
    parts = item.values() if isinstance(item, dict) else item if isinstance(item, list) else [item]
    return any(isinstance(part, str) and mentions(part, names) for part in parts)


def move_pointers(project: Project, issued: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Let every pointer follow; one whose index has no successor is removed. Returns (flow, before, after)."""
    moved = []
    for pointer in all_pointers(project):
        after = issued.get(pointer.index)
        if after is None or after == pointer.index:
            continue
        if after:
            _tell(project, pointer.flow, pointer.file, after)
            move_pointer(pointer, after)
        else:
            pointer.file.unlink(missing_ok=True)
        moved.append((pointer.flow, pointer.index, after))
    return moved


def _tell(project: Project, flow: str, file: Path, index: str) -> None:
    """A line in the flow's history, with the settings of the last build of that pointer."""
    last = [built for built in read_history(project, flow) if built.pointer == file.stem]
    if last:
        settings = last[-1].settings  # as it was told, also by a version with other settings
        manifest = read_manifest(project.indexes / index)
        place = project.root / last[-1].folder
        append_history(project, settings, place, pointer=file, manifest=manifest, reason="forget")
