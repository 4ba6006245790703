"""The printed scorecard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genaiops.display import counted, one_line
from genaiops.evaluation.records import CaseResult, Run
from genaiops.evaluation.reports.changes import Change, changes
from genaiops.evaluation.reports.rows import NOTICEABLE, Row, in_unit_interval, rows_of
from genaiops.evaluation.reports.spans import Span, segments, word_changes
from genaiops.evaluation.reports.text import ends, number, share, signed
from genaiops.records import Summary

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text


def terminal_table(run: Run, *, baseline: Run | None = None) -> Table:
    """The scorecard as a rich Table: measure, value, interval, coverage, n/a.

    With a baseline: its value, this run's, the change paired by question and whether that is shown, in place
    of the rest, so that it fits 80 columns; coverage only where a measurement failed, and the number of pairs
    ("9 of 12") only where a change rests on less than all.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    measured = f"{one_line(run.subject.flow or 'application', 60)} on {one_line(run.measured_on, 60)}"
    title = f"{measured}: {counted(len(run.results), 'case')}"
    # Text, never str: rich reads markup like [red] and [link=…] in plain strings.
    table = Table(title=Text(title), box=box.SIMPLE_HEAD, title_justify="left", title_style="bold", pad_edge=False)
    table.add_column("measure", no_wrap=True)
    changed = changes(run, baseline) if baseline else {}
    incomplete = any(summary.unscored for summary in run.summaries)
    partly = any(found.pairs for found in changed.values())
    heads = ["value", f"{share(run.confidence)} interval", "coverage", "n/a"]
    if baseline is not None:
        heads = ["before", "now", "change", " ", *(["pairs"] if partly else []), *(["coverage"] if incomplete else [])]
    for heading in heads:
        table.add_column(heading, justify="right" if heading.strip() else "left", no_wrap=True)
    for summary in run.summaries:
        if baseline is None:
            table.add_row(*_cells(run, summary))
        else:
            row = _compared(run, summary, baseline.summary(summary.measure), changed.get(summary.measure))
            table.add_row(*(cell for name, cell in row.items() if name in ("measure", *heads)))
    return table


def changed_cases(run: Run, baseline: Run, *, most: int = 5) -> list[Text]:
    """The cases that got worse most, then those that got better most, `most` of each, a block of lines for each:
    the question, what changed, and both answers with the words that are gone and that are new marked."""
    rows = [row for row in rows_of(run, baseline) if row.before is not None]
    worse = sorted((row for row in rows if row.worst_gain <= -NOTICEABLE), key=lambda row: row.worst_gain)[:most]
    better = [row for row in rows if row.best_gain >= NOTICEABLE and row.worst_gain > -NOTICEABLE]
    better = sorted(better, key=lambda row: -row.best_gain)[:most]
    return [*(_block("worse", row) for row in worse), *(_block("better", row) for row in better)]


def _block(word: str, row: Row) -> Text:
    from rich.text import Text

    case = row.result.case
    moved = [f"{one_line(name, 60)} {signed(change)}" for name, change in row.changes.items()
             if abs(change) >= NOTICEABLE]  # fmt: skip
    block = Text(f"{word:7}", style="red" if word == "worse" else "green")
    block.append(f"{one_line(case.question, 200)}\n", style="bold")
    block.append(f"       case {one_line(case.id, 80)}: {', '.join(moved)}\n", style="dim")
    before, after = (_answer_text(result) for result in (row.before, row.result))
    if before == after:
        return block.append(f"  both {after}\n", style="")
    changed = word_changes(before, after) or ([], [])
    for name, text, spans, style in (("before", before, changed[0], "red"), ("now", after, changed[1], "green")):
        block.append(f"{name:>6} ")
        mark = "[-{}-]" if name == "before" else "{{+{}+}}"  # as git does: readable without colour
        for piece, marks in segments(text, [Span(start, end, style) for start, end in spans]):
            block.append(mark.format(piece) if marks else piece, style=style if marks else "")
        block.append("\n")
    return block


def _answer_text(result: CaseResult | None) -> str:
    if result is None or result.answer is None:
        return "no answer" if result is None else one_line(f"error: {result.error}", 300)
    return one_line(result.answer.text, 400)


def _cells(run: Run, summary: Summary) -> list[Text]:
    from rich.text import Text

    unit = in_unit_interval(run, summary.measure)
    return [
        Text(one_line(summary.measure, 60)),
        Text(number(summary.mean, unit_interval=unit), style="bold"),
        Text("–" if summary.mean is None else ends(summary.low, summary.high, unit_interval=unit), style="dim"),
        _coverage(summary),
        Text(str(summary.not_applicable) if summary.not_applicable else "", style="dim"),
    ]


def _compared(run: Run, summary: Summary, before: Summary | None, found: Change | None) -> dict[str, Text]:
    """Head of a column → the cell of one measure."""
    from rich.text import Text

    unit = in_unit_interval(run, summary.measure)
    style = {"better": "green", "worse": "red"}.get(found.direction if found else "", "dim")
    return {
        "measure": Text(one_line(summary.measure, 60)),
        "before": Text(number(before.mean if before else None, unit_interval=unit), style="dim"),
        "now": Text(number(summary.mean, unit_interval=unit), style="bold"),
        "change": Text(str(found) if found else "–", style=style),
        " ": Text(found.word if found else "", style=style),
        "pairs": Text(found.pairs if found else "", style="yellow"),
        "coverage": Text(share(summary.coverage), style="yellow") if summary.unscored else Text(""),
    }


def _coverage(summary: Summary) -> Text:
    from rich.text import Text

    measured = summary.scored + summary.unscored
    shown = f"{share(summary.coverage)} ({summary.scored}/{measured})" if measured else "–"
    return Text(shown, style="yellow" if summary.unscored else "")
