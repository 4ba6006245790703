"""Text cut where marks begin and end, and the words in which two texts differ."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Generic, TypeVar

Mark = TypeVar("Mark")
MOST_WORDS = 2_000  # of either text: beyond, comparing them word by word would take seconds and help nobody
LEAST_ALIKE = 0.3  # share of the words of both texts that match; below, the few that do match are chance
_WORD = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class Span(Generic[Mark]):
    """`mark` lies on the characters `[start, end)`."""

    start: int
    end: int
    mark: Mark


def segments(text: str, spans: Iterable[Span[Mark]]) -> list[tuple[str, tuple[Mark, ...]]]:
    """`text` in pieces, each with the marks that lie on all of it, in the order given. Spans may overlap.

    What of a span lies outside of the text is left out; no character is lost or doubled.
    """
    kept = [
        Span(start, end, span.mark)
        for span in spans
        if (start := max(0, span.start)) < (end := min(len(text), span.end))
    ]
    cuts = sorted({0, len(text), *(s.start for s in kept), *(s.end for s in kept)})
    return [
        (text[start:end], tuple(s.mark for s in kept if s.start <= start and end <= s.end))
        for start, end in pairwise(cuts)
    ]


def word_changes(before: str, after: str) -> tuple[list[tuple[int, int]], list[tuple[int, int]]] | None:
    """Where words of `before` are gone and where words of `after` are new, as character spans.

    None when a text is too long to be compared word by word, or when so little of it is left
    that the marks would only say: all is new.
    """
    old, new = list(_WORD.finditer(before)), list(_WORD.finditer(after))
    if max(len(old), len(new)) > MOST_WORDS:
        return None
    matcher = difflib.SequenceMatcher(None, [w.group() for w in old], [w.group() for w in new])
    if matcher.ratio() < LEAST_ALIKE:
        return None
    gone, come = [], []
    for kind, old_first, old_last, new_first, new_last in matcher.get_opcodes():
        if kind != "equal":
            gone += _span(old, old_first, old_last)
            come += _span(new, new_first, new_last)
    return gone, come


def _span(words: Sequence[re.Match[str]], first: int, last: int) -> list[tuple[int, int]]:
    return [(words[first].start(), words[last - 1].end())] if first < last else []
