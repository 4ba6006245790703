"""What a command would spend on models, shown instead of running it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from genaiops.cli.output import note, print_json, say

if TYPE_CHECKING:
    from genaiops.evaluation.llm_judges.planning import PlannedCalls

Plan = Annotated[
    bool, typer.Option("--plan", help="Print calls, tokens, cost and minutes of models, and do nothing else.")
]
_HEAD = ("for", "model", "calls", "cached", "input tokens", "output tokens", "cost", "minutes")


def print_plan(plan: Sequence[PlannedCalls], *, as_json: bool) -> None:
    """A line for each purpose, and what was assumed."""
    if as_json:
        return print_json({"plan": plan})
    if not plan:
        return say("no model is called")
    rows = [_HEAD, *(_cells(line) for line in plan)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    for row in rows:
        cells = [
            cell.ljust(width) if n < 2 else cell.rjust(width)
            for n, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        say("  ".join(cells).rstrip())
    for text in dict.fromkeys(text for line in plan for text in line.notes):
        note(text)


def _cells(line: PlannedCalls) -> tuple[str, ...]:
    counts = (line.calls, line.cached, line.input_tokens, line.output_tokens)
    shown = ["unknown" if count is None else f"{count:,}" for count in counts]
    cost = "unknown" if line.cost_usd is None else f"${line.cost_usd:.4f}"
    minutes = "unknown" if line.minutes is None else f"{line.minutes:.1f}"
    return (line.what, line.model, *shown, cost, minutes)
