"""Documents to a published index, doing only what the content asks for."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from genaiops.cleansing import QualityReport, missed
from genaiops.cleansing.quality import ChunkLengths
from genaiops.documents import Corpus, Quarantined
from genaiops.embedding import CorpusEmbedder, Embedder, Progress, Vectors
from genaiops.errors import GateRefused, GenaiopsError
from genaiops.files import discard, locked, published_folder, remove_leftovers
from genaiops.flow.chunk_work import ChunkWork, in_blocks
from genaiops.flow.current import current_index, make_current, pointer_file
from genaiops.flow.engines import Engine, LocalEngine
from genaiops.flow.gathering import Gathered, gather
from genaiops.flow.history import append_history
from genaiops.flow.planning import BuildPlan, plan_build
from genaiops.flow.settings import FlowSettings
from genaiops.indexing import Manifest, index_id, read_manifest, verify_files
from genaiops.indexing.manifest import inputs_of
from genaiops.project import Project
from genaiops.records import Metadata, as_json, digest_of

if TYPE_CHECKING:
    from genaiops.indexing.reuse import Previous
    from genaiops.indexing.writing import SnapshotWriter

__all__ = [
    "BuildPlan",
    "BuildReport",
    "build_index",
    "current_index",
    "plan_build",
    "pointer_file",
    "read_corpus",
    "write_corpus",
]


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build did. `embedded` counts the texts that had no vector yet, `reused` the chunks taken over as they
    stood in the index before; `erased` the documents that may not come back; `seconds` is wall-clock.

    `unread` counts the files of the sources that no loader reads, by suffix; `missing` the chunks that a model should
    have enriched and did not: the next build asks for them again.
    """

    index: str
    documents: int
    chunks: int
    embedded: int
    reused: int
    quarantined: tuple[Quarantined, ...]
    erased: int
    quality: QualityReport
    unchanged: bool
    seconds: float
    missing: int = 0
    unread: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Written:
    index: str
    embedded: int
    reused: int
    missing: int
    quality: QualityReport


def build_index(  # noqa: PLR0913  options are keywords
    project: Project,
    settings: FlowSettings,
    base: Path,
    embedder: CorpusEmbedder,
    *,
    full: bool,
    strict: bool,
    progress: Progress,
    engine: Engine | None = None,
) -> BuildReport:
    """Read, clean, chunk, embed and publish; then make the new index the current one of these settings.

    What the current index holds of documents that did not change is taken over; with nothing changed no model is
    loaded; a damaged snapshot is made anew. `full` uses neither cache nor index. Until the last rename the previous
    index is the current one. Raises GateRefused when the documents miss the flow's quality bar.
    """
    start = time.perf_counter()
    with locked(project.lock, shared=True, what="cleans up or erases"):
        cache = None if full else project.cache
        gathered = gather(project, settings, base, cache=cache, strict=strict)
        inputs = inputs_of(gathered.listed, settings.index_part(), embedder.fingerprint)
        identity, pointer = index_id(inputs), pointer_file(project, settings, base)
        for written in (project.indexes, pointer.parent):
            remove_leftovers(written)
        # Of two builds of one index the second waits, and then has nothing to do.
        with locked(project.home / "locks" / identity[:2], what="builds this index"):
            folder = project.indexes / identity
            before = _whole(folder)
            if before is not None:
                quality = _quality_again(settings, gathered, before)
                done = _Written(identity, 0, before.counts["chunks"], 0, quality)
            else:
                previous = None if full else _previous(project, settings, base, inputs, embedder)
                if folder.exists():  # damaged: nothing can read it, so nothing is lost
                    discard(folder)
                work = ChunkWork(project, settings, base, full=full, strict=strict)
                made = _Build(work, gathered, inputs, embedder, previous, engine or LocalEngine())
                done = made.write(project.indexes, progress)
        manifest = before or read_manifest(project.indexes / done.index)
        append_history(project, as_json(settings), base, pointer=pointer, manifest=manifest)
        make_current(pointer, done.index)
    return BuildReport(
        done.index,
        manifest.counts["documents"],
        manifest.counts["chunks"],
        done.embedded,
        done.reused,
        gathered.quarantined,
        gathered.erased,
        done.quality,
        before is not None,
        time.perf_counter() - start,
        done.missing,
        gathered.unread,
    )


def read_corpus(project: Project, settings: FlowSettings, base: Path) -> Corpus:
    """What a build would index now."""
    gathered = gather(project, settings, base, cache=project.cache)
    return Corpus(tuple(gathered.documents), gathered.quarantined)


def write_corpus(  # noqa: PLR0913  options are keywords
    project: Project,
    settings: FlowSettings,
    base: Path,
    corpus: Corpus,
    inputs: Metadata,
    embedder: CorpusEmbedder,
    *,
    into: Path,
    progress: Progress,
) -> int:
    """Chunk and embed documents as they stand and publish `into/<id>`; returns how many texts had to be embedded."""
    work = ChunkWork(project, settings, base)
    made = _Build(work, Gathered.of(corpus), inputs, embedder, None, LocalEngine())
    return made.write(into, progress).embedded


def _whole(folder: Path) -> Manifest | None:
    """The manifest of a snapshot that stands there with every byte as it was written."""
    try:
        manifest = read_manifest(folder)
        verify_files(folder, manifest.files)
    except GenaiopsError:
        return None
    return manifest


