"""Runs by the names people have for them: an id, `latest`, a file, or an environment that serves what they earned."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from itertools import groupby, islice
from pathlib import Path
from typing import TYPE_CHECKING

from genaiops.delivery.reissued import lead_to_successor
from genaiops.errors import NotFound
from genaiops.evaluation import Run, find_run, list_runs
from genaiops.evaluation.records import RUN_FILE

if TYPE_CHECKING:
    from genaiops.project import Project

_LATEST = re.compile(r"latest(?:~([0-9]{1,4}))?")


def named_runs(
    project: Project, names: tuple[str, ...], *, flow: str = "", counts: Callable[[Run], bool] | None = None
) -> tuple[Run, ...]:
    """The run of each name, in order.

    A name is a run's id or the beginning or end of one, a run.json or its folder, an environment of
    the project (the run that earned the release it serves), or `latest`, `latest~1` for the newest
    run, the one before, and so on. Environments and `latest` mean runs of `flow`; without it, of the
    flow of the runs that are named otherwise, and else of the newest run there is. `latest` passes over a run that
    does not count. NotFound says what there is.
    """
    found: dict[str, Run] = {}
    # What says by itself which run it is comes first: it tells which flow the others mean.
    by_age = partial(_by_age, counts=counts)
    for read in (_by_itself, _served, by_age):
        if read is by_age and not flow and len(found) < len(set(names)):
            flow = next((run.subject.flow for run in _newest_first(project.runs)), "")
        for name in names:
            if name not in found and (run := read(project, name, flow)) is not None:
                found[name] = run
        flows = {run.subject.flow for run in found.values()}
        flow = flow or (flows.pop() if len(flows) == 1 else "")
    return tuple(found[name] for name in names)


def _by_itself(project: Project, name: str, _: str) -> Run | None:
    """The run of an id or a path; None for an environment and for `latest`."""
    if name in project.settings.environments or _LATEST.fullmatch(name):
        return None
    path = Path(name)
    try:
        is_path = path.name == RUN_FILE or (path / RUN_FILE).is_file()
    except OSError:  # longer than a path may be
        is_path = False
    if is_path:
        return Run.load(path)
    try:
        return find_run(project.runs, name)
    except NotFound:
        lead_to_successor(project, name, stores=("run",))
        raise


def _by_age(project: Project, name: str, flow: str, counts: Callable[[Run], bool] | None = None) -> Run | None:
    """The run that `latest` or `latest~N` means; None for every other name."""
    written = _LATEST.fullmatch(name)
    if not written:
        return None
    back = int(written[1] or 0)
    of_flow = (run for run in _newest_first(project.runs) if not flow or run.subject.flow == flow)
    if run := next(islice(filter(counts, of_flow), back, None), None):
        return run
    what = f"there is no run {name!r}{f' of {flow}' if flow else ''}"
    if counts is None:
        raise NotFound(what, where=project.runs, remedy=_MAKE)
    what += " to compare with: only those count that passed their gate or met none, and have values of what is compared"
    raise NotFound(what, where=project.runs, remedy="name a run by its id, or leave --against away until one passed")


def _newest_first(folder: Path) -> Iterator[Run]:
    """Every run, read when it is asked for, together with those of its second: ids once did not tell them apart."""
    for _, found in groupby(reversed(list_runs(folder)), key=lambda path: path.name[:_TO_THE_SECOND]):
        yield from sorted((Run.load(path) for path in found), key=lambda run: run.created_at, reverse=True)


_TO_THE_SECOND = len("20261121t184142")
_MAKE = "genaiops evaluate FLOW makes one"


def _served(project: Project, name: str, flow: str) -> Run | None:
    """The run that earned the release an environment serves; None for a name that is no environment."""
    if name not in project.settings.environments:
        return None
    from genaiops.promotion import Registry, load_release

    pointer = Registry.of(project).pointer(name, flow or None)
    if not pointer.release:
        raise NotFound(f"{name} serves no release{f' of {flow}' if flow else ''}", remedy="genaiops status")
    run = load_release(project.releases, pointer.release).evidence.run
    try:
        return Run.load(project.runs / run)
    except NotFound:
        raise NotFound(
            f"the run {run} that earned {name}'s release {pointer.release[:12]} is not here",
            where=project.runs,
            remedy=f"measure it again: genaiops evaluate FLOW --release {name}",
        ) from None
