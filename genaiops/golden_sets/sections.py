"""The parts of a document that cases may or may not cover, and what stands around a quote."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from genaiops.records import digest_of
from genaiops.sentences import Sentence, sentences

AROUND = 600  # characters before and after a quote that may change what it says, within its section
_MARKS = re.compile(r"(#{1,6})[ \t]+\Z")
_CLOSING = re.compile(r"[ \t]+#+\Z")


@dataclass(frozen=True, slots=True)
class Section:
    """`[start, end)` of a document under one heading, without the sections inside it.

    `path` is the titles from the top down to its own; the text before the first heading has none. `sentences` are
    its own, the heading left out.
    """

    path: tuple[str, ...]
    start: int
    end: int
    sentences: tuple[Sentence, ...]

    @property
    def title(self) -> str:
        return self.path[-1] if self.path else ""


def sections(text: str) -> list[Section]:
    """The sections of a Markdown-like text in order; a text without headings is one."""
    found: list[Section] = []
    above: list[tuple[int, str]] = []
    start, held = 0, list[Sentence]()
    for sentence in sentences(text):
        if sentence.kind != "heading":
            held.append(sentence)
            continue
        begin = text.rfind("\n", 0, sentence.start) + 1
        if begin > start:
            found.append(Section(tuple(title for _, title in above), start, begin, tuple(held)))
        marks = _MARKS.search(text, begin, sentence.start)
        level = len(marks[1]) if marks else 1 if text[sentence.end :].lstrip("\r\n").startswith("=") else 2
        while above and above[-1][0] >= level:
            above.pop()
        above.append((level, " ".join(_CLOSING.sub("", text[sentence.start : sentence.end]).split())))
        start, held = begin, []
    found.append(Section(tuple(title for _, title in above), start, len(text), tuple(held)))
    return found


def around(text: str, quote: str) -> str:
    """Digest of the words within 600 characters of a quote's first occurrence, its section's bounds kept.

    "" when the text does not hold the quote. Changes of white space and of what stands further away do not count:
    white space is made one before the characters are counted.
    """
    position = text.find(quote)
    if position < 0:
        return ""
    end = position + len(quote)
    bounds = _bounds(text)
    low = max(start for start, _ in bounds if start <= position)
    high = min((stop for _, stop in bounds if stop >= end), default=len(text))
    before, after = " ".join(text[low:position].split())[-AROUND:], " ".join(text[end:high].split())[:AROUND]
    return digest_of([before.split(), quote.split(), after.split()])[:32]


@lru_cache(maxsize=16)  # a document has many quotes
def _bounds(text: str) -> tuple[tuple[int, int], ...]:
    return tuple((section.start, section.end) for section in sections(text))
