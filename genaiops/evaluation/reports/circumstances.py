"""How a run came about, where that matters for reading it: what was taken over, asked several times, or not asked."""

from __future__ import annotations

from collections.abc import Mapping

from genaiops.evaluation.anew import told_anew
from genaiops.evaluation.records import CaseResult, Run
from genaiops.evaluation.reports.text import number
from genaiops.records import Outcome, Score


def told_of(run: Run) -> list[str]:
    """A line each; none for a run that asked everything once and anew."""
    lines = told_anew(run)
    repeats, not_asked = getattr(run, "repeats", 1), getattr(run, "not_asked", {})
    if repeats > 1:
        lines.append(f"each question was asked {repeats} times; a value is the mean over them")
    if not_asked:
        lines.append(f"stopped early: {len(not_asked):,} more cases were not needed for the verdict")
    return lines


def told_of_case(result: CaseResult) -> str:
    """What was taken over for one case, and how many different answers it got; "" where nothing is to be told."""
    told = []
    if result.reused:
        told.append(f"taken over from an earlier evaluation: {', '.join(result.reused)}")
    texts = getattr(result, "texts", 1)
    if texts > 1:
        told.append(f"{texts} different answers when asked several times; the first is shown")
    return "; ".join(told)


def spread_of(result: CaseResult, measure: str, *, unit_interval: bool) -> str:
    """`0.300 to 0.900` over the repeats of one case; "" where they all gave the same, or there was one."""
    repeated: Mapping[str, tuple[Outcome, ...]] = getattr(result, "repeated", {})
    values = [outcome.value for outcome in repeated.get(measure, ()) if isinstance(outcome, Score)]
    if len(set(values)) < 2:
        return ""
    low, high = (number(value, unit_interval=unit_interval) for value in (min(values), max(values)))
    return f"{low} to {high}"
