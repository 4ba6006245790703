"""indexes, diff, freshness, rebuild, gc: the life of an index."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from genaiops.cli.commands import Registry
from genaiops.cli.output import FlowFolder, Json, Set, leave, note, print_json, progress, say
from genaiops.cli.remedies import of_flow
from genaiops.display import counted

if TYPE_CHECKING:
    from genaiops.delivery.diffing import IndexDiff
    from genaiops.flow import Flow
    from genaiops.project import Project
    from genaiops.promotion import Release

_SHOWN = 20  # lines of one kind that are printed for people; --json has all


def register(app: Registry) -> None:
    for command in (indexes, diff, freshness, rebuild, gc):
        app.command()(command)


def indexes(
    flow: Annotated[str, typer.Argument(metavar="[FLOW]", help="Folder or name of a flow; default: all.")] = "",
    as_json: Json = False,
) -> None:
    """List the indexes and who uses them.

    With those that were removed and could be rebuilt.
    """
    from genaiops.delivery.history import list_indexes

    project, name = _project_and_flow(flow)
    found = list_indexes(project, name)
    if as_json:
        print_json({"indexes": found})
        return
    for index in found:
        used = "; ".join(index.used_by) or "not in use"
        problem = f"; {index.problem}" if index.problem else ""
        size = f"{index.bytes:,} bytes"
        say(
            f"{index.id[:12]}  {','.join(index.flows)}  {index.built_at}  {counted(index.documents, 'document')}, "
            f"{counted(index.chunks, 'chunk')}, {size}  {used}{problem}"
        )
    if not found:
        say(of_flow("no index yet; make one: genaiops build FLOW", flow))


def _project_and_flow(flow: str) -> tuple[Project, str]:
    from genaiops.flow.settings import read_flow
    from genaiops.project import Project

    if flow and Path(flow).exists():
        return Project.find(Path(flow)), read_flow(Path(flow)).settings.name
    return Project.here(), flow


def diff(
    before: Annotated[str, typer.Argument(help="Index or release (6 digits or more), FLOW@current, or environment.")],
    after: Annotated[str, typer.Argument(help="The same, for what to compare it with.")],
    questions: Annotated[
        Path | None, typer.Option("--questions", help="JSON lines with text or question: put them to both indexes.")
    ] = None,
    flow: Annotated[
        Path | None, typer.Option("--flow", help="Whose retrieval settings and golden set ask both indexes.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Say what differs between two indexes or releases.

    Of indexes: documents, chunks, settings, and the questions whose best hits differ.
    """
    from genaiops.delivery.history import find_index
    from genaiops.project import Project

    project = Project.find(flow) if flow else Project.here()
    first, second = _release(project, before), _release(project, after)
    if first is not None and second is not None and flow is None and questions is None:
        _diff_of_releases(first, second, as_json=as_json)
        return
    names = [
        str(release.served["index"]) if release is not None else find_index(project, name)
        for release, name in ((first, before), (second, after))
    ]
    from genaiops.delivery.diffing import diff_indexes

    asking, asked = _questions(project, flow, questions)
    found = diff_indexes(project, names[0], names[1], flow=asking, questions=asked)
    print_json({"kind": "indexes", **_plain(found)}) if as_json else _tell_diff(found)


def _plain(found: IndexDiff) -> dict[str, object]:
    from genaiops.records import as_json

    return {**as_json(found), "same": found.same}


def _release(project: Project, name: str) -> Release | None:
    """The release of that name; None when it names none, so that it may be an index."""
    from genaiops.delivery.history import PREFIX
    from genaiops.errors import NotFound
    from genaiops.promotion import Registry, find_release, load_release

    if name in project.settings.environments:
        name = Registry.of(project).pointer(name).release or ""
    elif not PREFIX.fullmatch(name):
        return None
    try:
        return load_release(project.releases, find_release(project.releases, name))
    except NotFound:
        return None


def _diff_of_releases(first: Release, second: Release, *, as_json: bool) -> None:
    from genaiops.promotion import diff as changes_of

    changes = changes_of(first, second)
    if as_json:
        print_json({"kind": "releases", "changes": changes})
        return
    for change in changes:
        say(f"{change.part}: {_short(change.before)} -> {_short(change.after)}")
    if not changes:
        same = first.digest == second.digest
        say("the same release" if same else "they serve the same; only their verdicts were reached differently")


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 120 else text[:117] + "..."


def _questions(project: Project, folder: Path | None, file: Path | None) -> tuple[Flow | None, tuple[str, ...]]:
    """The flow that asks, and its questions: of the file, else of its golden set."""
    from genaiops.delivery.diffing import read_questions
    from genaiops.flow import Flow
    from genaiops.golden_sets import GoldenSet

    flow = None if folder is None else Flow.load(folder, project=project)
    if file is not None:
        return flow, read_questions(file)
    if flow is None or not flow.settings.evaluation.golden_set:
        return flow, ()
    return flow, tuple(case.question for case in GoldenSet.load(flow.golden_set_path))


