"""Golden sets, their proposals, rejections and lock files without the cases that quote the document."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from genaiops.delivery.forgetting.artefacts import Log
from genaiops.delivery.forgetting.erasure import Erasure
from genaiops.delivery.forgetting.runs import about
from genaiops.delivery.golden_work import DRAFTED_FILE, alone_in
from genaiops.delivery.receipts import Artefact
from genaiops.errors import GenaiopsError
from genaiops.files import TEMPORARY_PREFIX, write_durably
from genaiops.flow.history import all_histories
from genaiops.flow.settings import read_flow
from genaiops.golden_sets import GoldenSet, Places
from genaiops.golden_sets.pins import read_pins, write_pins
from genaiops.golden_sets.proposals import Queue, without_lines
from genaiops.project import Project
from genaiops.records import Case, digest_of

WAITING = ("proposed.jsonl", "rejected.jsonl")
OURS = f"{TEMPORARY_PREFIX}[0-9]*-{'[0-9a-f]' * 16}"  # what a killed edit leaves beside a golden set, as a glob


def golden_files(project: Project) -> Mapping[Path, str]:
    """The golden sets of every flow that was built or lies below `flows/`, with what waits beside them: file → flow."""
    named: dict[Path, str] = {}
    places = [(str(b.settings["name"]), project.root / b.folder, b.settings) for b in all_histories(project)]
    for file in sorted((project.root / "flows").glob("*/flow.yaml")):
        try:
            now = read_flow(file.parent).settings
        except GenaiopsError:
            continue
        places.append((now.name, file.parent, now.model_dump(mode="json")))
    for flow, folder, settings in places:
        given = settings["evaluation"]["golden_set"]
        if given:
            beside = Places.of((folder / given).resolve())
            for path in (beside.golden, beside.proposed, beside.rejected):
                if path.is_file() and path.read_bytes().strip():  # a set whose last case was erased holds nothing
                    named.setdefault(path, flow)
    return named


def cases_in(path: Path) -> Mapping[int, Case]:
    """Line → case of a golden set, or of a file of proposals or rejections beside one."""
    if path.name.endswith(WAITING):
        return {line: proposal.case for line, proposal in Queue.read(path).proposals.items()}
    golden = GoldenSet.load(path)
    return {line: case for case in golden if (line := golden.line(case.id)) is not None}


def golden_leftovers(project: Project) -> tuple[Path, ...]:
    """What killed edits left beside the golden sets."""
    return tuple(path for folder in {file.parent for file in golden_files(project)} for path in folder.glob(OURS))


def prune_golden_sets(project: Project, erasure: Erasure, log: Log) -> None:
    """Take the cases that quote the document out of the golden sets; every other line stays as it is, byte for byte."""
    for path, flow in golden_files(project).items():
        with alone_in(path.parent):
            _prune(path, flow, erasure, log)
    # What a model was asked about is kept as digests of passages; whoever has the passage could tell that it was here.
    (project.home / DRAFTED_FILE).unlink(missing_ok=True)


def _prune(path: Path, flow: str, erasure: Erasure, log: Log) -> None:
    cases = cases_in(path)
    gone = {case.id: line for line, case in cases.items() if _asks_about(erasure, flow, case)}
    _prune_pins(path, erasure, flow, log)
    if not gone:
        return
    left = tuple(case for case in cases.values() if case.id not in gone)
    name, store = path.parent.name if path.name.endswith(WAITING) else Places.of(path).name, "golden set"
    if path.name.endswith(WAITING):
        store = "proposals" if path.name.endswith(WAITING[0]) else "rejections"
    removed = ", ".join(digest_of(case_id)[:12] for case_id in gone)
    before = _digest(tuple(cases.values()))
    log.tell(Artefact(store, before, _digest(left), f"{name}: {len(gone)} cases ({removed})"))
    write_durably(path, without_lines(path.read_bytes(), set(gone.values())))


def _digest(cases: tuple[Case, ...]) -> str:
    """As a golden set's; "" when nothing is left."""
    return digest_of(sorted(case.digest for case in cases)) if cases else ""


def _prune_pins(path: Path, erasure: Erasure, flow: str, log: Log) -> None:
    """The lock file names documents, and holds digests of them."""
    lock = Places.of(path).lock
    if path.name.endswith(WAITING) or not lock.is_file():
        return
    pins = read_pins(lock)
    erased = {case.id for case in cases_in(path).values() if _asks_about(erasure, flow, case)}
    left = pins.without(erased, erasure.document if flow in erasure.flows else "")
    if len(left.cases) < len(pins.cases):
        log.tell(Artefact("lock file", digest_of(pins.cases), digest_of(left.cases), Places.of(path).name))
        write_pins(lock, left)


def _asks_about(erasure: Erasure, flow: str, case: Case) -> bool:
    named = flow in erasure.flows and any(item.document == erasure.document for item in case.evidence)
    return named or about(erasure, flow, case)
