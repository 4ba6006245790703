"""How long a stretch of a text is: in characters, or in tokens of the embedder."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import Protocol

from genaiops.chunking.settings import ChunkingSettings
from genaiops.chunking.tools import TokenSpans, Tools
from genaiops.errors import ConfigurationError

# A word that a tokenizer does not know is one token to it, however long. Four characters are a token in English.
_LONGEST_TOKEN, _TOKEN = 24, 4


class Ruler(Protocol):
    """Measures one text."""

    def length(self, start: int, end: int) -> int: ...

    def reach(self, start: int, most: int) -> int:
        """The furthest end with `length(start, end) <= most`; at least one character for `most` >= 1."""
        ...

    def back(self, end: int, most: int) -> int:
        """The furthest start before `end` with `length(start, end) <= most`."""
        ...


class Characters:
    """One character is one."""

    def length(self, start: int, end: int) -> int:
        return end - start

    def reach(self, start: int, most: int) -> int:
        return start + most

    def back(self, end: int, most: int) -> int:
        return max(0, end - most)


class Tokens:
    """Counts the tokens of the whole text that begin in a stretch of it."""

    def __init__(self, text: str, token_spans: TokenSpans) -> None:
        self._starts = list(_starts(text, token_spans))
        self._end = len(text)

    def length(self, start: int, end: int) -> int:
        return bisect_left(self._starts, end) - bisect_left(self._starts, start)

    def reach(self, start: int, most: int) -> int:
        after = bisect_left(self._starts, start) + most
        return self._starts[after] if after < len(self._starts) else self._end

    def back(self, end: int, most: int) -> int:
        first = bisect_left(self._starts, end) - most
        return end if most == 0 else self._starts[max(first, 0)] if self._starts else 0


def _starts(text: str, token_spans: TokenSpans) -> Iterator[int]:
    last = -1
    for start, end in token_spans(text):
        steps = range(start, end, _TOKEN) if end - start > _LONGEST_TOKEN else (start,)
        for position in steps:
            if position > last:  # tokens of one character, such as the bytes of an emoji, are one
                yield position
                last = position


def ruler_for(text: str, settings: ChunkingSettings, tools: Tools) -> Ruler:
    """Raises ConfigurationError for `unit: tokens` without a tokenizer."""
    if settings.unit == "characters":
        return Characters()
    if tools.token_spans is None:
        raise ConfigurationError(
            "unit: tokens needs a tokenizer", remedy="pass Tools(token_spans=…), or count in characters"
        )
    return Tokens(text, tools.token_spans)
