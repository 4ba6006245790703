"""How a run came about, where that matters for reading it: what was taken over, asked several times, or not asked."""

from __future__ import annotations

from genaiops.display import counted
from genaiops.evaluation.anew import told_anew
from genaiops.evaluation.records import CaseResult, Run
from genaiops.evaluation.repeating import told
from genaiops.evaluation.reports.text import number
from genaiops.evaluation.resolution import resolution
from genaiops.records import Score


def told_of(run: Run) -> list[str]:
    """A line each: what so many cases can show, what was taken over, what repeats differed in, what was not asked."""
    lines = [resolution(run), *told_anew(run), *(line.strip() for line in told(run))]
    if run.not_asked:
        lines.append(f"stopped early: {counted(len(run.not_asked), 'case')} not needed for the verdict")
    return [line for line in lines if line]


def told_of_case(result: CaseResult) -> str:
    """What was taken over for one case, and how many different answers it got; "" where nothing is to be told."""
    found = []
    if result.reused:
        found.append(f"taken over from an earlier evaluation: {', '.join(result.reused)}")
    if result.texts > 1:
        found.append(f"{result.texts} different answers when asked several times; the first is shown")
    return "; ".join(found)


def spread_of(result: CaseResult, measure: str, *, unit_interval: bool) -> str:
    """`0.300 to 0.900` over the repeats of one case; "" where they all gave the same, or there was one."""
    values = [outcome.value for outcome in result.repeated.get(measure, ()) if isinstance(outcome, Score)]
    if len(set(values)) < 2:
        return ""
    low, high = (number(value, unit_interval=unit_interval) for value in (min(values), max(values)))
    return f"{low} to {high}"
