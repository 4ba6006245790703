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
from typing import Literal

SentenceKind = Literal["prose", "item", "heading", "row", "code"]


@dataclass(frozen=True, slots=True)
class Sentence:
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
_ALERT = re.compile(r"\[!\w++\]\s*+\Z|:::")
_ITEM = re.compile(r"(?:[-*+•◦‣▪]|\d{1,3}[.)])[ \t]++(?:\[[ xX]\][ \t]++)?")
_INDENTED_CODE = 4  # columns, as CommonMark counts


@dataclass(slots=True)
class _Block:
    start: int
    end: int
    kind: SentenceKind


def _blocks(text: str) -> Iterator[_Block]:
    """Paragraphs, items, headings, rows and lines of code, in order."""
    paragraph: _Block | None = None
    fence = ""
    in_list = in_table = False
    previous_end = 0
    for line in _LINE.finditer(text):
        end = line.end()
        prefix = _QUOTE.match(text, line.start(), end)
        start = prefix.end() if prefix else line.start()
        blank_before = line.start() - previous_end > 1 or "\f" in text[previous_end : line.start()]
        previous_end = end
        opening = _FENCE.match(text, start, end)
        if fence or opening:
            if paragraph:
                yield paragraph
                paragraph = None
            if fence and opening and _closes(fence, text[start:end]):
                fence = ""
            elif fence:
                yield _Block(start, end, "code")
            elif opening:
                fence = opening[1] or opening[2]
            continue
        blank = start == end or text[start:end].isspace()
        if blank or blank_before:
            if paragraph:
                yield paragraph
                paragraph = None
            in_table = False
        if blank:
            # The next line must know of this one, whether it held spaces, a quote mark or nothing.
            previous_end = end - 1
            continue
        kind, body = _kind_of_line(text, start, end, in_table)
        indent = len(text[line.start() : start].expandtabs(4))
        if kind == "prose" and paragraph is None and indent < 2:  # noqa: PLR2004
            in_list = False
        in_list = in_list or kind == "item"
        if kind == "prose" and paragraph is None and indent >= _INDENTED_CODE and not in_list:
            kind = "code"
        if kind == "prose" and paragraph:
            paragraph.end = end
            continue
        if paragraph:
            if kind == "markup" and _UNDERLINE.match(text, start, end):
                paragraph.kind = "heading"
            elif kind == "markup" and "|" in text[start:end] and "\n" not in text[paragraph.start : paragraph.end]:
                paragraph.kind = "row"
            yield paragraph
            paragraph = None
        if kind == "markup":
            in_table = "|" in text[start:end]
        elif kind in ("prose", "item"):
            paragraph = _Block(body, end, kind)  # type: ignore[arg-type]
        else:
            yield _Block(body, end, kind)  # type: ignore[arg-type]
    if paragraph:
        yield paragraph


def _kind_of_line(text: str, start: int, end: int, in_table: bool) -> tuple[str, int]:
    """What a line is, and where its words begin."""
    if _MARKUP.match(text, start, end):
        return "markup", end
    if heading := _HEADING.match(text, start, end):
        return "heading", heading.end()
    if text[start] == "|" or (in_table and "|" in text[start:end]):
        return "row", start
    if item := _ITEM.match(text, start, end):
        return "item", item.end()
    if _ALERT.match(text, start, end):
        return "code", start
    return "prose", start


def _closes(fence: str, line: str) -> bool:
    closing = line.strip()
    return len(closing) >= len(fence) and not closing.strip(fence[0])


# --- sentences within a paragraph ------------------------------------------------

# The lookbehind lets a run of marks match only from its first, so a million dots cost one pass.
_END = re.compile(
    r"(?<![.!?…])([.!?…]++)((?:\[\^?\w{1,8}\])*+[\"'”’»)\]*_`]*+)(?=\s)"
    r"|[。！？]++[”’」』）]*+"  # noqa: RUF001
)
_WORD_BEFORE = re.compile(r"[^\s\"'“”‘’(\[{*_`—–/]*\Z")  # noqa: RUF001
_LONGEST_ABBREVIATION = 24

_NEVER_LAST = frozenset(
    "e.g eg i.e ie cf viz vs dr mr mrs ms prof messrs gen sen rep gov capt lt col sgt hon rev mt st".split()
)
_LAST_UNLESS_NUMBER = frozenset(
    "fig figs eq eqs no nos sec ch chap vol vols pp p art tab ref refs app "
    "jan feb mar apr jun jul aug sep sept oct nov dec ver v".split()
)
_LAST_BEFORE_CAPITAL = frozenset(
    "etc al inc ltd co corp dept univ assn bros jr sr est approx ca max min misc incl excl tel ext resp cont govt "
    "a.m p.m ed eds orig spec vers prob".split()
)
# A capital after "U.S." or "C." is usually a name; these words are usually not.
_STARTERS = frozenset(
    "a an and as at but by each for from he her his how however i if in it its no not on one or our she since so "
    "some such that the their then there these they this those to we what when where which while who why with "
    "you your".split()
)
_NEXT_WORD = re.compile(r"[\"'“‘«(\[*_`]*+([^\W\d_]++)?")  # noqa: RUF001
_SPACE = re.compile(r"\s*+(?:>[ \t]*+)*+")
_SHORTEST_LOWERCASE_LAST = 4


def _within_paragraph(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    for mark in _END.finditer(text, start, end):
        # A span may begin after this one only; marks that end no sentence stay inside it.
        if mark[1] is None or _ends_sentence(text, start, mark, end):
            yield from _trimmed(text, start, mark.end())
            start = _after(text, mark.end(), end)
    yield from _trimmed(text, start, end)


def _after(text: str, position: int, end: int) -> int:
    """Past white space, and past quote marks if a line begins in it."""
    gap = _SPACE.match(text, position, end)
    if gap is None:
        return position
    return gap.end() if "\n" in gap[0] or ">" not in gap[0] else position


def _ends_sentence(text: str, start: int, mark: re.Match[str], end: int) -> bool:
    marks, closers = mark[1], mark[2]
    following = _after(text, mark.end(), end)
    if following >= end:
        return True
    word = _NEXT_WORD.match(text, following, end)
    next_word = word[1] or "" if word else ""
    lowercase = next_word[:1].islower()
    if marks[0] in "!?":
        return not (lowercase and any(quote in closers for quote in "\"'”’»"))  # noqa: RUF001
    if len(marks) > 1 or marks == "…":
        return not lowercase
    found = _WORD_BEFORE.search(text, max(start, mark.start() - _LONGEST_ABBREVIATION), mark.start())
    before = found[0] if found else ""
    return _period_ends(before, next_word, text[following].isdigit())


def _period_ends(before: str, next_word: str, digit_next: bool) -> bool:
    """Whether one period after the word `before` ends the sentence."""
    known = before.lower()
    if known in _NEVER_LAST:
        return False
    if known in _LAST_UNLESS_NUMBER:
        return not digit_next and not next_word[:1].islower() and len(known) > 1
    if known in _LAST_BEFORE_CAPITAL:
        return next_word[:1].isupper()
    if (len(before) == 1 and before.isalpha()) or re.fullmatch(r"(?:[^\W\d_]{1,2}\.)++[^\W\d_]{1,2}", before):
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
