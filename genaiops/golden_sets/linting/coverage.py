"""What the set as a whole leaves out, and what it has too much of."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from genaiops.display import counted
from genaiops.golden_sets.golden_set import GoldenSet
from genaiops.golden_sets.linting.problem import ENOUGH_TO_JUDGE, Ground, Problem, shown
from genaiops.golden_sets.sections import sections

LEAST_REFUSALS = 0.05  # share of the cases
MOST_REFUSALS = 0.5
WORTH_ASKING = 25  # words under a heading; shorter sections are mostly links and "next steps" in pages of prose …
SHORTER_BY = 2 / 3  # … but not where a case quotes one: then from two thirds of the shortest quoted
_NAMED = 5  # of what is uncovered


@dataclass(frozen=True, slots=True)
class Coverage:
    """What the cases of a set quote, among what is worth asking about.

    A section counts with `least_words` of prose, list items and table rows under its heading: 25, or two thirds of
    the shortest section that a case quotes, so that a set about short entries is measured by their length. `bare` are
    the documents without a case, `open` the sections without one in the others (document → titles).
    """

    documents: int
    documents_covered: int
    sections: int
    sections_covered: int
    least_words: int
    bare: tuple[str, ...]
    open: Mapping[str, tuple[str, ...]]

    def line(self) -> str:
        """For people: what is covered, or that the documents are too small to tell."""
        told = f"cases quote {self.documents_covered} of {counted(self.documents, 'document')}"
        if not self.sections:
            few = f"no heading has {self.least_words} words under it"
            return f"{told}; {few}, too little to tell which topics have no case"
        return f"{told}, {self.sections_covered} of {self.sections} sections of {self.least_words} words or more"


def coverage_of(golden: GoldenSet, texts: Mapping[str, str]) -> Coverage:
    """What the cases quote of the documents (id → text), by document and by section."""
    quotes: dict[str, list[str]] = {}
    for case in golden:
        for evidence in case.evidence:
            if evidence.document in texts:
                quotes.setdefault(evidence.document, []).append(evidence.quote)
    found = {name: _topics(text, quotes.get(name, ())) for name, text in texts.items()}
    lengths = [topic.words for topics in found.values() for topic in topics if topic.quoted and topic.words]
    least = min(WORTH_ASKING, math.ceil(SHORTER_BY * min(lengths))) if lengths else WORTH_ASKING
    worth = {name: [topic for topic in topics if topic.words >= least] for name, topics in found.items()}
    titled = [topic for topics in worth.values() for topic in topics if topic.title]
    left = {name: tuple(t.title for t in worth[name] if t.title and not t.quoted) for name in quotes}
    return Coverage(
        documents=len(texts),
        documents_covered=len(quotes),
        sections=len(titled),
        sections_covered=sum(topic.quoted for topic in titled),
        least_words=least,
        bare=tuple(name for name, text in texts.items() if name not in quotes and len(text.split()) >= least),
        open={name: titles for name, titles in left.items() if titles},
    )


class _Topic(NamedTuple):
    """One section: its title ("" before the first heading), its own words, and whether a case quotes it."""

    title: str
    words: int
    quoted: bool


def _topics(text: str, quotes: Collection[str]) -> list[_Topic]:
    spans = [(at, at + len(quote)) for quote in quotes if (at := text.find(quote)) >= 0]
    found = []
    for part in sections(text):
        said = sum(len(text[s.start : s.end].split()) for s in part.sentences if s.kind in ("prose", "item", "row"))
        found.append(_Topic(part.title, said, any(start < part.end and end > part.start for start, end in spans)))
    return found


def uncovered(ground: Ground) -> Iterator[Problem]:
    """Documents that no case quotes, and in the others headings under which no case quotes anything.

    A small set cannot be blamed for what it leaves out, so its documents without a case are a note.
    """
    found = coverage_of(ground.golden, ground.texts)
    if found.bare:
        judged = len(ground.golden) >= ENOUGH_TO_JUDGE and found.documents_covered
        what = f"{len(found.bare)} of {counted(found.documents, 'document')} have no case: {_some(found.bare)}"
        remedy = "genaiops golden draft FLOW proposes cases for them"
        yield Problem("", None, what, remedy, "warning" if judged else "note", "uncovered")
    for name, titles in found.open.items():
        some = _some([shown(title, 40) for title in titles])
        what = f"no case asks about {counted(len(titles), 'section')} of {name}: {some}"
        yield Problem("", None, what, f"genaiops golden draft FLOW --document {name}", "note", "uncovered")


def _some(names: Sequence[str]) -> str:
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
