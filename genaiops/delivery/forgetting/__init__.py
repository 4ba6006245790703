"""`forget`: a document erased from every store, blocked from coming back, and a receipt that proves it.

Old things are never edited. Snapshots, runs and releases without the document are made beside them, everything that
points at an old one moves, and only then the old ones are removed. A kill at any moment leaves either the state before
(with the document already blocked) or an erasure that the same command finishes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from genaiops.delivery.forgetting.artefacts import Log, Replaced
from genaiops.delivery.forgetting.before import erased_before, found_nothing
from genaiops.delivery.forgetting.cache import clean_cache
from genaiops.delivery.forgetting.erasure import Erasure, close_journal, unfinished
from genaiops.delivery.forgetting.finding import find, holdings, snapshots
from genaiops.delivery.forgetting.golden import OURS, golden_files, prune_golden_sets
from genaiops.delivery.forgetting.indexes import issue_again, move_pointers
from genaiops.delivery.forgetting.probes import probe_all
from genaiops.delivery.forgetting.releases import issue_releases_again
from genaiops.delivery.forgetting.removing import remove_replaced
from genaiops.delivery.forgetting.stores import issue_runs_again, issue_tracked_again, move_evaluations
from genaiops.delivery.history import index_folders
from genaiops.delivery.receipts import Artefact, Probe, Receipt, read_receipts, write_receipt
from genaiops.delivery.retention import written_folders
from genaiops.display import counted
from genaiops.documents.settings import URL, SourceSettings
from genaiops.errors import ConfigurationError, Conflict, NotFound
from genaiops.files import locked, remove_leftovers
from genaiops.flow import Flow
from genaiops.flow.tombstones import bury, pseudonym, read_tombstones, unbury, words_of
from genaiops.indexing import read_manifest
from genaiops.project import Project
from genaiops.promotion import Registry
from genaiops.promotion.actor import check_actor
from genaiops.records import Document


@dataclass(frozen=True, slots=True)
class Planned:
    """What an erasure would touch: document ids with the same words, snapshots (ids), and passages to look for.

    `already` is the receipt of a document that was erased before, of which nothing is left to touch.
    """

    documents: tuple[str, ...]
    indexes: tuple[str, ...]
    passages: int
    already: Receipt | None = None


def plan_forget(flow: Flow, *, document: str = "", text: str = "") -> Planned:
    """What `forget` would erase; nothing is changed. Raises as `forget`."""
    erasure = _found(flow.project, flow.name, document, text)
    if isinstance(erasure, Receipt):
        return Planned((), (), 0, erasure)
    held = tuple(holding.folder.name for holding in holdings(flow.project, erasure))
    return Planned(tuple(erasure.texts), held, len(erasure.samples()))


def forget(flow: Flow, *, document: str = "", text: str = "", actor: str = "", wait_s: float = 60.0) -> Receipt:
    """Erase a document of the flow (by its id, or every document with the words of `text`) from every store.

    Every version in every snapshot goes, and with it every document with the same words, in snapshots of other flows
    too. Finishes an erasure that was killed first. Runs alone: Conflict when a build or an evaluation goes on for
    longer than `wait_s`. Raises NotFound when no snapshot holds it, IntegrityError when a snapshot in use is damaged.
    A document that was erased already, and is kept out since, is no error: nothing is written, and the receipt of then
    is returned (`erased_before` has it too).
    """
    if bool(document) == bool(text.strip()):
        raise ConfigurationError("name what to erase: a document or a text", remedy="--document ID, or --text FILE")
    project, actor = flow.project, check_actor(actor)
    with locked(project.lock, wait_s=wait_s, what="builds or evaluates"):
        begun = unfinished(project)
        if begun is not None:
            receipt = _erase(project, begun, actor, flow)
            asked = words_of(text) in begun.words if text else (begun.document, begun.flow) == (document, flow.name)
            if asked:
                return receipt
        found = _found(project, flow.name, document, text)
        return found if isinstance(found, Receipt) else _erase(project, found, actor, flow)


def _found(project: Project, flow: str, document: str, text: str) -> Erasure | Receipt:
    """What to erase, or the receipt of the erasure that left nothing of it. Raises as `forget`."""
    try:
        return find(project, flow, document=document, text=text)
    except (NotFound, ConfigurationError) as error:
        if before := erased_before(project, document=document, text=text):
            return before
        raise found_nothing(project, error, document) from None


def allow_again(flow: Flow, document: str, *, actor: str = "") -> int:
    """Lift the block from a document id, so that builds may read it again; returns how many tombstones there were."""
    lifted = unbury(flow.project, document)
    if lifted:
        name = pseudonym(flow.project, document)
        Registry.of(flow.project).note("allow_again", {"document": name}, actor=actor)
    return lifted


def _erase(project: Project, erasure: Erasure, actor: str, flow: Flow) -> Receipt:
    log = Log(project)
    erasure.save(project)
    bury(project, [Document(name, text) for name, versions in erasure.texts.items() for text in versions])
    replaced = Replaced()
    for stage in _stages(project, erasure, replaced, log):
        stage()
    probes = probe_all(project, erasure, log.artefacts())
    receipt = write_receipt(project, _receipt(project, erasure, actor, log.artefacts(), probes, flow))
    Registry.of(project).note(
        "forget", {"document": receipt.document, "flow": erasure.flow, "receipt": receipt.digest}, actor=actor
    )
    if not receipt.proved:  # the journal stays, so that the same command tries again
        found = sorted({hit for probe in probes for hit in probe.hits})
        raise Conflict(
            "the document was erased, but something of it is still found: " + ", ".join(found[:5]),
            where=project.home,
            remedy="remove what is named there, or stop the process that holds it, then run the same command again",
        )
    log.close()
    close_journal(project)
    return receipt


def _stages(project: Project, erasure: Erasure, replaced: Replaced, log: Log) -> tuple[Callable[[], None], ...]:
    """In order: what is made, what points at it, what is removed. A store of users' answers would be one more."""
    return (
        lambda: _sweep(project),
        lambda: _issue_indexes(project, erasure, replaced, log),
        lambda: issue_runs_again(project, erasure, replaced, log),
        lambda: issue_releases_again(project, replaced, log),
        lambda: _follow(project, replaced, log),
        lambda: move_evaluations(project, replaced, log),
        lambda: issue_tracked_again(project, replaced, log),
        lambda: prune_golden_sets(project, erasure, log),
        lambda: remove_replaced(project, replaced, snapshots(project)[1], erasure, log),
        lambda: clean_cache(project, erasure, index_folders(project), log),
        lambda: _sweep(project),
    )


