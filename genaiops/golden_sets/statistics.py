"""What a golden set holds, counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from genaiops.display import counted
from genaiops.golden_sets.golden_set import GoldenSet
from genaiops.golden_sets.pins import NO_PINS, Pins
from genaiops.golden_sets.sections import sections
from genaiops.records import Document

_NAMED = 12  # tags and documents shown


@dataclass(frozen=True, slots=True)
class Lengths:
    """Characters: of the shortest, the middle one, and the longest."""

    shortest: int = 0
    median: float = 0
    longest: int = 0

    @classmethod
    def of(cls, texts: Sequence[str]) -> Lengths:
        sizes = [len(text) for text in texts]
        return cls(min(sizes), median(sizes), max(sizes)) if sizes else cls()


@dataclass(frozen=True, slots=True)
class GoldenStats:
    """Counts of a golden set. `parts` is empty for a set that is not divided; `locked` cases are in the lock file.

    `documents` maps each document that a case quotes to its cases; `sections_covered` of `sections` with text of their
    own hold a quote.
    """

    digest: str
    cases: int
    kinds: Mapping[str, int]
    answerable: int
    tags: Mapping[str, int]
    parts: Mapping[str, int]
    documents: Mapping[str, int]
    documents_in_all: int
    sections: int
    sections_covered: int
    evidence: Mapping[str, int]  # quotes of a case → cases
    questions: Lengths
    references: Lengths
    quotes: Lengths
    locked: int
    without_reference: tuple[str, ...] = field(default=())

    def lines(self) -> list[str]:
        """For people, one fact a line."""
        told = [f"{counted(self.cases, 'case')} ({_counts(self.kinds)}), digest {self.digest[:12]}"]
        if self.parts:
            told.append(f"parts: {_counts(self.parts)}")
        told += [
            f"evidence: {', '.join(_quoting(cases, int(quotes)) for quotes, cases in self.evidence.items())}",
            f"covers {len(self.documents)} of {counted(self.documents_in_all, 'document')}, "
            f"{self.sections_covered} of {counted(self.sections, 'section')}",
            f"most quoted: {_counts(self.documents)}",
            f"tags: {_counts(self.tags)}",
            f"characters (shortest, median, longest): questions {_sizes(self.questions)}; "
            f"references {_sizes(self.references)}; quotes {_sizes(self.quotes)}",
            f"{counted(self.locked, 'case')} locked against changes of the documents",
        ]
        return told


def stats_of(
    golden: GoldenSet,
    documents: Iterable[Document],
    *,
    pins: Pins = NO_PINS,
    parts: Mapping[str, Sequence[str]] | None = None,
) -> GoldenStats:
    """Count a golden set against the documents it is about."""
    texts = {document.id: document.text for document in documents}
    quotes: dict[str, list[str]] = {}
    for case in golden:
        for item in case.evidence:
            quotes.setdefault(item.document, []).append(item.quote)
    cases_of = Counter(name for case in golden for name in {item.document for item in case.evidence})
    whole = {name: sum(bool(part.title) for part in sections(text)) for name, text in texts.items()}
    held = {name: len(_sections_held(texts.get(name, ""), found)) for name, found in quotes.items()}
    return GoldenStats(
        digest=golden.digest,
        cases=len(golden),
        kinds=dict(Counter(case.kind for case in golden).most_common()),
        answerable=sum(case.wants_answer for case in golden),
        tags=dict(Counter(tag for case in golden for tag in case.tags).most_common()),
        parts={name: len(ids) for name, ids in (parts or {}).items()},
        documents=dict(cases_of.most_common()),
        documents_in_all=len(texts),
        sections=sum(whole.values()),
        sections_covered=sum(held.values()),
        evidence={str(n): cases for n, cases in sorted(Counter(len(case.evidence) for case in golden).items())},
        questions=Lengths.of([case.question for case in golden]),
        references=Lengths.of([case.reference for case in golden if case.reference]),
        quotes=Lengths.of([item.quote for case in golden for item in case.evidence]),
        locked=sum(pins.of(case) is not None for case in golden),
        without_reference=tuple(case.id for case in golden if case.wants_answer and not case.reference),
    )


def _sections_held(text: str, quotes: Sequence[str]) -> set[int]:
    starts = [text.find(quote) for quote in quotes]
    return {part.start for part in sections(text) if part.title and any(part.start <= at < part.end for at in starts)}


def _counts(counts: Mapping[str, int]) -> str:
    shown = [f"{number} {name}" for name, number in list(counts.items())[:_NAMED]]
    more = len(counts) - len(shown)
    return (", ".join(shown) + (f" and {more} more" if more > 0 else "")) or "none"


def _quoting(cases: int, quotes: int) -> str:
    return f"{counted(cases, 'case')} with {counted(quotes, 'quote')}"


def _sizes(lengths: Lengths) -> str:
    return f"{lengths.shortest}, {lengths.median:g}, {lengths.longest}"
