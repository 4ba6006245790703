"""Documents to a published index, doing only what the content asks for."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path

from genaiops.documents import Corpus, Quarantined, read_documents
from genaiops.embedding import CorpusEmbedder, Progress
from genaiops.errors import DocumentError, GenaiopsError, NotBuilt
from genaiops.files import discard, remove_leftovers, write_durably
from genaiops.flow.chunkers import chunker_of
from genaiops.flow.settings import FlowSettings
from genaiops.indexing import index_id, index_inputs, read_manifest, verify_files
from genaiops.project import Project
from genaiops.records import Chunk, digest_of

BUILD_FORMAT = 1


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build did. `embedded` counts the texts that had no vector yet; `seconds` is wall-clock.

    `missing` counts the chunks that a model should have enriched and did not; the next build asks for them again.
    """

    index: str
    documents: int
    chunks: int
    embedded: int
    quarantined: tuple[Quarantined, ...]
    unchanged: bool
    seconds: float
    missing: int = 0


@dataclass(frozen=True, slots=True)
class BuildPlan:
    """What a build would do, by document id, against the index that is current now."""

    index: str
    unchanged: bool
    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    quarantined: tuple[Quarantined, ...]


def pointer_file(project: Project, settings: FlowSettings, base: Path) -> Path:
    """Where the current index of these settings is named. Other settings, and a flow in another folder, have their own.

    `base` is the flow's folder; below the project it counts by its relative path, so a project can be moved.
    """
    base = base.resolve()
    place = base.relative_to(project.root) if base.is_relative_to(project.root) else base
    decides = [settings.documents, settings.index_part(), settings.embedding.model]
    key = digest_of([place.as_posix(), *decides, BUILD_FORMAT])
    return project.flows / settings.name / f"{key[:32]}.json"


def current_index(project: Project, settings: FlowSettings, base: Path) -> str:
    """Id of the index last built for these settings. Raises NotBuilt."""
    path = pointer_file(project, settings, base)
    try:
        return str(json.loads(path.read_text(encoding="utf-8"))["index"])
    except FileNotFoundError:
        others = path.parent.is_dir() and any(path.parent.glob("*.json"))
        raise NotBuilt(
            f"flow {settings.name!r} has no index for these settings"
            + (", only for others (documents, chunking, enrichment, embedding or index differ)" if others else ""),
            remedy="build it with the same --set options: genaiops build FLOW",
        ) from None
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise NotBuilt(f"cannot tell the current index ({error})", where=path, remedy="genaiops build FLOW") from None


def plan_build(project: Project, settings: FlowSettings, base: Path, fingerprint: str) -> BuildPlan:
    """Compare the documents as they are with those of the current index; only parsed files are cached."""
    from genaiops.indexing.snapshot import read_documents_of

    corpus = read_documents(settings.documents, base, cache=project.cache)
    identity = index_id(index_inputs(corpus.documents, settings.index_part(), fingerprint))
    try:
        current = current_index(project, settings, base)
        before = {document.id: document.digest for document in read_documents_of(project.indexes / current)}
    except GenaiopsError:  # none, or one that cannot be read: everything is new
        current, before = "", {}
    now = {document.id: document.digest for document in corpus.documents}
    return BuildPlan(
        identity,
        identity == current,
        tuple(sorted(now.keys() - before.keys())),
        tuple(sorted(name for name in now.keys() & before.keys() if now[name] != before[name])),
        tuple(sorted(before.keys() - now.keys())),
        corpus.quarantined,
    )


def build_index(
    project: Project,
    settings: FlowSettings,
    base: Path,
    embedder: CorpusEmbedder,
    *,
    full: bool,
    strict: bool,
    progress: Progress,
) -> BuildReport:
    """Read, chunk, embed and publish; then make the new index the current one of these settings.

    With nothing changed no model is loaded; a damaged snapshot is made anew. `full` uses no cache for that.
    Until the last rename the previous index is the current one.
    """
    start = time.perf_counter()
    corpus = read_documents(settings.documents, base, cache=None if full else project.cache, strict=strict)
    if not corpus.documents:  # an index of nothing must not take the place of one of something
        raise DocumentError(
            f"none of {len(corpus.quarantined)} document(s) can be read",
            remedy="\n  ".join(f"{item.document_id}: {item.reason}" for item in corpus.quarantined),
        )
    inputs = index_inputs(corpus.documents, settings.index_part(), embedder.fingerprint)
    identity = index_id(inputs)
    folder, pointer = project.indexes / identity, pointer_file(project, settings, base)
    for written in (project.indexes, pointer.parent):
        remove_leftovers(written)
    embedded, missing, unchanged = 0, 0, _is_whole(folder)
    if not unchanged:
        if folder.exists() and not _is_whole(folder):  # damaged: nothing can read it, so nothing is lost
            discard(folder)
        chunker = chunker_of(project, settings, base, full=full, strict=strict)
        chunks = [chunk for document in corpus.documents for chunk in chunker.chunk(document)]
        if lacking := [
            [chunk.id, *chunk.metadata["not_enriched"]] for chunk in chunks if "not_enriched" in chunk.metadata
        ]:
            # Not the index that was asked for: it has an id of its own, so the next build tries again.
            missing, inputs = len(lacking), {**inputs, "missing": digest_of(lacking)}
            identity = index_id(inputs)
            folder = project.indexes / identity
        embedded = _write(project, settings, corpus, chunks, inputs, embedder, full=full, progress=progress)
    counts = read_manifest(folder).counts
    content = json.dumps({"index": identity})
    if not (pointer.is_file() and pointer.read_bytes() == content.encode()):
        write_durably(pointer, content)
    return BuildReport(
        identity,
        counts["documents"],
        counts["chunks"],
        embedded,
        corpus.quarantined,
        unchanged,
        time.perf_counter() - start,
        missing,
    )


def _is_whole(folder: Path) -> bool:
    """Whether a snapshot stands there with every byte as it was written."""
    try:
        verify_files(folder, read_manifest(folder).files)
    except GenaiopsError:
        return False
    return True


def _write(  # noqa: PLR0913 (options, all named but the first)
    project: Project,
    settings: FlowSettings,
    corpus: Corpus,
    chunks: list[Chunk],
    inputs: dict[str, object],
    embedder: CorpusEmbedder,
    *,
    full: bool,
    progress: Progress,
) -> int:
    """Embed and publish; returns how many texts had to be embedded."""
    from genaiops.embedding.cache import VectorCache
    from genaiops.embedding.loading import CachedEmbedder
    from genaiops.indexing.snapshot import write_index

    cached = CachedEmbedder(embedder, VectorCache(None if full else project.cache))
    vectors = cached.embed([chunk.indexed_text for chunk in chunks], progress)
    facts = {
        "precision": embedder.precision,
        "model": settings.embedding.model,
        "flow": settings.name,
        "quarantined": [[q.document_id, q.reason] for q in corpus.quarantined],
        **_build_facts(),
    }
    write_index(project.indexes, inputs, corpus.documents, chunks, vectors, facts)
    return cached.embedded


def _build_facts() -> dict[str, object]:
    """Of this machine and moment; they take no part in the index's id."""
    import datetime

    from genaiops import __version__
    from genaiops.embedding.sentence_transformer import machine

    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    return {"built_at": now, "genaiops": __version__, "machine": machine()}
