"""release, releases, promote, rollback, status, audit verify: one bundle on its way to prod."""

from __future__ import annotations

from typing import Annotated

import typer

from genaiops.cli.commands import Registry
from genaiops.cli.evaluating import told_of_taken_over
from genaiops.cli.output import FlowFolder, Json, Set, leave, print_json, say
from genaiops.cli.remedies import of_flow
from genaiops.cli.reporting import tell_untracked

audit = typer.Typer(
    rich_markup_mode=None, add_completion=False, help="The log of every release and move.", no_args_is_help=True
)


def register(app: Registry) -> None:
    for command in (release, releases, promote, rollback, status):
        app.command()(command)


def release(
    flow: FlowFolder,
    against: Annotated[
        str, typer.Option("--against", help="Environment of the champion; default: the project's last.")
    ] = "",
    settings: Set = None,
    as_json: Json = False,
) -> None:
    """Bundle what passed the gate.

    Index, prompt, retrieval and model, with the run and the passing verdict that earned it.
    """
    from genaiops.delivery import release_flow
    from genaiops.flow import Flow

    opened = Flow.load(flow, overrides=settings or ())
    made, gated = release_flow(opened, against=against)
    tell_untracked(gated.evaluated)
    if as_json:
        told = {"release": made.digest, "flow": made.flow, "run": made.evidence.run, "verdict": "pass"}
        print_json({**told, "recorded": gated.earned is None})
        return
    if gated.taken_over:
        say(of_flow(told_of_taken_over(gated), flow, settings))
    if gated.earned is not None:
        where = against or opened.project.settings.environments[-1]
        say(
            f"release {made.digest[:12]} of {made.flow} is in {where} already, earned by this run: nothing was recorded"
        )
        return
    say(f"release {made.digest[:12]} of {made.flow} (index {gated.evaluated.run.subject.digests['index'][:12]})")
    say(f"next: genaiops promote {made.digest[:12]} --to {opened.project.settings.environments[0]}")


def releases(as_json: Json = False) -> None:
    """List the releases, oldest first."""
    from genaiops.project import Project
    from genaiops.promotion import Registry
    from genaiops.records import as_json as plain

    registry = Registry.of(Project.here())
    found, replaced = registry.releases(), registry.replaced()
    if as_json:
        print_json({"releases": [{**plain(item), "replaced_by": replaced.get(item.digest, "")} for item in found]})
        return
    for item in found:
        new = f"  re-issued as {replaced[item.digest][:12]}" if item.digest in replaced else ""
        say(f"{item.digest[:12]}  {item.flow}  {item.created_at}  {item.actor}{new}")
    if not found:
        say("no release yet; make one: genaiops release FLOW")


def promote(
    release: Annotated[str, typer.Argument(metavar="RELEASE", help="Release id, its first 6 digits at least.")],
    to: Annotated[str, typer.Option("--to", metavar="ENV", help="Environment to move.")],
    expected_generation: Annotated[
        int | None,
        typer.Option("--expected-generation", min=0, help="Only if nobody moved it since (see status --json)."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Point an environment at a release.

    The release must hold, or have held, the environment before this one.
    """
    from genaiops.delivery import open_release
    from genaiops.project import Project
    from genaiops.promotion import Registry

    project = Project.here()
    project.environment(to)
    made, _ = open_release(project, release)  # a release that cannot answer must not be served
    move = Registry.of(project).promote(made, to=to, expected_generation=expected_generation)
    print_json(move) if as_json else say(str(move))


def rollback(
    environment: Annotated[str, typer.Argument(metavar="ENV")],
    flow: Annotated[str | None, typer.Option("--flow", help="Needed when several flows are served.")] = None,
    as_json: Json = False,
) -> None:
    """Go back to the release served before."""
    from genaiops.project import Project
    from genaiops.promotion import Registry

    move = Registry.of(Project.here()).rollback(environment, flow)
    print_json(move) if as_json else say(str(move))


def status(as_json: Json = False) -> None:
    """Say what each environment serves."""
    from genaiops.project import Project
    from genaiops.promotion import Registry
    from genaiops.records import as_json as plain

    pointers = Registry.of(Project.here()).status()
    if as_json:
        rows = [plain(pointer) for pointer in pointers]
        print_json({"environments": [{"name": row.pop("environment"), **row} for row in rows]})
        return
    for pointer in pointers:
        served = f"{pointer.release[:12]} of {pointer.flow} since {pointer.since}" if pointer.release else "nothing"
        say(f"{pointer.environment:8} {served}")


@audit.callback()
def _group() -> None:
    """The log of every release and move."""


@audit.command()
def verify(as_json: Json = False) -> None:
    """Check the hash-chained log.

    Exit 2 when an entry was changed, added or taken away.
    """
    from genaiops.project import Project
    from genaiops.promotion import Registry

    report = Registry.of(Project.here()).verify_audit()
    if as_json:
        print_json({"ok": report.ok, "entries": report.entries, "head": report.head, "first_bad": report.first_bad})
    elif report.ok:
        say(f"{report.entries} entries, nothing was altered; head {report.head}")
    else:
        say(f"the log was altered: {report.first_bad}")
    leave(0 if report.ok else 2)
