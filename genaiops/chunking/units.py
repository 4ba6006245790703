"""Units, the smallest spans that stay whole, and how they are packed into chunks.

Between two units lies a boundary with a strength. A text is parted at its strongest
boundaries, what is still too long at the next weaker ones, and what is short is put
together with its neighbours. Every step is linear in the length of the text.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from enum import IntEnum
from itertools import pairwise
from typing import NamedTuple

from genaiops.chunking.lengths import Characters, Ruler
from genaiops.sentences import Sentence, sentences

_CHARACTERS = Characters()
Span = tuple[int, int]


class Boundary(IntEnum):
    """What lies before a unit: the higher, the better a place to cut."""

    GLUE = 0  # a heading and its text, the head of a table and its first row: cut only where nothing else is
    CHARACTER = 1
    WORD = 2
    LINE = 3
    SENTENCE = 4
    SENTENCE_AND_LINE = 5  # an item, a row, or a paragraph of a text without empty lines
    PARAGRAPH = 6


class Unit(NamedTuple):  # a tuple, since a text has very many of them
    """The span `[start, end)`, with no outer white space, and the boundary before it."""

    start: int
    end: int
    before: Boundary


def with_boundary(unit: Unit, before: Boundary) -> Unit:
    return Unit(unit.start, unit.end, before)


_BLANK_LINE = re.compile(r"\n[^\S\n]*+\n|\f")
_WORD = re.compile(r"\S+")
_LINE = re.compile(r"[^\n]+")


def prose_units(text: str, start: int, end: int, size: int, ruler: Ruler = _CHARACTERS) -> list[Unit]:
    """The sentences of `text[start:end]`; one longer than `size` as lines, words or, at last, characters.

    Every character that is no white space is in exactly one unit.
    """
    units: list[Unit] = []
    for span_start, span_end, before in _sentence_spans(text, start, end):
        if ruler.length(span_start, span_end) <= size:
            units.append(Unit(span_start, span_end, before))
        else:
            lines = line_units(text, span_start, span_end, size, ruler)
            units += (with_boundary(lines[0], before), *lines[1:])
    return units


def line_units(
    text: str, start: int, end: int, size: int, ruler: Ruler = _CHARACTERS, *, blank: Boundary = Boundary.LINE
) -> list[Unit]:
    """The lines of `text[start:end]`; one longer than `size` as words or characters.

    Before the first is the boundary of a paragraph, behind an empty line `blank`.
    """
    units: list[Unit] = []
    before = Boundary.PARAGRAPH
    previous_end = start
    for match in _LINE.finditer(text, start, end):
        span = trimmed(text, match.start(), match.end())
        if span is None:
            continue
        if units:
            before = blank if text.count("\n", previous_end, span[0]) > 1 else Boundary.LINE
        previous_end = span[1]
        if ruler.length(*span) <= size:
            units.append(Unit(*span, before))
        else:
            units += _word_units(text, *span, size, ruler, before)
    return units


def _word_units(text: str, start: int, end: int, size: int, ruler: Ruler, before: Boundary) -> Iterator[Unit]:
    for word in _WORD.finditer(text, start, end):
        piece = word.start()
        while piece < word.end():
            stop = min(ruler.reach(piece, size), word.end())
            yield Unit(piece, stop, before)
            piece = stop
            before = Boundary.CHARACTER
        before = Boundary.WORD


def _sentence_spans(text: str, start: int, end: int) -> Iterator[tuple[int, int, Boundary]]:
    """Sentences, widened by the markup around them that belongs to none, with the boundary before each."""
    found = sentences(text[start:end])
    position = start  # all before it is in a span already
    before = Boundary.PARAGRAPH
    for index, sentence in enumerate(found):
        following = found[index + 1] if index + 1 < len(found) else None
        stop = start + sentence.end
        gap_end = end if following is None else start + following.start
        stop = max(stop, _end_of_markup(text, stop, gap_end, sentence, following))
        span = trimmed(text, position, stop)
        if span is not None:
            yield *span, before
        before = _boundary(text, start + sentence.start, stop, gap_end)
        position = stop
    if (span := trimmed(text, position, end)) is not None:
        yield *span, before


def _end_of_markup(text: str, stop: int, gap_end: int, sentence: Sentence, following: Sentence | None) -> int:
    """Whole lines without words, fences and rules, belong to what stands above, but the fence that opens code."""
    if following is None:
        return gap_end
    if following.kind == "code" and sentence.kind != "code":
        return stop
    return text.rfind("\n", stop, gap_end)


def _boundary(text: str, sentence_start: int, stop: int, gap_end: int) -> Boundary:
    """The boundary in the gap between two sentences."""
    if text.endswith((":", ":**"), sentence_start, stop) or text.startswith("[!", sentence_start):
        return Boundary.LINE  # it announces what follows
    if _BLANK_LINE.search(text, stop, gap_end):
        return Boundary.PARAGRAPH
    return Boundary.SENTENCE_AND_LINE if "\n" in text[stop:gap_end] else Boundary.SENTENCE


def trimmed(text: str, start: int, end: int) -> Span | None:
    """The span without outer white space; None when nothing is left."""
    piece = text[start:end]
    inner = piece.strip()
    if not inner:
        return None
    start += len(piece) - len(piece.lstrip())
    return start, start + len(inner)


def packed(units: Sequence[Unit], size: int, overlap: int, ruler: Ruler = _CHARACTERS) -> list[Span]:
    """Spans of at most `size` that hold all units, none of which is longer.

    A span begins with those last units of the one before it that make up at most `overlap`.
    """
    # Shares leave room for the overlap; a paragraph that fits as it is may take that room.
    groups = _Grouping(units, size, size - overlap, ruler).groups(0, len(units), max(Boundary)) if units else []
    return overlapping(units, groups, size, overlap, ruler)


def filled(units: Sequence[Unit], size: int, overlap: int, ruler: Ruler = _CHARACTERS) -> list[Span]:
    """As `packed`, but each span takes as many units as fit beside the overlap, whatever lies between them."""
    groups: list[Span] = []
    for position in range(len(units)):
        most = size if not groups else size - overlap
        if groups and ruler.length(units[groups[-1][0]].start, units[position].end) <= most:
            groups[-1] = groups[-1][0], position + 1
        else:
            groups.append((position, position + 1))
    return overlapping(units, groups, size, overlap, ruler)


def overlapping(units: Sequence[Unit], groups: Sequence[Span], size: int, overlap: int, ruler: Ruler) -> list[Span]:
    """The spans of ranges of units, each begun with the last units before it that fit into size and overlap."""
    spans: list[Span] = []
    for first, stop in groups:
        begin, end = units[first].start, units[stop - 1].end
        # A unit is hardly ever without a token, so no more than `overlap` of them can count.
        for unit in reversed(units[max(0, first - overlap) : first]):
            repeated = ruler.length(unit.start, spans[-1][1])
            if repeated > overlap or ruler.length(unit.start, end) > size or unit.start <= spans[-1][0]:
                break
            begin = unit.start
        spans.append((begin, end))
    return spans


class _Grouping:
    """Units to be put together into groups of at most `size`, of about `share` where they are parted."""

    def __init__(self, units: Sequence[Unit], size: int, share: int, ruler: Ruler) -> None:
        self._units = units
        self._size = size
        self._share = share
        self._ruler = ruler

    def groups(self, first: int, stop: int, level: int) -> list[Span]:
        """Ranges of units that together are the units from `first` to before `stop`.

        A range that is too long is parted at its strongest boundaries; of the parts, those that fit are put
        together with their neighbours again, in shares as even as they allow, and the others parted further.
        """
        length = self._length(first, stop)
        if length <= self._size or stop - first == 1:
            return [(first, stop)]
        share = length / math.ceil(length / self._share)
        groups: list[Span] = []
        open_group = False
        cuts = [first, *(n for n in range(first + 1, stop) if self._units[n].before >= level), stop]
        for part_first, part_stop in pairwise(cuts):
            part = self._length(part_first, part_stop)
            if part > self._size:
                groups += self.groups(part_first, part_stop, level - 1)
            elif open_group and self._joins(groups[-1], part_stop, share - part / 2):
                groups[-1] = groups[-1][0], part_stop
            else:
                groups.append((part_first, part_stop))
            open_group = part <= self._size
        return groups

    def _joins(self, group: Span, stop: int, enough: float) -> bool:
        """Whether the units up to `stop` fit into the group, and it is short of `enough` without them."""
        return self._length(group[0], stop) <= self._size and self._length(*group) < enough

    def _length(self, first: int, stop: int) -> int:
        return self._ruler.length(self._units[first].start, self._units[stop - 1].end)
