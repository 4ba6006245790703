"""The outline of a Markdown text: headings, fenced code, tables, and the prose between them.

Headings of wikis, `== Title ==`, count too: exports of MediaWiki are often indexed as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from genaiops.sentences import closes_fence

BlockKind = Literal["heading", "code", "table", "prose"]

# Possessive quantifiers: a line of a million marks is read once.
_LINE = re.compile(r"\n++|[^\n]++\n?+")  # empty lines in one go
_QUOTE = re.compile(r"[ \t]*+(?:>[ \t]*+)*+")
_FENCE = re.compile(r"(?:(`{3,}+)[^`\n]*+|(~{3,}+).*+)$", re.MULTILINE)
_ATX = re.compile(r" {0,3}+(#{1,6}+)(?:[ \t]++(.*+))?$", re.MULTILINE)
_WIKI = re.compile(r"((?:= ?+){1,6}+)([^=\n][^\n]*+)$", re.MULTILINE)  # what follows the title is looked at apart
_SETEXT = re.compile(r" {0,3}+(=++|-++)[ \t]*+$", re.MULTILINE)
_DELIMITER = re.compile(r"[ \t>]*+\|?+[ \t]*+:?+-++[-:| \t]*+$", re.MULTILINE)
_NO_TITLE = re.compile(r" {4}|\t|[ \t]*+(?:[-*+>|]|\d{1,9}[.)])(?:[ \t]|$)")
_CLOSING_MARKS = re.compile(r"(?:^|(?<=[ \t]))#++$|(?<![ \t])[ \t]*+\{#[^{}]*+\}$")
_LONGEST_TITLE = 120


@dataclass(slots=True)
class Block:
    """The whole lines `[start, end)`. A heading has a level from 1 to 6 and a title."""

    start: int
    end: int
    kind: BlockKind
    level: int = 0
    title: str = ""


@dataclass(slots=True)
class Section:
    """A heading with everything under it: own blocks first (the heading among them), then sections inside it.

    The root has level 0 and no heading.
    """

    start: int
    end: int
    level: int
    blocks: list[Block] = field(default_factory=list)
    sections: list[Section] = field(default_factory=list)


def outline(text: str) -> Section:
    """The text as a tree of sections, at most seven deep. Headings inside fenced code are none."""
    return tree(blocks(text), 0, len(text))


def tree(blocks: Iterable[Block], start: int, end: int) -> Section:
    """The sections that the blocks of `[start, end)` make up."""
    root = Section(start, end, 0)
    open_sections = [root]
    for block in blocks:
        if block.kind == "heading":
            while open_sections[-1].level >= block.level:
                open_sections.pop().end = block.start
            section = Section(block.start, end, block.level)
            open_sections[-1].sections.append(section)
            open_sections.append(section)
        open_sections[-1].blocks.append(block)
    return root


def blocks(text: str) -> Iterator[Block]:
    """The blocks of a text in order, without gaps. An unclosed fence reaches to the end."""
    reader = _Reader(text)
    for match in _LINE.finditer(text):
        yield from reader.take(match.start(), match.end())
    yield from reader.finish()


class _Reader:
    """Takes line after line and hands out the blocks each one completes."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._block: Block | None = None  # the code, table or prose that may go on
        self._fence = ""
        self._quoted = False
        self._last_line = (0, 0)  # the last line of prose, if a setext underline could follow

    def take(self, start: int, end: int) -> Iterator[Block]:
        text = self._text
        prefix = _QUOTE.match(text, start, end)
        inner = prefix.end() if prefix else start
        quoted = ">" in text[start:inner]
        if self._fence and self._quoted and not quoted:
            self._fence = ""  # code in a quote ends with the quote
            yield from self.finish()
        mark = text[inner : inner + 1]
        fence = _FENCE.match(text, inner, end) if mark in "`~" else None
        if self._fence:
            yield from self._extend("code", start, end)
            if fence and closes_fence(self._fence, text[inner:end]):
                self._fence = ""
                yield from self.finish()
        elif fence:
            self._fence, self._quoted = fence[1] or fence[2], quoted
            yield from self.finish()
            yield from self._extend("code", start, end)
        elif mark == "#" and (heading := _ATX.match(text, start, end)):
            yield from self.finish()
            yield Block(start, end, "heading", len(heading[1]), _title(heading[2] or ""))
        elif mark == "=" and (wiki := _wiki_heading(text, inner, end)):
            yield from self.finish()
            yield Block(start, end, "heading", *wiki)
        else:
            yield from self._take_text(start, inner, end)

    def finish(self) -> Iterator[Block]:
        if self._block is not None:
            yield self._block
        self._block = None
        self._last_line = (0, 0)

    def _take_text(self, start: int, inner: int, end: int) -> Iterator[Block]:
        text = self._text
        blank = inner == end or text[inner:end].isspace()
        underlined = self._last_line
        self._last_line = (0, 0)
        in_table = self._block is not None and self._block.kind == "table"
        if underlined[1] and _SETEXT.match(text, start, end):
            yield from self._cut_at(underlined[0])
            level = 1 if "=" in text[start:end] else 2
            yield Block(underlined[0], end, "heading", level, _title(text[underlined[0] : underlined[1]]))
        elif not blank and (text[inner] == "|" or (in_table and "|" in text[inner:end])):
            yield from self._extend("table", start, end)
        elif self._block and underlined[1] and "|" in text[start:end] and _DELIMITER.match(text, start, end):
            yield from self._cut_at(underlined[0])
            yield from self._extend("table", underlined[0], end)
        else:
            # Only a paragraph of one line is taken for a heading when it turns out to be underlined.
            opens = self._block is None or self._block.kind != "prose" or self._ends_blank(start)
            yield from self._extend("prose", start, end)
            if not blank and opens and not _NO_TITLE.match(text, start, end):
                self._last_line = (start, end)

    def _ends_blank(self, position: int) -> bool:
        """Whether the line that ends at `position` is empty."""
        line_start = self._text.rfind("\n", 0, position - 1) + 1
        return self._text[line_start:position].isspace()

    def _extend(self, kind: BlockKind, start: int, end: int) -> Iterator[Block]:
        if self._block is not None and self._block.kind == kind:
            self._block.end = end
            return
        yield from self.finish()
        self._block = Block(start, end, kind)

    def _cut_at(self, position: int) -> Iterator[Block]:
        """End the block before a line of it that turned out to begin another."""
        if self._block is not None:
            self._block.end = position
            if self._block.start == position:
                self._block = None
        yield from self.finish()


def _wiki_heading(text: str, start: int, end: int) -> tuple[int, str] | None:
    """Level and title of a line such as `== Title ==`, with as many marks behind the title as before it."""
    heading = _WIKI.match(text, start, end)
    if heading is None:
        return None
    level = heading[1].count("=")
    title = heading[2].rstrip()
    bare = title.rstrip("= ")
    marks = title[len(bare) :]
    return (level, _title(bare)) if bare and marks.count("=") == level else None


def _title(line: str) -> str:
    line = " ".join(line[: 4 * _LONGEST_TITLE].split())
    return (_CLOSING_MARKS.sub("", line).strip() if line.endswith(("#", "}")) else line)[:_LONGEST_TITLE]
