"""What a build would do, told without doing it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from genaiops.cleansing import missed
from genaiops.documents import Quarantined
from genaiops.embedding import CorpusEmbedder
from genaiops.errors import GenaiopsError
from genaiops.flow.chunkers import chunker_of
from genaiops.flow.current import current_index
from genaiops.flow.gathering import gather
from genaiops.flow.settings import FlowSettings
from genaiops.indexing import index_id
from genaiops.indexing.manifest import inputs_of
from genaiops.project import Project

if TYPE_CHECKING:
    from genaiops.records import Chunk


@dataclass(frozen=True, slots=True)
class ChunkChanges:
    """Chunks by the text that is searched: in documents that are added, changed or removed.

    A chunk that only moved within its document counts as kept.
    """

    added: int
    changed: int
    removed: int
    kept: int


@dataclass(frozen=True, slots=True)
class BuildPlan:
    """What a build would do, by document id, against the index that is current now.

    `missed` says why it would fail for missing the flow's quality bar; `unread` is as in BuildReport.
    """

    index: str
    unchanged: bool
    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    quarantined: tuple[Quarantined, ...]
    chunks: ChunkChanges
    missed: tuple[str, ...] = ()
    unread: Mapping[str, int] = field(default_factory=dict)


def plan_build(project: Project, settings: FlowSettings, base: Path, embedder: CorpusEmbedder) -> BuildPlan:
    """Compare the documents as they are with those of the current index; only what was read is cached."""
    from genaiops.indexing.snapshot import read_chunks_of, read_documents_of

    gathered = gather(project, settings, base, cache=project.cache)
    identity = index_id(inputs_of(gathered.listed, settings.index_part(), embedder.fingerprint))
    chunks: tuple[Chunk, ...] = ()
    try:
        current = current_index(project, settings, base)
        before = {document.id: document.digest for document in read_documents_of(project.indexes / current)}
        chunks = read_chunks_of(project.indexes / current)
    except GenaiopsError:  # none, or one that cannot be read: everything is new
        current, before = "", {}
    texts: dict[str, Counter[str]] = {name: Counter() for name in before}
    lengths: dict[str, list[int]] = {name: [] for name in before}
    for chunk in chunks:
        texts[chunk.document_id][chunk.indexed_text] += 1
        lengths[chunk.document_id].append(chunk.end - chunk.start)
    now = dict(gathered.listed)
    chunker = chunker_of(project, settings, base)
    quality = gathered.counter()
    added = changed = removed = kept = 0
    for position, entry in enumerate(gathered.documents.entries):
        old = texts.pop(entry.id, Counter())
        if before.get(entry.id) == entry.digest:
            kept += old.total()
            quality.add_chunks(lengths[entry.id])
            continue
        cut = chunker.chunk(gathered.documents[position])
        quality.add_chunks(chunk.end - chunk.start for chunk in cut)
        new = Counter(chunk.indexed_text for chunk in cut)
        fresh, gone = (new - old).total(), (old - new).total()
        changed += min(fresh, gone)
        added += fresh - min(fresh, gone)
        removed += gone - min(fresh, gone)
        kept += (new & old).total()
    removed += sum(old.total() for old in texts.values())
    return BuildPlan(
        identity,
        identity == current,
        tuple(sorted(now.keys() - before.keys())),
        tuple(sorted(name for name in now.keys() & before.keys() if now[name] != before[name])),
        tuple(sorted(before.keys() - now.keys())),
        gathered.quarantined,
        ChunkChanges(added, changed, removed, kept),
        missed(settings.quality, quality.report()),
        gathered.unread,
    )
