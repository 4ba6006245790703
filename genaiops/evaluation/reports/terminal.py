"""The printed scorecard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genaiops.evaluation.records import Run
from genaiops.evaluation.reports.changes import change
from genaiops.evaluation.reports.rows import in_unit_interval
from genaiops.evaluation.reports.text import number, one_line, share
from genaiops.records import Summary

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text


def terminal_table(run: Run, *, baseline: Run | None = None) -> Table:
    """The scorecard as a rich Table: measure, value, interval, coverage, n/a, and the change from a baseline.

    Changes are paired by question; coloured when their interval leaves out zero.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    title = (
        f"{one_line(run.subject.flow or 'application', 60)} on {one_line(run.golden_set, 60)}: {len(run.results)} cases"
    )
    # Text, never str: rich reads markup like [red] and [link=…] in plain strings.
    table = Table(title=Text(title), box=box.SIMPLE_HEAD, title_justify="left", title_style="bold")
    table.add_column("measure", no_wrap=True)
    for heading in ("value", f"{share(run.confidence)} interval", "coverage", "n/a"):
        table.add_column(heading, justify="right", no_wrap=True)
    if baseline is not None:
        table.add_column("change", justify="right", no_wrap=True)
    for summary in run.summaries:
        table.add_row(*_cells(run, summary), *([_change(run, summary.measure, baseline)] if baseline else []))
    return table


def _cells(run: Run, summary: Summary) -> list[Text]:
    from rich.text import Text

    unit = in_unit_interval(run, summary.measure)
    low, high = (number(end, unit_interval=unit) for end in (summary.low, summary.high))
    measured = summary.scored + summary.unscored
    coverage = f"{share(summary.coverage)} ({summary.scored}/{measured})" if measured else "–"
    return [
        Text(one_line(summary.measure, 60)),
        Text(number(summary.mean, unit_interval=unit), style="bold"),
        Text(f"{low} – {high}" if summary.low is not None else "–", style="dim"),
        Text(coverage, style="yellow" if summary.unscored else ""),
        Text(str(summary.not_applicable) if summary.not_applicable else "", style="dim"),
    ]


def _change(run: Run, measure: str, baseline: Run) -> Text:
    from rich.text import Text

    found = change(run, baseline, measure)
    if found is None:
        return Text("–", style="dim")
    return Text(str(found), style={"better": "green", "worse": "red", "": "dim"}[found.direction])
