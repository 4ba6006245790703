"""Whether an application answered or refused, and whether that is what the case wants: an outcome of its own."""

from __future__ import annotations

from typing import Literal

from genaiops.evaluation.records import CaseResult, Run

Reaction = Literal["answered", "refused", "wrongly refused", "wrongly answered", "no answer"]
SHOWN = 3


def reaction_of(result: CaseResult) -> Reaction:
    """The reaction to one case. "answered" says nothing on what was answered."""
    if result.answer is None:
        return "no answer"
    if result.answer.refused:
        return "wrongly refused" if result.case.wants_answer else "refused"
    return "answered" if result.case.wants_answer else "wrongly answered"


def reactions(run: Run) -> dict[Reaction, list[str]]:
    """Reaction → ids of the cases, in case order, for the reactions that there are."""
    found: dict[Reaction, list[str]] = {}
    for result in run.results:
        found.setdefault(reaction_of(result), []).append(result.case.id)
    return found


def refusals_line(run: Run) -> str:
    """`refusals: 12 right; 1 wrong (q4); 2 answered where a refusal is wanted (q7, q9)`; "" without any."""
    found = reactions(run)
    told: tuple[tuple[Reaction, str], ...] = (
        ("refused", "right"),
        ("wrongly refused", "wrong"),
        ("wrongly answered", "answered where a refusal is wanted"),
    )
    parts = [f"{len(found[kind])} {words}{_named(found[kind], kind)}" for kind, words in told if kind in found]
    return f"refusals: {'; '.join(parts)}" if parts else ""


def _named(cases: list[str], kind: Reaction) -> str:
    if kind == "refused":
        return ""
    return f" ({', '.join(cases[:SHOWN])}{', …' if len(cases) > SHOWN else ''})"
