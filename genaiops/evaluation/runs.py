"""The runs a folder holds, and the id a new one gets."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from genaiops.errors import NotFound
from genaiops.evaluation.records import RUN_FILE, Run
from genaiops.files import TEMPORARY_PREFIX
from genaiops.records import digest_of


def new_run(run: Run, *, now: datetime | None = None) -> Run:
    """`run` with its time of creation and its id: that time to the millisecond and 8 hex digits of its digest."""
    moment = (now or datetime.now(UTC)).astimezone(UTC)
    dated = replace(run, id="", created_at=moment.isoformat(timespec="milliseconds"))
    return replace(dated, id=f"{moment:%Y%m%dt%H%M%S}{moment.microsecond // 1000:03}z-{digest_of(dated.to_json())[:8]}")


def list_runs(folder: Path) -> list[Path]:
    """The folders of all runs below `folder`, oldest first (their names begin with the time). Nothing is read."""
    if not folder.is_dir():
        return []
    found = [path for path in folder.iterdir() if (path / RUN_FILE).is_file()]
    return sorted(path for path in found if not path.name.startswith(TEMPORARY_PREFIX))


def find_run(folder: Path, run_id: str) -> Run:
    """The run whose id is `run_id`, or the only one whose id starts or ends with it; NotFound otherwise."""
    names = [path.name for path in list_runs(folder)]
    matches = [name for name in names if name == run_id] or [
        name for name in names if run_id and (name.startswith(run_id) or name.endswith(run_id))
    ]
    if len(matches) != 1:
        what = f"{len(matches)} runs match {run_id!r}" if matches else f"no run {run_id!r}"
        shown = ", ".join((matches or names)[-5:])
        raise NotFound(what, where=folder, remedy=f"the latest: {shown}" if shown else "genaiops evaluate makes one")
    return Run.load(folder / matches[0])
