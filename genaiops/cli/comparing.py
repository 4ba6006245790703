"""compare: what one run did better or worse than another, question by question."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from genaiops.cli.output import Json, say, show
from genaiops.cli.reporting import Csv, Html, Markdown, ReportJson, Wanted, print_report, print_scorecard

if TYPE_CHECKING:
    from genaiops.evaluation import Run


def register(app: typer.Typer) -> None:
    app.command()(compare)


def compare(  # noqa: PLR0913, PLR0917  one for each option
    before: Annotated[str, typer.Argument(metavar="RUN", help="Run to compare with: id, latest~1, run.json or ENV.")],
    after: Annotated[str, typer.Argument(metavar="RUN", help="Run that is looked at, named likewise.")],
    shared: Annotated[
        bool, typer.Option("--shared", help="Compare only the cases and judges that both runs have.")
    ] = False,
    flow: Annotated[str, typer.Option("--flow", help="Name of the flow that `latest` or ENV means.")] = "",
    html: Html = None,
    markdown: Markdown = None,
    report_json: ReportJson = None,
    csv: Csv = None,
    as_json: Json = False,
) -> None:
    """Compare two runs, paired by question.

    Tells what changed in the measures, the answers and the settings. It decides nothing: that is the gate's.
    """
    from genaiops.delivery import named_runs
    from genaiops.delivery.judged_runs import verdicts_told
    from genaiops.evaluation.reports import comparable
    from genaiops.project import Project

    project = Project.here()
    first, second = named_runs(project, (before, after), flow=flow)
    old, new, notes = comparable(first, second, shared=shared)
    verdicts = verdicts_told(project, first, second)
    wanted = Wanted(html=html, markdown=markdown, report_json=report_json, csv=csv)
    wanted.write(new, baseline=old, notes=(*notes, *verdicts))
    if as_json:
        print_report(new, old, (*notes, *verdicts))
        return
    _print(old, new, notes)
    for line in verdicts:
        say(line)


def _print(old: Run, new: Run, notes: tuple[str, ...]) -> None:
    from genaiops.evaluation.reports import changed_cases, differences

    say(f"run {new.id} compared with {old.id}")
    for note in notes:
        say(note)
    print_scorecard(new, baseline=old)
    show(*changed_cases(new, old))
    found = differences(old, new)
    say("what was different:" if found else "settings, prompt, index, judges and code were the same")
    for item in found:
        say(f"  {item.name}: {_short(item.before)} → {_short(item.after)}")


def _short(text: str) -> str:
    """One line of at most 80 characters; the HTML report has the whole with its words compared."""
    line = " ".join(text.split()) or "–"
    return line if len(line) <= 80 else line[:79] + "…"
