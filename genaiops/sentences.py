"""Where the sentences of a text are. Pure Python, linear in the length of the text.

Made for prose and for Markdown-like text: a blank line, a heading, a list marker, a
table row or a line of code ends a sentence, whatever its punctuation. Within a
paragraph `.`, `!`, `?`, `…` and their CJK forms end one, except after an abbreviation,
an initial or a number, as decided by `_ends_sentence`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

SentenceKind = Literal["prose", "item", "heading", "row", "code"]


class Sentence(NamedTuple):  # a tuple, since a text has very many of them
    """The span `[start, end)` of one sentence; `kind` says what it stands in (item: a list item)."""

    start: int
    end: int
    kind: SentenceKind


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Spans `[start, end)` of the sentences of `text`, in order, disjoint, none empty or with outer whitespace.

    Markup with no words of its own is in no span: code fences, rules, table delimiters,
    the markers of list items, headings and quotes at the start of a block.
    """
    return [(sentence.start, sentence.end) for sentence in sentences(text)]


def sentences(text: str) -> list[Sentence]:
    """As `sentence_spans`, with the kind of each: a heading or a table row is rarely an answer."""
    return [
        Sentence(start, end, block.kind)
        for block in _blocks(text)
        for start, end in (
            _within_paragraph(text, block.start, block.end)
            if block.kind in ("prose", "item")
            else _trimmed(text, block.start, block.end)
        )
    ]


# --- blocks: what lines say about where sentences end ---------------------------

# No pattern here can backtrack over more than one run: quantifiers are possessive.
_LINE = re.compile(r"[^\n\f]+")
_QUOTE = re.compile(r"[ \t]*+(?:>[ \t]*+)*+")
_FENCE = re.compile(r"(?:(`{3,}+)[^`]*+|(~{3,}+).*+)\Z", re.DOTALL)
_HEADING = re.compile(r"(#{1,6}+)(?:[ \t]++|\Z)")
_MARKUP = re.compile(r"[-=*_+|:#\s]*+\Z")
_UNDERLINE = re.compile(r"(?:=++|-++)\s*+\Z")
_ALERT = re.compile(r"\[!\w[^\]\n]{0,80}+\]\s*+\Z|:::")
_ITEM = re.compile(r"(?:[-*+•◦‣▪]|\d{1,3}[.)])[ \t]++(?:\[[ xX]\][ \t]++)?")
_INDENTED_CODE = 4  # columns, as CommonMark counts


@dataclass(slots=True)
class _Block:
    start: int
    end: int
    kind: SentenceKind


def _blocks(text: str) -> Iterator[_Block]:
    """Paragraphs, items, headings, rows and lines of code, in order."""
    reader = _BlockReader(text)
    for line in _LINE.finditer(text):
        yield from reader.take(line.start(), line.end())
    yield from reader.finish()


