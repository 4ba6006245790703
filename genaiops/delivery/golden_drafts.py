"""Proposals for a flow's golden set, by templates or by its model."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from genaiops.delivery.golden_outcome import Drafted
from genaiops.delivery.golden_work import DRAFTED_FILE, desk_of
from genaiops.errors import ConfigurationError, ModelError, NotBuilt, NotFound
from genaiops.files import fsync_folder, storing
from genaiops.flow import Flow
from genaiops.flow.models import complete_with
from genaiops.golden_sets import GoldenSet
from genaiops.golden_sets.desk import Desk
from genaiops.golden_sets.drafting import Draft, Known, Search, choose, drafts
from genaiops.golden_sets.drafting.asking import Window, ask, windows
from genaiops.golden_sets.drafting.passages import passages
from genaiops.golden_sets.proposals import Proposal, Queue
from genaiops.golden_sets.similarity import Embed
from genaiops.records import Case, Chunk

_DEPTH = 10  # hits looked at for each question
_GIVE_UP = 3  # failures in a row
Report = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much may be proposed: in all, and for each document with what waits; `calls` of a model at most."""

    limit: int = 20
    per_document: int = 3
    calls: int = 20
    documents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Table:
    """What the drafting of one flow works with."""

    desk: Desk
    texts: Mapping[str, str]
    embed: Embed | None
    search: Search | None

    def known(self) -> Known:
        places = self.desk.places
        return Known(
            _cases(places.golden),
            tuple(proposal.case for proposal in self.desk.pending()),
            Queue.read(places.rejected).cases,
        )

    def finished(self, done: Drafted) -> Drafted:
        """With what tells why nothing was added, where that is so."""
        if not done.added:
            found = [passage for name, text in self.texts.items() for passage in passages(name, text)]
            done.sentences = sum(len(passage.section.sentences) for passage in found)
            done.documents, done.waiting = len(self.texts), len(self.desk.pending())
        return done


def draft_by_templates(flow: Flow, bounds: Bounds = Bounds(), *, embed: Embed | None = None) -> Drafted:
    """Propose cases from the forms of the documents' sentences; no model is asked.

    The same documents give the same drafts, so a second call goes on where the first one stopped. Raises NotFound
    for a document that the flow does not have.
    """
    table = _table(flow, bounds, embed)
    made = list(drafts(table.texts))
    found = choose(
        made,
        table.desk.texts,
        table.known(),
        limit=bounds.limit,
        per_document=bounds.per_document,
        embed=table.embed,
        search=table.search,
    )
    proposals = [_proposal(case, f"template:{template}", note) for case, template, note in found.cases]
    done = Drafted(table.desk.add(proposals), found.left_out, made=len(made), over=found.over)
    return table.finished(done)


def draft_by_model(
    flow: Flow, bounds: Bounds = Bounds(), *, embed: Embed | None = None, report: Report = lambda done, total: None
) -> Drafted:
    """Propose cases that the flow's model writes, one call for each stretch of a document.

    What a call brings is on disk before the next one, and a stretch that was asked about is not asked about again,
    unless --limit or --per-document left no room for some of what it brought. A document for which as many proposals
    wait as may is not asked about. Three failures in a row end it. Raises ConfigurationError for a flow without a
    model, NotFound as above.
    """
    complete = complete_with(flow.generation)
    if complete is None:
        raise ConfigurationError(
            "the flow has no model that writes; generation.model is extractive",
            remedy="--set generation.model=NAME with a model of models.yaml, or draft by templates",
        )
    table = _table(flow, bounds, embed)
    done, log = Drafted(by="model"), flow.project.home / DRAFTED_FILE
    name, asked = flow.generation.model, _read_lines(log)
    all_windows = _in_turn(table)
    open_windows = [window for window in all_windows if window.key(name) not in asked]
    done.stretches = len(all_windows)
    waiting = Counter(case.evidence[0].document for case in table.known().pending if case.evidence)
    total, failures = min(bounds.calls, len(open_windows)), 0
    for window in open_windows:
        if done.calls >= bounds.calls or len(done.added) >= bounds.limit or failures >= _GIVE_UP:
            done.more = True
            break
        if waiting[window.document] >= bounds.per_document:
            done.more = True
            continue
        done.calls += 1
        report(done.calls, total)
        try:
            reply = ask(window, complete)
        except ModelError as error:
            failures, done.failed = failures + 1, str(error)
            continue
        done.left_out.update(reply.left_out)
        if reply.is_garbage:
            failures += 1
            continue
        failures, done.failed = 0, ""
        over = _keep(table, reply.drafts, bounds, done, f"model:{name}", waiting)
        if over:
            done.more = True
        else:
            _append_line(log, window.key(name))
    if failures and not done.failed:
        done.failed = f"model {name} gave no JSON that can be read"
    return table.finished(done)


