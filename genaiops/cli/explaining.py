"""explain: why one answer is wrong, stage by stage."""

from __future__ import annotations

from typing import Annotated

import typer

from genaiops.cli.commands import Registry
from genaiops.cli.output import FlowFolder, Json, print_json, say


def register(app: Registry) -> None:
    app.command()(explain)


def explain(
    flow: FlowFolder,
    case: Annotated[str, typer.Argument(help="Id of the golden case.")],
    run: Annotated[str, typer.Option("--run", help="Run, by its id or the end of it; default: the newest.")] = "",
    as_json: Json = False,
) -> None:
    """Say where an answer was lost between source and prompt.

    Follows each evidence quote of one case of a run through corpus, parser, chunker, retrieval and prompt.
    """
    from genaiops.delivery.explaining import explain_case, lines_of
    from genaiops.flow import Flow

    explained = explain_case(Flow.load(flow), case, run=run)
    if as_json:
        print_json(explained.to_json())
        return
    for line in lines_of(explained):
        say(line)
