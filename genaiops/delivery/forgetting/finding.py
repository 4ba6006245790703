"""Which snapshots hold the document, and under which ids."""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from genaiops.delivery.forgetting.erasure import Erasure, passages_of, words_of
from genaiops.delivery.history import index_folders, references
from genaiops.delivery.snapshots import read_chunks, vectors_in
from genaiops.errors import ConfigurationError, GenaiopsError, IntegrityError, NotFound
from genaiops.indexing import read_manifest
from genaiops.project import Project
from genaiops.records import Document

if TYPE_CHECKING:
    from genaiops.embedding import Vectors


@dataclass(frozen=True, slots=True)
class Holding:
    """A snapshot with the ids of the documents that are to go from it."""

    folder: Path
    flow: str
    ids: frozenset[str]


def snapshots(project: Project) -> tuple[Mapping[Path, tuple[Document, ...]], tuple[Path, ...]]:
    """The documents of every whole snapshot, and the damaged ones that nobody uses.

    Raises IntegrityError for a damaged one in use: what it holds is not known, and it cannot be issued again.
    """
    from genaiops.indexing.snapshot import read_documents_of

    used = references(project)
    whole: dict[Path, tuple[Document, ...]] = {}
    damaged = []
    for folder in index_folders(project):
        try:
            whole[folder] = read_documents_of(folder)
        except GenaiopsError as error:
            if folder.name in used:
                raise IntegrityError(
                    f"index {folder.name[:12]} is damaged and in use ({used[folder.name][0]}): {error.what}",
                    where=folder,
                    remedy=f"make it again first: genaiops rebuild {folder.name[:12]}",
                ) from None
            damaged.append(folder)
    return whole, tuple(damaged)


def find(project: Project, flow: str, *, document: str = "", text: str = "") -> Erasure:
    """What to erase: every version of `document` in the flow's snapshots, or every document with the words of `text`.

    Documents with the same words under another id, in snapshots of whatever flow, are the same document. Raises
    NotFound when no snapshot holds it.
    """
    whole, _ = snapshots(project)
    mine = {folder: docs for folder, docs in whole.items() if _flow_of(folder) == flow}
    versions: dict[str, set[str]] = defaultdict(set)
    if document:
        for docs in mine.values():
            for doc in docs:
                if doc.id == document:
                    versions[doc.id].add(doc.text)
    words = {words_of(version) for found in versions.values() for version in found} | (
        {words_of(text)} if text else set()
    )
    words.discard("")
    flows = {flow}
    for folder, docs in whole.items():
        for doc in docs:
            if words_of(doc.text) in words:
                versions[doc.id].add(doc.text)
                flows.add(_flow_of(folder))
    if not versions:
        raise _not_found(project, flow, document, mine)
    texts = {name: tuple(sorted(found)) for name, found in sorted(versions.items())}
    erasure = Erasure(flow, document or next(iter(texts)), texts, tuple(sorted(flows - {""})))
    going = {folder: {doc.id for doc in docs if goes(erasure, folder, doc)} for folder, docs in whole.items()}
    staying = frozenset(
        passage
        for folder, docs in whole.items()
        for text_ in {doc.text for doc in docs if doc.id not in going[folder]}
        for passage in passages_of(text_)
    )
    vectors = _vectors(going)
    return Erasure(erasure.flow, erasure.document, texts, erasure.flows, staying, vectors)


def goes(erasure: Erasure, folder: Path, document: Document) -> bool:
    """Whether a document of a snapshot is the one to erase: its id in a snapshot of the flow, or its words anywhere."""
    versions = erasure.texts.get(document.id)
    if versions is not None and _flow_of(folder) == erasure.flow and document.id == erasure.document:
        return True
    words = words_of(document.text)
    return bool(words) and words in {words_of(text) for found in erasure.texts.values() for text in found}


def holdings(project: Project, erasure: Erasure) -> tuple[Holding, ...]:
    """The snapshots that hold it now."""
    found = []
    for folder, docs in snapshots(project)[0].items():
        ids = frozenset(doc.id for doc in docs if goes(erasure, folder, doc))
        told = read_manifest(folder).facts
        if ids or mentions(told, set(erasure.texts)):
            found.append(Holding(folder, str(told.get("flow", "")), ids))
    return tuple(found)


def mentions(value: object, names: set[str]) -> bool:
    """Whether one of the names is a text anywhere in plain JSON data."""
    if isinstance(value, Mapping):
        return any(str(key) in names or mentions(item, names) for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return any(mentions(item, names) for item in value)
    return isinstance(value, str) and value in names


def _flow_of(folder: Path) -> str:
    return str(read_manifest(folder).facts.get("flow", ""))


def _vectors(going: Mapping[Path, set[str]]) -> dict[str, Vectors]:
    """Embedder's fingerprint → the vectors of the chunks that go, without repetition."""
    import numpy as np

    rows: dict[str, dict[bytes, Vectors]] = defaultdict(dict)
    for folder, ids in going.items():
        stored = vectors_in(folder) if ids else None
        if stored is None:
            continue
        for position, chunk in enumerate(read_chunks(folder)):
            if chunk.document_id in ids:
                rows[read_manifest(folder).embedder][stored[position].tobytes()] = stored[position]
    return {name: np.stack(list(found.values())) for name, found in rows.items()}


def _not_found(project: Project, flow: str, document: str, mine: Mapping[Path, tuple[Document, ...]]) -> GenaiopsError:
    if not mine:
        return ConfigurationError(f"flow {flow!r} has no index here", where=project.indexes)
    known = sorted({doc.id for docs in mine.values() for doc in docs})
    close = difflib.get_close_matches(document, known, n=1)
    what = f"no index of flow {flow!r} holds a document {document!r}" if document else "no index holds that text"
    hint = f"did you mean {close[0]!r}?" if close else "genaiops chunks FLOW shows what there is"
    return NotFound(what, where=project.indexes, remedy=hint)