def _keep(
    table: _Table, written: Sequence[Draft], bounds: Bounds, done: Drafted, by: str, waiting: Counter[str]
) -> int:
    """Put what is worth it among the proposals; returns for how many drafts there was no room."""
    found = choose(
        written,
        table.desk.texts,
        table.known(),
        limit=bounds.limit - len(done.added),
        per_document=bounds.per_document,
        embed=table.embed,
        search=table.search,
    )
    added = table.desk.add([_proposal(case, by, note) for case, _, note in found.cases])
    done.added += added
    done.left_out.update(found.left_out)
    if found.over:
        done.left_out["over --limit or --per-document"] += found.over
    waiting.update(proposal.case.evidence[0].document for proposal in added)
    return found.over


def _table(flow: Flow, bounds: Bounds, embed: Embed | None) -> _Table:
    desk = desk_of(flow)
    for name in bounds.documents:
        if name not in desk.texts:
            raise NotFound(f"the flow has no document {name!r}", remedy="genaiops chunks FLOW shows what there is")
    texts = {name: text for name, text in desk.texts.items() if not bounds.documents or name in bounds.documents}
    return _Table(desk, texts, embed, _search_of(flow))


def _search_of(flow: Flow) -> Search | None:
    """The flow's retrieval; None without an index, and where a model would be paid for every search."""
    if flow.settings.retrieval.rewrite != "none":
        return None
    try:
        pipeline = flow.pipeline
    except NotBuilt:
        return None

    def search(question: str) -> Sequence[Chunk]:
        return [hit.chunk for hit in pipeline.search(question, _DEPTH)]

    return search


def _in_turn(table: _Table) -> list[Window]:
    """The first window of every document, from those with the fewest cases on, then every second one, and so on."""
    known = table.known()
    cases = Counter(item.document for case in (*known.cases, *known.pending) for item in case.evidence)
    placed: Counter[str] = Counter()
    turns: list[tuple[int, int, str, Window]] = []
    for window in windows(table.texts):
        turns.append((placed[window.document], cases[window.document], window.document, window))
        placed[window.document] += 1
    return [window for *_, window in sorted(turns, key=lambda turn: turn[:3])]


def _proposal(case: Case, by: str, note: str) -> Proposal:
    return Proposal(case, by, datetime.now(UTC).isoformat(timespec="seconds"), note)


def _cases(path: Path) -> tuple[Case, ...]:
    return GoldenSet.load(path).cases if path.exists() and path.read_bytes().strip() else ()


def _read_lines(path: Path) -> set[str]:
    return set(path.read_text(encoding="utf-8", errors="replace").split()) if path.exists() else set()


def _append_line(path: Path, line: str) -> None:
    with storing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        new = not path.exists()
        with path.open("a", encoding="utf-8") as stream:
            stream.write(f"{line}\n")
            stream.flush()
            os.fsync(stream.fileno())
        if new:
            fsync_folder(path.parent)
