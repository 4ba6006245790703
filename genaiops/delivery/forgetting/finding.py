"""Which snapshots hold the document, and under which ids."""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from genaiops.delivery.forgetting.erasure import Erasure, passages_of
from genaiops.delivery.history import index_folders, references
from genaiops.delivery.snapshots import read_chunks, vectors_in
from genaiops.errors import ConfigurationError, GenaiopsError, IntegrityError, NotFound
from genaiops.flow.tombstones import words_of
from genaiops.indexing import read_manifest, verify_files
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


def snapshots(project: Project) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """The whole snapshots, and the damaged ones that nobody uses.

    Raises IntegrityError for a damaged one in use: what it holds is not known, and it cannot be issued again.
    """
    used = references(project)
    whole, damaged = [], []
    for folder in index_folders(project):
        try:
            verify_files(folder, read_manifest(folder).files)
            whole.append(folder)
        except GenaiopsError as error:
            if folder.name in used:
                raise IntegrityError(
                    f"index {folder.name[:12]} is damaged and in use ({used[folder.name][0]}): {error.what}",
                    where=folder,
                    remedy=f"make it again first: genaiops rebuild {folder.name[:12]}",
                ) from None
            damaged.append(folder)
    return tuple(whole), tuple(damaged)


def find(project: Project, flow: str, *, document: str = "", text: str = "") -> Erasure:
    """What to erase: every version of `document` in the flow's snapshots, or every document with the words of `text`.

    Documents with the same words under another id, in snapshots of whatever flow, are the same document. Raises
    NotFound when no snapshot holds it. One snapshot's documents are in memory at a time.
    """
    from genaiops.indexing.snapshot import documents_in

    whole, _ = snapshots(project)
    mine = [folder for folder in whole if flow_of(folder) == flow]
    versions: dict[str, set[str]] = defaultdict(set)
    for folder in mine if document else ():
        versions[document] |= {doc.text for doc in documents_in(folder) if doc.id == document}
    words = {words_of(version) for version in versions.pop(document, ())} | {words_of(text)}
    words.discard("")
    flows = {flow}
    for folder in whole:
        for doc in documents_in(folder):
            is_it = doc.id == document and folder in mine
            if is_it or words_of(doc.text) in words:
                versions[doc.id].add(doc.text)
                flows.add(flow_of(folder))
    if not versions:
        raise _not_found(project, flow, document, mine)
    texts = {name: tuple(sorted(found)) for name, found in sorted(versions.items())}
    bare = Erasure(flow, document or next(iter(texts)), texts, tuple(sorted(flows - {""})))
    going = {folder: {doc.id for doc in documents_in(folder) if goes(bare, folder, doc)} for folder in whole}
    staying: set[str] = set()
    for folder in whole:
        for doc in documents_in(folder):
            if doc.id not in going[folder]:
                staying |= bare.passages.intersection(passages_of(doc.text))
    return Erasure(bare.flow, bare.document, texts, bare.flows, frozenset(staying), _vectors(going))


def goes(erasure: Erasure, folder: Path, document: Document) -> bool:
    """Whether a document of a snapshot is the one to erase: its id in a snapshot of the flow, or its words anywhere."""
    if document.id == erasure.document and flow_of(folder) == erasure.flow:
        return True
    return words_of(document.text) in erasure.words


def holdings(project: Project, erasure: Erasure) -> tuple[Holding, ...]:
    """The snapshots that hold it now."""
    from genaiops.indexing.snapshot import documents_in

    found = []
    for folder in snapshots(project)[0]:
        ids = frozenset(doc.id for doc in documents_in(folder) if goes(erasure, folder, doc))
        told = read_manifest(folder).facts
        if ids or mentions(told, set(erasure.texts)):
            found.append(Holding(folder, str(told.get("flow", "")), ids))
    return tuple(found)


def mentions(value: object, names: set[str]) -> bool:
    """Whether one of the names is a text anywhere in plain JSON data, or stands quoted in one, as in a reason."""
    if isinstance(value, Mapping):
        return any(str(key) in names or mentions(item, names) for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return any(mentions(item, names) for item in value)
    return isinstance(value, str) and (value in names or any(repr(name) in value for name in names))


def flow_of(folder: Path) -> str:
    """The flow whose build made a snapshot."""
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


def _not_found(project: Project, flow: str, document: str, mine: Sequence[Path]) -> GenaiopsError:
    from genaiops.indexing.snapshot import documents_in

    if not mine:
        return ConfigurationError(f"flow {flow!r} has no index here", where=project.indexes)
    known = sorted({doc.id for folder in mine for doc in documents_in(folder)})
    close = difflib.get_close_matches(document, known, n=1)
    what = f"no index of flow {flow!r} holds a document {document!r}" if document else "no index holds that text"
    hint = f"did you mean {close[0]!r}?" if close else "genaiops chunks FLOW shows what there is"
    return NotFound(what, where=project.indexes, remedy=hint)
