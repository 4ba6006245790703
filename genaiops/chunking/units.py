"""Units, the smallest spans that stay whole, and how they are packed into chunks.

Between two units lies a boundary with a strength. A chunk is filled with as many units as
fit and then cut at the strongest boundary of its second half, so it ends where the text
itself pauses. Every step is linear in the length of the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

from genaiops.sentences import Sentence, sentences

Span = tuple[int, int]


class Boundary(IntEnum):
    """What lies before a unit: the higher, the better a place to cut."""

    GLUE = 0  # a heading and its text, the head of a table and its first row: cut only where nothing else is
    CHARACTER = 1
    WORD = 2
    LINE = 3
    SENTENCE = 4
    ITEM = 5
    PARAGRAPH = 6


@dataclass(frozen=True, slots=True)
class Unit:
    """The span `[start, end)`, with no outer white space, and the boundary before it."""

    start: int
    end: int
    before: Boundary


def with_boundary(unit: Unit, before: Boundary) -> Unit:
    return Unit(unit.start, unit.end, before)


_BLANK_LINE = re.compile(r"\n[^\S\n]*+\n|\f")
_WORD = re.compile(r"\S+")
_LINE = re.compile(r"[^\n]+")
_EARLIEST_CUT = 0.5  # of the size of a chunk


def prose_units(text: str, start: int, end: int, size: int) -> list[Unit]:
    """The sentences of `text[start:end]`; one longer than `size` as lines, words or, at last, characters.

    Every character that is no white space is in exactly one unit.
    """
    units: list[Unit] = []
    for span_start, span_end, before in _sentence_spans(text, start, end):
        if span_end - span_start <= size:
            units.append(Unit(span_start, span_end, before))
        else:
            lines = line_units(text, span_start, span_end, size)
            units += (with_boundary(lines[0], before), *lines[1:])
    return units


def line_units(text: str, start: int, end: int, size: int, *, blank: Boundary = Boundary.LINE) -> list[Unit]:
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
        if span[1] - span[0] <= size:
            units.append(Unit(*span, before))
        else:
            units += _word_units(text, *span, size, before)
    return units


def _word_units(text: str, start: int, end: int, size: int, before: Boundary) -> Iterator[Unit]:
    for word in _WORD.finditer(text, start, end):
        for piece in range(word.start(), word.end(), size):
            yield Unit(piece, min(piece + size, word.end()), before)
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
    if text.endswith((":", ":**"), sentence_start, stop):
        return Boundary.LINE  # it announces what follows
    if _BLANK_LINE.search(text, stop, gap_end):
        return Boundary.PARAGRAPH
    return Boundary.ITEM if "\n" in text[stop:gap_end] and text[stop:gap_end].strip() else Boundary.SENTENCE


def trimmed(text: str, start: int, end: int) -> Span | None:
    """The span without outer white space; None when nothing is left."""
    piece = text[start:end]
    inner = piece.strip()
    if not inner:
        return None
    start += len(piece) - len(piece.lstrip())
    return start, start + len(inner)


def packed(units: Sequence[Unit], size: int, overlap: int) -> list[Span]:
    """Spans of at most `size` characters that hold all units, none of which is longer.

    A span begins with those last units of the one before it that make up at most `overlap` characters.
    """
    spans: list[Span] = []
    first = 0
    begin = units[0].start if units else 0
    while first < len(units):
        stop = _cut(units, first, begin, size)
        end = units[stop - 1].end
        spans.append((begin, end))
        if stop < len(units):
            begin = _overlapped(units, stop, spans[-1], size, overlap)
        first = stop
    return spans


def _cut(units: Sequence[Unit], first: int, begin: int, size: int) -> int:
    """The unit to stop before, for a span that begins at `begin` and must hold unit `first`."""
    stop = first + 1
    while stop < len(units) and units[stop].end - begin <= size:
        stop += 1
    if stop == len(units):
        return stop
    best = stop
    for candidate in range(stop, first, -1):
        if candidate < stop and units[candidate - 1].end - begin < size * _EARLIEST_CUT:
            break
        if units[candidate].before > units[best].before:
            best = candidate
    return best


def _overlapped(units: Sequence[Unit], stop: int, previous: Span, size: int, overlap: int) -> int:
    """Where the span that must hold unit `stop` begins."""
    begin = units[stop].start
    for unit in reversed(units[max(0, stop - overlap) : stop]):
        if previous[1] - unit.start > overlap or units[stop].end - unit.start > size or unit.start <= previous[0]:
            break
        begin = unit.start
    return begin
