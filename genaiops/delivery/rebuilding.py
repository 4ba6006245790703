"""A past index made again: from the documents it kept, or from the sources while they still say the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from genaiops.delivery.reissued import reissue_of
from genaiops.delivery.snapshots import documents_of_sources, staging_folder, write_snapshot
from genaiops.embedding import Progress
from genaiops.embedding.protocol import silent
from genaiops.errors import GenaiopsError, IndexMismatch, IntegrityError, NotFound
from genaiops.files import discard, fsync_folder, locked, sha256_of_file
from genaiops.flow import Flow, FlowSettings
from genaiops.flow.history import Built, all_histories
from genaiops.flow.settings import Effective
from genaiops.flow.tombstones import blocked
from genaiops.indexing import Manifest, index_id, index_inputs, read_manifest, verify_files
from genaiops.indexing.manifest import DOCUMENTS_FILE, PROVENANCE_FILE
from genaiops.project import Project
from genaiops.records import Document, as_json


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """An index made again. `documents_from` is `snapshot` or `sources`.

    `state` is `restored` (it was gone or damaged), or `confirmed`: it is whole, and today's code makes the same
    chunks of its documents. `content` is the digest of chunks and documents.
    """

    index: str
    documents_from: str
    state: str
    documents: int
    chunks: int
    content: str
    embedded: int


def rebuild_index(project: Project, index: str, *, progress: Progress = silent) -> Rebuilt:
    """Make the index of that full id again and put it in its place, if it is gone or damaged.

    What was made must have the same id, and the same chunks where those of before are known; else nothing is
    changed and IndexMismatch says what differs. Raises NotFound when nobody knows what it was built from.
    """
    with locked(project.lock, shared=True, what="cleans up or erases"):
        folder = project.indexes / index
        manifest, whole = _state(folder)
        built = next((item for item in reversed(all_histories(project)) if item.index == index), None)
        flow = _flow_of(project, index, built, manifest)
        documents, came_from, missing = _documents(project, folder, manifest, flow, built)
        if not missing:
            inputs = index_inputs(documents, flow.settings.index_part(), flow.embedder.fingerprint)
            missing = _differences(inputs, manifest.inputs if manifest else built.inputs if built else {}, index)
        if missing:
            past = reissue_of(project, index, ("index",))
            raise _refused(index, [*missing, *([str(past)] if past else [])])
        with staging_folder(project.indexes) as aside:
            embedded = write_snapshot(project, flow, documents, inputs, into=aside, progress=progress)
            made = read_manifest(aside / index)
            if manifest is not None and made.content != manifest.content:
                raise _refused(index, ["the chunks: today's code cuts or enriches these documents in another way"])
            if not whole:
                if folder.exists():
                    discard(folder)
                (aside / index).rename(folder)
                fsync_folder(project.indexes)
        counts = made.counts
        state = "confirmed" if whole else "restored"
        return Rebuilt(index, came_from, state, counts["documents"], counts["chunks"], made.content, embedded)


def _state(folder: Path) -> tuple[Manifest | None, bool]:
    """The manifest, if it can be trusted, and whether every other file can be too."""
    try:
        manifest = read_manifest(folder)
    except GenaiopsError:
        return None, False
    try:
        verify_files(folder, manifest.files)
    except GenaiopsError:
        return manifest, False
    return manifest, True


def _flow_of(project: Project, index: str, built: Built | None, manifest: Manifest | None) -> Flow:
    """The flow as it was when the index was built: its settings from the history, else from the manifest."""
    if built is not None:
        try:
            settings = FlowSettings.model_validate(built.settings, strict=False)
        except ValidationError as error:
            reason = f"the settings: this version does not know {error.error_count()} of them"
            raise _refused(index, [reason]) from None
        return Flow(project.root / built.folder, Effective(settings, {}), project)
    if manifest is None:
        raise NotFound(
            f"nobody knows what index {index[:12]} was built from",
            where=project.flows,
            remedy="no history names it and it has no readable manifest; genaiops indexes lists what can be rebuilt",
        )
    inputs: dict[str, Any] = _without_versions(as_json(manifest.inputs))
    data = {
        "name": str(manifest.facts.get("flow", "")) or "unknown",
        "documents": {"sources": ["."]},  # never read: without a history, only the snapshot's own documents will do
        "chunking": inputs["chunking"],
        "enrichment": inputs["enrichment"],
        "index": inputs["index"],
        "embedding": {"model": manifest.facts.get("model"), "precision": inputs.get("precision", "auto")},
        "prompt": "unknown",
    }
    try:
        settings = FlowSettings.model_validate(data, strict=False)
    except ValidationError as error:
        raise NotFound(
            f"no history tells the settings of index {index[:12]}, and its manifest does not tell all of them",
            where=project.indexes / index,
            remedy=f"build it from its flow: genaiops build FLOW ({error.error_count()} settings unknown)",
        ) from None
    return Flow(project.root, Effective(settings, {}), project)


def _without_versions(value: Any) -> Any:
    """Settings as a user gives them: an index's id covers the versions of the code that obeys them, too."""
    if isinstance(value, dict):
        return {key: _without_versions(item) for key, item in value.items() if key not in ("version", "digest")}
    return [_without_versions(item) for item in value] if isinstance(value, list) else value


def _documents(
    project: Project, folder: Path, manifest: Manifest | None, flow: Flow, built: Built | None
) -> tuple[Sequence[Document], str, list[str]]:
    """The documents, where they came from, and why they will not do."""
    erased = blocked(project)
    kept = _kept_documents(folder, manifest)
    if kept is not None:
        gone = sum(1 for document in kept if erased(document))
        return kept, "snapshot", [f"{gone} of its documents were erased since"] if gone else []
    if built is None:
        return (), "", ["its documents are damaged, and no history tells where they came from"]
    try:
        documents = documents_of_sources(project, flow.settings, flow.folder)
    except GenaiopsError as error:
        return (), "sources", [f"its documents are gone, and the sources cannot be read: {error.what}"]
    return documents, "sources", []


def _kept_documents(folder: Path, manifest: Manifest | None) -> tuple[Document, ...] | None:
    """The documents of a snapshot whose other files may be damaged; None when these are."""
    from genaiops.indexing.snapshot import documents_in

    if manifest is None:
        return None
    try:
        for name in (DOCUMENTS_FILE, PROVENANCE_FILE):
            if name in manifest.files and sha256_of_file(folder / name) != manifest.files[name]:
                return None
        return documents_in(folder)
    except (OSError, IntegrityError):
        return None


def _differences(now: Mapping[str, Any], before: Mapping[str, Any], index: str) -> list[str]:
    """Which inputs are no longer what they were; none when the id is the same."""
    if index_id(now) == index:
        return []
    told = {
        "documents": "the documents: the sources no longer hold what they held",
        "embedding": "the embedder: its weights are others",
        "format": "the format of indexes: this version of genaiops writes another",
        "full_text": "the full-text index: this version of genaiops counts words in another way",
    }
    keys = [key for key in sorted({*now, *before}) if now.get(key) != before.get(key)]
    return [told.get(key, f"{key}: {before.get(key)!r} then, {now.get(key)!r} now") for key in keys] or [
        "nobody wrote down what it was built from"
    ]


def _refused(index: str, reasons: Sequence[str]) -> IndexMismatch:
    return IndexMismatch(
        f"index {index[:12]} cannot be made again as it was; nothing was changed",
        remedy="what differs:\n    - " + "\n    - ".join(reasons),
    )
