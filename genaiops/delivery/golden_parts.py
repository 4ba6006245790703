"""The part of a flow's golden set that is measured, and the count of looks at what is kept aside."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

from genaiops.evaluation import Run
from genaiops.evaluation.runs import new_run
from genaiops.files import locked
from genaiops.flow import Flow
from genaiops.golden_sets import GoldenSet, Places
from genaiops.golden_sets.looks import LEDGER_FILE, Look, note_look, read_looks
from genaiops.golden_sets.splitting import part_of_set, parts_of, read_split
from genaiops.project import Project
from genaiops.promotion.actor import check_actor


def measured_part(flow: Flow) -> tuple[GoldenSet, str]:
    """The cases that an evaluation of the flow asks, and the name of their part ("" for a set that is not divided).

    `evaluation.split` names the part; by default it is dev of a divided set, and all of another.
    """
    golden = GoldenSet.load(flow.golden_set_path)
    split = read_split(Places.of(flow.golden_set_path).split)
    return part_of_set(golden, split, flow.settings.evaluation.split)


def training_cases(flow: Flow) -> GoldenSet | None:
    """The train part of a divided golden set; None where it is not divided."""
    split = read_split(Places.of(flow.golden_set_path).split)
    if split is None:
        return None
    return part_of_set(GoldenSet.load(flow.golden_set_path), split, "train")[0]


def holdout_looks(flow: Flow) -> tuple[Look, ...]:
    """Every look at the holdout of the golden set as it is divided now, oldest first."""
    places = Places.of(flow.golden_set_path)
    split = read_split(places.split)
    return () if split is None else read_looks(flow.project.home / LEDGER_FILE, places.name, split.digest)


def count_look(flow: Flow, run: Run, part: str) -> Run:
    """As `count_look_at`, of the flow's own golden set."""
    return count_look_at(flow.project, flow.golden_set_path, run, part, asked=flow.name)


def count_look_at(project: Project, golden_set: Path, run: Run, part: str, *, asked: str) -> Run:
    """The run with its part; one that asked holdout cases is entered in the ledger first, and says which look it is.

    The entry is on disk before anybody can read a score of the run. `asked` names the flow or the application.
    """
    if not part:
        return run
    made = datetime.fromisoformat(run.created_at)
    split = read_split(Places.of(golden_set).split)
    golden = GoldenSet.load(golden_set)
    aside = frozenset(parts_of(golden, split).get("holdout", ()))
    seen = sum(result.case.id in aside for result in run.results)
    if split is None or not seen:
        return new_run(replace(run, part=part), now=made)
    ledger = project.home / LEDGER_FILE
    with locked(project.home / "locks" / "holdout", what="counts a look at the holdout"):
        before = len(read_looks(ledger, golden.name, split.digest))
        counted = new_run(replace(run, part=part, holdout_looks=before + 1), now=made)
        note_look(ledger, Look(run.created_at, check_actor(""), asked, golden.name, split.digest, counted.id, seen))
    return counted