def _issue_indexes(project: Project, erasure: Erasure, replaced: Replaced, log: Log) -> None:
    for holding in holdings(project, erasure):
        issued = issue_again(project, erasure, holding)
        replaced.indexes[issued.before] = issued.after
        if issued.after:
            replaced.contents[issued.after] = read_manifest(project.indexes / issued.after).content
        note = f"{counted(issued.documents, 'document')} and {counted(issued.chunks, 'chunk')} less"
        log.tell(Artefact("index", issued.before, issued.after, note))


def _follow(project: Project, replaced: Replaced, log: Log) -> None:
    for flow, before, after in move_pointers(project, replaced.indexes):
        log.tell(Artefact("current index", f"{flow} {before}", after))


def _sweep(project: Project) -> None:
    """What killed writers left may hold the document."""
    for folder in written_folders(project):
        remove_leftovers(folder)
    for folder in {path.parent for path in golden_files(project)}:
        remove_leftovers(folder, OURS)  # a folder of the user's, too


def _receipt(
    project: Project,
    erasure: Erasure,
    actor: str,
    artefacts: tuple[Artefact, ...],
    probes: tuple[Probe, ...],
    flow: Flow,
) -> Receipt:
    return Receipt(
        sequence=0,
        at="",
        actor=actor,
        flow=erasure.flow,
        document=pseudonym(project, erasure.document),
        versions=sum(len(versions) for versions in erasure.texts.values()),
        same_text=len(erasure.texts) - 1,
        passages=len(erasure.samples()),
        tombstones=len(read_tombstones(project)),
        artefacts=artefacts,
        probes=probes,
        source_present=_source_present(flow, erasure),
    )


def _source_present(flow: Flow, erasure: Erasure) -> bool | None:
    """Whether a file with the document still lies below a folder of the flow; None if it may lie where nobody looked.

    Looked at are local files and folders, not globs, URLs, pages, databases and loaders.
    """
    sources = flow.settings.documents.sources
    roots = [flow.folder / source.path for source in sources if _is_looked_at(flow, source)]
    if any(_source(root, name) for root in roots for name in erasure.texts):
        return True
    return False if len(roots) == len(sources) else None


def _is_looked_at(flow: Flow, source: SourceSettings) -> bool:
    if not source.path or URL.match(source.path):
        return False
    return (flow.folder / source.path).exists() or not any(mark in source.path for mark in "*?[")


def _source(root: Path, document: str) -> bool:
    """Whether a file with the document lies below a folder, or is `root` itself; `table.csv#4` is in `table.csv`."""
    names = {document, document.rpartition("#")[0] or document}
    return any((root / name).is_file() for name in names) or (root.name in names and root.is_file())


__all__ = ["Planned", "Receipt", "allow_again", "erased_before", "forget", "plan_forget", "read_receipts"]
