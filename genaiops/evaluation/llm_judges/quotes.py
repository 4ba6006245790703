"""Where a quote of a judge stands in the contexts: word for word, or it is no quote."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

_FEWEST_SIGNS = 6  # letters and digits; less is found everywhere and decides nothing
_OMISSION = re.compile(r"\s*(?:\.\.\.|…|\[\.\.\.\]|\[…\])\s*")
# How models write what a text has otherwise: all of them one character for one.
_SAME = str.maketrans({"‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "-", "‑": "-", "−": "-"})


class Place(NamedTuple):
    """`[start, end)` of contexts[context]."""

    context: int
    start: int
    end: int


class Located:
    """The contexts of one case, made ready for finding quotes: case, spacing and forms of quotation marks aside."""

    def __init__(self, contexts: Sequence[str]) -> None:
        self._contexts = contexts
        self._plain: dict[int, tuple[str, list[int]]] = {}

    def place(self, quote: str, *, likely: int = 0) -> Place | None:
        """Where a quote stands, looked for in context `likely` (from 1) first; None when it is in no context.

        An omission (…) may stand in it; the parts must follow each other in one context.
        """
        if sum(sign.isalnum() for sign in quote) < _FEWEST_SIGNS:
            return None
        if 0 < likely <= len(self._contexts) and (at := self._contexts[likely - 1].find(quote)) >= 0:
            return Place(likely - 1, at, at + len(quote))
        parts = (_plain(part.strip(" \"'“”"))[0].strip() for part in _OMISSION.split(quote.strip()))
        pieces = [part for part in parts if part]
        numbers = sorted(range(len(self._contexts)), key=lambda number: number != likely - 1)
        found = (self._within(number, pieces) for number in numbers)
        return next((place for place in found if place is not None), None)

    def _within(self, number: int, pieces: Sequence[str]) -> Place | None:
        if number not in self._plain:
            self._plain[number] = _plain(self._contexts[number])
        text, origin = self._plain[number]
        first, end = -1, 0
        for piece in pieces:
            at = text.find(piece, end)
            if at < 0:
                return None
            first = at if first < 0 else first
            end = at + len(piece)
        return Place(number, origin[first], origin[end - 1] + 1)


def _plain(text: str) -> tuple[str, list[int]]:
    """The text in one form of case, spacing and signs, and for each of its characters its place in the original."""
    signs: list[str] = []
    origin: list[int] = []
    for place, sign in enumerate(text.translate(_SAME)):
        if sign.isspace() and signs and signs[-1] == " ":
            continue
        for lower in " " if sign.isspace() else sign.lower():  # some capitals become two characters
            signs.append(lower)
            origin.append(place)
    return "".join(signs), origin
