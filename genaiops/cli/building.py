"""build: from documents to an index."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from genaiops.cli.commands import Registry
from genaiops.cli.output import FlowFolder, Json, Set, leave, note, print_json, progress, say
from genaiops.display import counted

if TYPE_CHECKING:
    from genaiops.flow.building import BuildPlan


def register(app: Registry) -> None:
    app.command()(build)


def build(
    flow: FlowFolder,
    full: Annotated[bool, typer.Option("--full", help="Use no cache; replace a damaged index.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="A bad document is an error (exit 2).")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
    engine: Annotated[str, typer.Option("--engine", help="local, or ray (the cluster of RAY_ADDRESS).")] = "local",
    settings: Set = None,
    as_json: Json = False,
) -> None:
    """Make documents into an index.

    Read, clean, chunk, embed, publish; only what changed is done again.
    """
    from genaiops.cleansing import lines
    from genaiops.delivery import load_checked

    opened = load_checked(flow, overrides=settings or ())
    if dry_run:
        _tell_plan(opened.plan_build(), as_json=as_json)
        return
    with progress("embedding", "texts") as shown:
        report = opened.build(full=full, strict=strict, engine=engine, progress=shown)
    if as_json:
        print_json(report)
        return
    _tell_unread(report.unread)
    for bad in report.quarantined:
        note(f"quarantined {bad.document_id}: {bad.reason}")
    for line in lines(report.quality):
        say(line)
    if report.erased:
        say(f"{'erased':<14} {report.erased} left out: they were forgotten and may not come back")
    if report.missing:
        note(f"{report.missing} chunks lack what a model should have added; build again to ask for it")
    embedded, reused = counted(report.embedded, "text"), counted(report.reused, "chunk")
    done = "nothing changed" if report.unchanged else f"{embedded} embedded, {reused} reused"
    aside = f", {len(report.quarantined)} quarantined" if report.quarantined else ""
    documents, chunks = counted(report.documents, "document"), counted(report.chunks, "chunk")
    say(f"index {report.index[:12]}: {documents}{aside}, {chunks}; {done} ({report.seconds:.1f} s)")


def _tell_plan(plan: BuildPlan, *, as_json: bool) -> None:
    if as_json:
        print_json(plan)
        return
    _tell_unread(plan.unread)
    for sign, names in (("+", plan.added), ("~", plan.changed), ("-", plan.removed)):
        for name in names:
            say(f"{sign} {name}")
    for bad in plan.quarantined:
        say(f"! {bad.document_id}: {bad.reason}")
    for reason in plan.missed:
        note(f"misses the quality bar: {reason}")
    if plan.missed:
        leave(1)
    if plan.unchanged:
        say(f"index {plan.index[:12]} is current")
        return
    chunks = plan.chunks
    say(
        f"index {plan.index[:12]} would be built: "
        f"{len(plan.added)} added, {len(plan.changed)} changed, {len(plan.removed)} removed; "
        f"chunks: {chunks.added} added, {chunks.changed} changed, {chunks.removed} removed, {chunks.kept} kept"
    )


def _tell_unread(unread: Mapping[str, int]) -> None:
    """Files that a user may think are in the index."""
    if unread:
        kinds = ", ".join(f"{suffix or 'no ending'} {count}" for suffix, count in unread.items())
        note(f"{counted(sum(unread.values()), 'file')} of kinds that are not read: {kinds}")