class _BlockReader:
    """Takes line after line and hands out the blocks that each one completes."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._paragraph: _Block | None = None
        self._fence = ""
        self._in_list = self._in_table = False
        self._previous_end = 0

    def take(self, line_start: int, end: int) -> Iterator[_Block]:
        """A line that is not empty; two that are not neighbours had empty ones between them."""
        text = self._text
        prefix = _QUOTE.match(text, line_start, end)
        start = prefix.end() if prefix else line_start
        opening = _FENCE.match(text, start, end)
        if self._fence or opening:
            yield from self.finish()
            yield from self._take_code(start, end, opening)
            self._previous_end = end
            return
        if line_start - self._previous_end > 1 or "\f" in text[self._previous_end : line_start]:
            yield from self.finish()
        self._previous_end = end
        if start == end or text[start:end].isspace():
            yield from self.finish()
            return
        kind, body = _kind_of_line(text, start, end, in_table=self._in_table)
        if self._paragraph and kind == "prose":
            self._paragraph.end = end
            return
        yield from self._take_block(kind, body, end, indent=len(text[line_start:start].expandtabs(4)))

    def finish(self) -> Iterator[_Block]:
        """The paragraph read so far, if any."""
        if self._paragraph:
            yield self._paragraph
        self._paragraph = None
        self._in_table = False

    def _take_code(self, start: int, end: int, fence: re.Match[str] | None) -> Iterator[_Block]:
        if not self._fence:
            self._fence = fence[1] or fence[2] if fence else ""
        elif fence and closes_fence(self._fence, self._text[start:end]):
            self._fence = ""
        else:
            yield _Block(start, end, "code")

    def _take_block(self, kind: SentenceKind | None, body: int, end: int, *, indent: int) -> Iterator[_Block]:
        """A line that begins a block of its own."""
        in_table = self._in_table
        if self._paragraph and kind is None:
            self._name_what_was_underlined(self._paragraph, body, end)
        yield from self.finish()
        if kind is None:
            self._in_table = "|" in self._text[body:end]
            return
        self._in_table = in_table and kind == "row"
        self._in_list = kind == "item" or (self._in_list and (kind != "prose" or indent > 1))
        if kind == "prose" and indent >= _INDENTED_CODE and not self._in_list:
            kind = "code"
        if kind in ("prose", "item"):
            self._paragraph = _Block(body, end, kind)
        else:
            yield _Block(body, end, kind)

    def _name_what_was_underlined(self, paragraph: _Block, start: int, end: int) -> None:
        if _UNDERLINE.match(self._text, start, end):
            paragraph.kind = "heading"
        elif "|" in self._text[start:end] and "\n" not in self._text[paragraph.start : paragraph.end]:
            paragraph.kind = "row"


def _kind_of_line(text: str, start: int, end: int, *, in_table: bool) -> tuple[SentenceKind | None, int]:
    """What a line is (None: markup without words), and where its words begin."""
    if _MARKUP.match(text, start, end):
        return None, start
    if heading := _HEADING.match(text, start, end):
        return "heading", heading.end()
    if text[start] == "|" or (in_table and "|" in text[start:end]):
        return "row", start
    if item := _ITEM.match(text, start, end):
        return "item", item.end()
    if _ALERT.match(text, start, end):
        return "code", start
    return "prose", start


def closes_fence(fence: str, line: str) -> bool:
    """Whether a line ends the code that `fence` began, by CommonMark."""
    closing = line.strip()
    return len(closing) >= len(fence) and not closing.strip(fence[0])


# --- sentences within a paragraph ------------------------------------------------

# The lookbehind lets a run of marks match only from its first, so a million dots cost one pass.
_END = re.compile(
    r"(?<![.!?…])([.!?…]++)((?:\[\^?\w{1,8}\])*+[\"'”’»)\]*_`]*+)(?=\s)"
    r"|[。！？]++[”’」』）]*+"
)
_WORD_BEFORE = re.compile(r"[^\s\"'“”‘’(\[{*_`—–/]*\Z")
_INITIALS = re.compile(r"[^\W\d_](?:[^\W\d_]?\.[^\W\d_]{1,2})*+")
_LONGEST_ABBREVIATION = 24

_NEVER_LAST = frozenset({
    "e.g", "eg", "i.e", "ie", "cf", "viz", "vs", "dr", "mr", "mrs", "ms", "prof", "messrs", "gen", "sen", "rep",
    "gov", "capt", "lt", "col", "sgt", "hon", "rev", "mt", "st",
})  # fmt: skip
_LAST_UNLESS_NUMBER = frozenset({
    "fig", "figs", "eq", "eqs", "no", "nos", "sec", "ch", "chap", "vol", "vols", "pp", "p", "art", "tab", "ref",
    "refs", "app", "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec", "ver", "v",
})  # fmt: skip
_LAST_BEFORE_CAPITAL = frozenset({
    "etc", "al", "inc", "ltd", "co", "corp", "dept", "univ", "assn", "bros", "jr", "sr", "est", "approx", "ca",
    "max", "min", "misc", "incl", "excl", "tel", "ext", "resp", "cont", "govt", "a.m", "p.m", "ed", "eds", "orig",
    "spec", "vers", "prob",
})  # fmt: skip
# A capital after "U.S." or "C." is usually a name; these words are usually not.
_STARTERS = frozenset({
    "a", "an", "and", "as", "at", "but", "by", "each", "for", "from", "he", "her", "his", "how", "however", "i",
    "if", "in", "it", "its", "no", "not", "on", "one", "or", "our", "she", "since", "so", "some", "such", "that",
    "the", "their", "then", "there", "these", "they", "this", "those", "to", "we", "what", "when", "where", "which",
    "while", "who", "why", "with", "you", "your",
})  # fmt: skip
_NEXT_WORD = re.compile(r"[\"'“‘«(\[*_`]*+([^\W\d_]++)?")
_SPACE = re.compile(r"\s*+(?:>[ \t]*+)*+")
_SHORTEST_LOWERCASE_LAST = 4


def _within_paragraph(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """`start` is at the first word, so no sentence but the last can have outer white space."""
    for mark in _END.finditer(text, start, end):
        following = _after(text, mark.end(), end)
        if mark[1] is None or _ends_sentence(text, start, mark, following, end):
            yield start, mark.end()
            start = following
    yield from _trimmed(text, start, end)


def _after(text: str, position: int, end: int) -> int:
    """Past white space, and past quote marks if a line begins in it."""
    gap = _SPACE.match(text, position, end)
    if gap is None:
        return position
    return gap.end() if "\n" in gap[0] or ">" not in gap[0] else position


def _ends_sentence(text: str, start: int, mark: re.Match[str], following: int, end: int) -> bool:
    """Whether the marks end a sentence that began at `start`; `following` is where the next would begin."""
    if following >= end:
        return True
    marks, closers = mark[1], mark[2]
    word = _NEXT_WORD.match(text, following, end)
    next_word = word[1] or "" if word else ""
    if marks == ".":
        found = _WORD_BEFORE.search(text, max(start, mark.start() - _LONGEST_ABBREVIATION), mark.start())
        return _period_ends(found[0] if found else "", next_word, text[following].isdigit())
    lowercase = next_word[:1].islower()
    if marks[0] in "!?":
        return not (lowercase and any(quote in closers for quote in "\"'”’»"))
    return not lowercase


def _period_ends(before: str, next_word: str, digit_next: bool) -> bool:
    """Whether one period after the word `before` ends the sentence."""
    known = before.lower()
    if known in _NEVER_LAST:
        return False
    if known in _LAST_UNLESS_NUMBER:
        return not digit_next and not next_word[:1].islower() and len(known) > 1
    if known in _LAST_BEFORE_CAPITAL:
        return next_word[:1].isupper()
    if _INITIALS.fullmatch(before):
        return next_word[:1].isupper() and next_word.lower() in _STARTERS
    if next_word[:1].islower():
        return len(before) >= _SHORTEST_LOWERCASE_LAST and before.isalpha()
    return True


def _trimmed(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The span without outer whitespace; nothing if nothing is left."""
    piece = text[start:end]
    left = len(piece) - len(piece.lstrip())
    if left < len(piece):
        yield start + left, start + len(piece.rstrip())
