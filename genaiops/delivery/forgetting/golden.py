"""Golden sets without the cases that quote the document."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from genaiops.delivery.forgetting.artefacts import Artefact, Log
from genaiops.delivery.forgetting.erasure import Erasure
from genaiops.delivery.forgetting.runs import about
from genaiops.errors import GenaiopsError
from genaiops.files import TEMPORARY_PREFIX, write_durably
from genaiops.flow.history import all_histories
from genaiops.flow.settings import read_flow
from genaiops.golden_sets.golden_set import GOLDEN_FILE, GoldenSet
from genaiops.project import Project
from genaiops.records import Case, digest_of

OURS = f"{TEMPORARY_PREFIX}[0-9]*-{'[0-9a-f]' * 16}"  # what a killed edit leaves beside a golden set, as a glob


def golden_files(project: Project) -> Mapping[Path, str]:
    """The golden sets of every flow that was built or lies below `flows/`: file → flow."""
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
            path = (folder / given).resolve()
            path = path / GOLDEN_FILE if path.is_dir() else path
            if path.is_file() and path.read_bytes().strip():  # a set whose last case was erased holds nothing
                named.setdefault(path, flow)
    return named


def golden_leftovers(project: Project) -> tuple[Path, ...]:
    """What killed edits left beside the golden sets."""
    return tuple(path for folder in {file.parent for file in golden_files(project)} for path in folder.glob(OURS))


def prune_golden_sets(project: Project, erasure: Erasure, log: Log) -> None:
    """Take the cases that quote the document out of the golden sets; every other line stays as it is, byte for byte."""
    for path, flow in golden_files(project).items():
        golden = GoldenSet.load(path)
        gone = {case.id: golden.line(case.id) for case in golden if _asks_about(erasure, flow, case)}
        if not gone:
            continue
        lines = path.read_bytes().split(b"\n")
        kept = [line for number, line in enumerate(lines, start=1) if number not in gone.values()]
        left = tuple(case for case in golden if case.id not in gone)
        after = GoldenSet(golden.name, left).digest if left else ""
        removed = ", ".join(digest_of(name)[:12] for name in gone)
        log.tell(Artefact("golden set", golden.digest, after, f"{golden.name}: {len(gone)} cases ({removed})"))
        write_durably(path, b"\n".join(kept))


def _asks_about(erasure: Erasure, flow: str, case: Case) -> bool:
    named = flow in erasure.flows and any(item.document == erasure.document for item in case.evidence)
    return named or about(erasure, flow, case)