def _previous(
    project: Project, settings: FlowSettings, base: Path, inputs: Metadata, embedder: CorpusEmbedder
) -> Previous | None:
    """The index that is current now, if what it holds of unchanged documents can be taken over."""
    from genaiops.indexing.reuse import Previous

    try:
        folder = project.indexes / current_index(project, settings, base)
        read_manifest(folder)  # no precision is decided, which may load a model, when there is nothing to take over
        return Previous.open(folder, inputs, embedder.precision)
    except GenaiopsError:
        return None


def _quality_again(settings: FlowSettings, gathered: Gathered, manifest: Manifest) -> QualityReport:
    """The quality of documents whose index is there already; the lengths of its chunks were told when it was made."""
    told = manifest.facts.get("chunk_lengths")
    quality = replace(gathered.counter().report(), chunks=ChunkLengths(**told) if told else None)
    _hold_against_bar(settings, quality)
    return quality


def _hold_against_bar(settings: FlowSettings, quality: QualityReport) -> None:
    if reasons := missed(settings.quality, quality):
        raise GateRefused(
            f"the documents miss the quality bar of flow {settings.name!r}; the index stays as it was",
            remedy="\n  ".join(reasons),
        )


@dataclass(frozen=True, slots=True)
class _Build:
    """One snapshot to be made."""

    work: ChunkWork
    gathered: Gathered
    inputs: Metadata
    embedder: CorpusEmbedder
    previous: Previous | None
    engine: Engine

    def write(self, into: Path, progress: Progress) -> _Written:
        """Publish the snapshot below `into`."""
        from genaiops.embedding.cache import VectorCache
        from genaiops.embedding.loading import CachedEmbedder
        from genaiops.indexing.writing import SnapshotWriter

        inputs = dict(self.inputs)
        embedder = self.embedder
        if not isinstance(self.engine, LocalEngine):
            from genaiops.flow.engines.embedding import SpreadEmbedder

            embedder = SpreadEmbedder(embedder, self.engine)
        cached = CachedEmbedder(embedder, VectorCache(None if self.work.full else self.work.project.cache))
        publishing = published_folder(into / index_id(inputs), name=lambda: index_id(inputs))
        with publishing as aside, SnapshotWriter(aside, self.work.settings.index.language) as writer:
            cut = self._chunks(writer)
            _hold_against_bar(self.work.settings, cut.quality)  # before anything costly is done
            if cut.lacking:
                # Not the index that was asked for: it has an id of its own, so the next build tries again.
                inputs["missing"] = digest_of(cut.lacking)
            writer.add_vectors(_InBlocks(cached, progress, writer.without_vector), self.embedder.dimension)
            writer.finish(inputs, self._facts(cut.quality))
        return _Written(index_id(inputs), cached.embedded, cut.reused, len(cut.lacking), cut.quality)

    def _chunks(self, writer: SnapshotWriter) -> _Cut:
        """Write documents and chunks: those of unchanged documents as they were, those of others as they come."""
        documents, previous = self.gathered.documents, self.previous
        fresh = [n for n, entry in enumerate(documents.entries) if previous is None or not previous.has(entry.digest)]
        results = self.engine.map(self.work, in_blocks(documents[n] for n in fresh))
        made = (cut for result in results for cut in result)
        quality, reused, new = self.gathered.counter(), 0, set(fresh)
        lacking: list[list[str]] = []
        for position, entry in enumerate(documents.entries):
            writer.add_document(*documents.lines(position))
            if position in new:
                cut = next(made)
                writer.add_chunks(cut.chunks)
                quality.add_chunks(cut.chunks.lengths)
                lacking += cut.lacking
            elif previous is not None:
                kept = previous.chunks(entry.digest)
                writer.add_kept(kept)
                quality.add_chunks(kept.lengths)
                reused += kept.count
        return _Cut(quality.report(), reused, lacking)

    def _facts(self, quality: QualityReport) -> dict[str, object]:
        """Of this machine, moment and sources; they take no part in the index's id."""
        import datetime

        from genaiops import __version__
        from genaiops.embedding.sentence_transformer import machine

        return {
            "built_at": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "chunk_lengths": as_json(quality.chunks),
            "engine": self.engine.name,
            "flow": self.work.settings.name,
            "genaiops": __version__,
            "machine": machine(),
            "model": self.work.settings.embedding.model,
            "precision": self.embedder.precision,
            "quarantined": [[item.document_id, item.reason] for item in self.gathered.quarantined],
        }


class _Cut(NamedTuple):
    quality: QualityReport
    reused: int
    lacking: list[list[str]]


class _InBlocks:
    """Embeds block after block and tells the progress over all of them."""

    def __init__(self, embedder: Embedder, progress: Progress, total: int) -> None:
        self._embedder, self._progress, self._total, self._done = embedder, progress, total, 0

    def __call__(self, texts: Sequence[str]) -> Vectors:
        before = self._done

        def tell(done: int, missing: int) -> None:
            # Of the block's texts some were known; those come first.
            self._progress(before + len(texts) - missing + done, self._total)

        vectors = self._embedder.embed(texts, tell)
        self._done += len(texts)
        return vectors