def _tell_diff(found: IndexDiff) -> None:
    for sign, names in (("+", found.documents_added), ("~", found.documents_changed), ("-", found.documents_gone)):
        for name in names:
            say(f"{sign} {name}")
    for sign, chunks in (("+", found.chunks_added), ("~", found.chunks_changed), ("-", found.chunks_gone)):
        for chunk in chunks[:_SHOWN]:
            start, end, text = chunk.after or chunk.before or (0, 0, "")
            say(f"  {sign} {chunk.document} {start}-{end}: {_short(' '.join(text.split()))}")
        if len(chunks) > _SHOWN:
            say(f"  {sign} and {len(chunks) - _SHOWN} more; --json has all")
    for change in found.settings:
        say(f"{change.part}: {_short(change.before)} -> {_short(change.after)}")
    for question in found.questions or ():
        say(f"? {question.question}")
        for sign, hits in (("-", question.gone), ("+", question.new)):
            for document, start, end in hits:
                say(f"    {sign} {document} {start}-{end}")
    documents = (found.documents_added, found.documents_changed, found.documents_gone)
    counts = "documents +{} ~{} -{}".format(*map(len, documents))
    chunks_told = f"chunks +{len(found.chunks_added)} ~{len(found.chunks_changed)} -{len(found.chunks_gone)}"
    told = "the same" if found.same else f"{counts}; {chunks_told}, {found.moved} moved"
    if found.questions is not None:
        told += f"; {len(found.questions)} of {found.asked} questions find something else"
    if found.not_asked:
        told += f"; no question was asked: {found.not_asked}"
    say(f"{found.before[:12]} -> {found.after[:12]}: {told}")


def freshness(
    flow: FlowFolder,
    objective_hours: Annotated[
        float | None, typer.Option("--objective-hours", min=0, help="In place of freshness.objective_hours.")
    ] = None,
    settings: Set = None,
    as_json: Json = False,
) -> None:
    """Say how far the index is behind its sources.

    Exit 1 when the objective is missed; without one, when anything is behind.
    """
    from genaiops.delivery.freshness import freshness as compare
    from genaiops.flow import Flow
    from genaiops.records import as_json as plain

    found = compare(Flow.load(flow, overrides=settings or ()), objective_hours=objective_hours)
    if as_json:
        print_json({**plain(found), "met": found.met})
    else:
        for item in found.behind:
            say(f"{item.state:8} {item.document}  behind for {item.hours:.1f} h")
        held = "met" if found.met else "missed"
        wanted = (
            "no objective is set"
            if found.objective_hours is None
            else f"objective: {found.objective_hours:g} h, {held}"
        )
        say(
            f"index {found.index[:12]} of {found.flow}, sources read at {found.read_at}, newest source "
            f"{found.newest_source or 'unknown'}: {len(found.behind)} of "
            f"{counted(found.documents, 'document')} behind, {found.lag_hours:.1f} h at most; {wanted}"
        )
    leave(0 if found.met else 1)


def rebuild(
    index: Annotated[str, typer.Argument(metavar="INDEX", help="Id of an index, its first 6 digits at least.")],
    as_json: Json = False,
) -> None:
    """Make a past index again, and prove it is the same.

    From the documents it kept, or from the sources while they are unchanged.
    """
    from genaiops.delivery.history import find_index
    from genaiops.delivery.rebuilding import rebuild_index
    from genaiops.project import Project

    project = Project.here()
    with progress("embedding") as shown:
        done = rebuild_index(project, find_index(project, index), progress=shown)
    if as_json:
        print_json(done)
        return
    what = "is whole, and today's code makes the same" if done.state == "confirmed" else "was made again, the same"
    say(
        f"index {done.index[:12]} {what}: {counted(done.documents, 'document')}, {counted(done.chunks, 'chunk')}, from "
        f"the {'documents it kept' if done.documents_from == 'snapshot' else 'sources'} "
        f"({counted(done.embedded, 'text')} embedded)"
    )


def gc(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be removed.")] = False,
    keep_last: Annotated[
        int | None, typer.Option("--keep-last", min=1, help="In place of retention.keep_last.")
    ] = None,
    keep_days: Annotated[
        float | None, typer.Option("--keep-days", min=0, help="In place of retention.keep_days.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Remove indexes and leftovers nobody uses.

    Never what a release, an environment, a current flow or a running process uses.
    """
    from genaiops.delivery.retention import clean_up
    from genaiops.project import Project

    project = Project.here()
    given = {"keep_last": keep_last, "keep_days": keep_days}
    wanted = {key: value for key, value in given.items() if value is not None}
    done = clean_up(project, retention=project.settings.retention.model_copy(update=wanted), dry_run=dry_run)
    if as_json:
        print_json(done)
        return
    for kept in done.kept:
        say(f"kept    {kept.index[:12]}  {kept.bytes:,} bytes  {'; '.join(kept.reasons)}")
    for name, size in done.removed.items():
        say(f"{'would go' if dry_run else 'removed'} {name[:12]}  {size:,} bytes")
    say(
        f"{'would free' if dry_run else 'freed'} {done.bytes:,} bytes: {len(done.removed)} indexes, "
        f"{done.leftovers} leftovers, {done.vectors} cached vectors, {done.results} results of evaluations"
    )
    if dry_run:
        note("nothing was removed (--dry-run)")
