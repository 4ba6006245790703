"""forget, lineage: where a document went, and taking it back from there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from genaiops.cli.commands import Registry
from genaiops.cli.output import FlowFolder, Json, print_json, say
from genaiops.display import counted

if TYPE_CHECKING:
    from genaiops.delivery.forgetting import Receipt


def register(app: Registry) -> None:
    for command in (forget, lineage):
        app.command()(command)


def forget(
    flow: FlowFolder,
    document: Annotated[str, typer.Option("--document", metavar="ID", help="Id of the document.")] = "",
    text: Annotated[
        Path | None, typer.Option("--text", metavar="FILE", help="Every document with the words of this file.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be erased.")] = False,
    allow_again: Annotated[
        bool, typer.Option("--allow-again", help="Erase nothing: let builds read the document again.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Erase a document everywhere, and prove it.

    From every snapshot, release, run, cache and golden set; builds leave it out from now on.
    """
    from genaiops.configuration import read_text
    from genaiops.delivery import forgetting
    from genaiops.errors import ConfigurationError
    from genaiops.flow import Flow
    from genaiops.records import as_json as plain

    opened = Flow.load(flow)
    words = "" if text is None else read_text(text, "text to erase", max_bytes=1 << 30)
    if allow_again:
        if not document:
            raise ConfigurationError("--allow-again needs a document", remedy="--document ID")
        lifted = forgetting.allow_again(opened, document)
        print_json({"lifted": lifted}) if as_json else say(f"{counted(lifted, 'tombstone')} lifted")
        return
    if dry_run:
        planned = forgetting.plan_forget(opened, document=document, text=words)
        if as_json:
            print_json(planned)
            return
        if planned.already is not None:
            say(_told_of_before(planned.already))
            return
        for name in planned.documents:
            say(f"would erase {name}")
        for index in planned.indexes:
            say(f"would issue index {index[:12]} again without it")
        say(f"with every run, release, cache and golden set that holds it; {planned.passages} passages to look for")
        return
    before = forgetting.erased_before(opened.project, document=document, text=words)
    receipt = forgetting.forget(opened, document=document, text=words)
    if as_json:
        print_json({**plain(receipt), "proved": receipt.proved, "already": receipt == before})
    else:
        say(_told_of_before(receipt) if receipt == before else str(receipt))


def _told_of_before(receipt: Receipt) -> str:
    return (
        f"document {receipt.document} of {receipt.flow} was erased already, on {receipt.at} (receipt "
        f"{receipt.sequence}, {receipt.digest[:12]}); no index holds it, builds leave it out, and nothing was changed"
    )


def lineage(
    what: Annotated[
        str, typer.Argument(metavar="ANSWER_OR_CHUNK", help="Chunk id (6 digits or more), answer file, - or run id.")
    ],
    case: Annotated[str, typer.Option("--case", metavar="ID", help="The case of the run.")] = "",
    as_json: Json = False,
) -> None:
    """Say where an answer or chunk comes from.

    Characters, document, source, settings, code, time, index and release.
    """
    import sys

    from genaiops.delivery.lineage import lineage_of
    from genaiops.delivery.lineage_text import tree
    from genaiops.project import Project

    found = lineage_of(Project.here(), what, case=case, read=sys.stdin.read)
    print_json(found) if as_json else say(tree(found))
