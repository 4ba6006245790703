"""Text that was changed, with a map of offsets to what it was. What was taken out is not kept."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from genaiops.records import Edit


class Replacement(NamedTuple):
    """`text` is to stand in place of `[start, end)` of the text at hand, for the reason `kind`."""

    start: int
    end: int
    text: str
    kind: str


class Rewritten:
    """A text and the edits that lead back to its original. Immutable: every change makes a new one."""

    __slots__ = ("_starts", "edits", "text")

    def __init__(self, text: str, edits: Sequence[Edit] = ()) -> None:
        self.text = text
        self.edits = tuple(edits)
        self._starts = [edit.start for edit in self.edits]

    def replace(self, replacements: Iterable[Replacement]) -> Rewritten:
        """The text with all replacements made. They come in order and do not overlap; else ValueError."""
        pieces: list[str] = []
        later: list[Edit] = []
        position = length = 0
        for item in replacements:
            if not position <= item.start <= item.end <= len(self.text):
                raise ValueError(f"replacement {item.start}-{item.end} overlaps the one before or leaves the text")
            pieces += (self.text[position : item.start], item.text)
            start = length + item.start - position
            length = start + len(item.text)
            later.append(Edit(start, length, item.start, item.end, item.kind))
            position = item.end
        if not later:
            return self
        pieces.append(self.text[position:])
        return Rewritten("".join(pieces), tuple(composed(self.edits, later)))

    def original_span(self, start: int, end: int) -> tuple[int, int]:
        """Where `[start, end)` of the text stood in the original: the smallest span that covers all of it."""
        first, last = self._original(start, begins=True), self._original(end, begins=False)
        return first, max(first, last)

    def _original(self, position: int, *, begins: bool) -> int:
        # A span that begins where something was taken out begins behind it, and ends before it likewise.
        at = bisect_right(self._starts, position) if begins else bisect_left(self._starts, position)
        if at == 0:
            return position
        edit = self.edits[at - 1]
        if position < edit.end or (not begins and position == edit.end and edit.start < edit.end):
            return edit.original_start if begins else edit.original_end
        return position + edit.original_end - edit.end


def composed(first: Sequence[Edit], then: Sequence[Edit]) -> Iterator[Edit]:
    """Two rewritings as one: `first` leads from the original to a middle text, `then` from there to the last."""
    # Everything is told in coordinates of the middle text. Edits that overlap there become one.
    i = j = 0
    shift_back = shift_on = 0  # original − middle and last − middle, of the text behind all edits so far
    while i < len(first) or j < len(then):
        from_first: list[Edit] = []
        from_then: list[Edit] = []
        if j >= len(then) or (i < len(first) and first[i].start <= then[j].original_start):
            start, end = first[i].start, first[i].end
            from_first.append(first[i])
            i += 1
        else:
            start, end = then[j].original_start, then[j].original_end
            from_then.append(then[j])
            j += 1
        grew = True
        while grew:
            grew = False
            while i < len(first) and _meets(start, end, first[i].start, first[i].end):
                end, grew = max(end, first[i].end), True
                from_first.append(first[i])
                i += 1
            while j < len(then) and _meets(start, end, then[j].original_start, then[j].original_end):
                end, grew = max(end, then[j].original_end), True
                from_then.append(then[j])
                j += 1
        original_start, last_start = start + shift_back, start + shift_on
        if from_first:
            shift_back = from_first[-1].original_end - from_first[-1].end
        if from_then:
            shift_on = from_then[-1].end - from_then[-1].original_end
        # What the later one wrote is what stands there; the earlier kind is told only where nothing came after.
        kinds = dict.fromkeys(edit.kind for edit in (from_then or from_first))
        yield Edit(last_start, end + shift_on, original_start, end + shift_back, "+".join(kinds))


def _meets(start: int, end: int, other_start: int, other_end: int) -> bool:
    """Whether the other span, which does not begin earlier, overlaps; one that is empty does where it touches."""
    if other_start < end:
        return True
    return other_start == end and (start == end or other_start == other_end)
