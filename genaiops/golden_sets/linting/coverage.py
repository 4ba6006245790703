"""What the set as a whole leaves out, and what it has too much of."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from genaiops.golden_sets.linting.problem import ENOUGH_TO_JUDGE, Ground, Problem, shown
from genaiops.golden_sets.sections import sections

LEAST_REFUSALS = 0.05  # share of the cases
MOST_REFUSALS = 0.5
WORTH_ASKING = 25  # words of prose under a heading
_NAMED = 5  # of what is uncovered


def uncovered(ground: Ground) -> Iterator[Problem]:
    """Documents that no case quotes, and in the others headings under which no case quotes anything."""
    quoted: dict[str, list[str]] = {}
    for case in ground.golden:
        for evidence in case.evidence:
            quoted.setdefault(evidence.document, []).append(evidence.quote)
    if len(ground.golden) < ENOUGH_TO_JUDGE or not quoted:
        return
    bare = [name for name, text in ground.texts.items() if name not in quoted and len(text.split()) >= WORTH_ASKING]
    if bare:
        what = f"{len(bare)} of {len(ground.texts)} documents have no case: {_some(bare)}"
        yield Problem("", None, what, "genaiops golden draft FLOW proposes cases for them", "warning", "uncovered")
    for name, quotes in quoted.items():
        titles = uncovered_sections(ground.texts.get(name, ""), quotes)
        if titles:
            what = (
                f"no case asks about {len(titles)} sections of {name}: {_some([shown(title, 40) for title in titles])}"
            )
            yield Problem(
                "", None, what, f"genaiops golden draft FLOW --document {shlex.quote(name)}", "note", "uncovered"
            )


def uncovered_sections(text: str, quotes: list[str]) -> list[str]:
    """Titles of the sections with prose worth asking about that hold no quote."""
    spans = [(at, at + len(quote)) for quote in quotes if (at := text.find(quote)) >= 0]
    titles = []
    for section in sections(text):
        said = sum(len(text[s.start : s.end].split()) for s in section.sentences if s.kind in ("prose", "item", "row"))
        held = any(start < section.end and end > section.start for start, end in spans)
        if said >= WORTH_ASKING and not held and section.title:
            titles.append(section.title)
    return titles


def _some(names: list[str]) -> str:
    return ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")


def imbalance(ground: Ground) -> Iterator[Problem]:
    """Hardly any case wants a refusal, or most do."""
    if len(ground.golden) < ENOUGH_TO_JUDGE:
        return
    share = sum(not case.wants_answer for case in ground.golden) / len(ground.golden)
    if share < LEAST_REFUSALS:
        what = f"{share:.0%} of the cases want a refusal, so invented answers hardly show"
        remedy = "add questions that the documents do not answer"
    elif share > MOST_REFUSALS:
        what = f"{share:.0%} of the cases want a refusal, so a flow that answers nothing looks good"
        remedy = "add questions that the documents answer"
    else:
        return
    yield Problem("", None, what, remedy, "warning", "imbalance")
