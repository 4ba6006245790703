"""Which lines of a PDF are headings, told by the size and weight of their letters. Runs in a child process.

A PDF has no headings, only letters in some size at some place. A line counts as one where all its letters are larger
than those of the body, or bold above text that is not; it becomes a Markdown heading, so that it does not run into the
sentence below. Where the letters do not tell clearly, the text stays as it is.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

LARGER = 1.12  # times the size of the body
CLEAR = 0.5  # of all letters must have the size of the body: the letters of scanned pages have any size
WHOLE = 0.95  # of the letters of a line
MOST_LINES = 3  # of a heading; more are a large paragraph
LONGEST = 160  # characters of a heading
LEVELS = 6
_LEADERS = re.compile(r"(?:\. ?){4}")  # in a table of contents
_BROKEN_OFF = (",", ";", "-", "–", "(", "/")  # a line that goes on
_ENDED = (".", "!", "?", "…", ":", ")", "]", '"', "”", "’", "»")


Piece = tuple[str, float, bool]  # text, its size in points as printed (0: unknown), whether it is bold


class Line(NamedTuple):
    """A line of a page: the size and weight of its letters, 0 and False where they are of several."""

    text: str
    size: float
    bold: bool


class _Body(NamedTuple):
    size: float
    sizes: tuple[float, ...]  # of headings, the largest first


def marked(pages: Sequence[Sequence[Piece]]) -> list[str]:
    """The text of each page, its headings as Markdown headings with an empty line around them."""
    pages_of_lines = [_lines(page) for page in pages]
    letters: Counter[float] = Counter()
    for lines in pages_of_lines:
        for line in lines:
            letters[line.size] += _letters(line.text)
    size, most = max(letters.items(), key=lambda item: item[1], default=(0.0, 0))
    if not size or most < CLEAR * letters.total():
        return ["\n".join(line.text for line in lines) for lines in pages_of_lines]
    heading_sizes = {line.size for lines in pages_of_lines for _, block in _blocks(lines, size) for line in block}
    body = _Body(size, tuple(sorted(heading_sizes, reverse=True)))
    return [_marked_page(lines, body) for lines in pages_of_lines]


def _marked_page(lines: Sequence[Line], body: _Body) -> str:
    out: list[str] = []
    at = 0
    for start, block in _blocks(lines, body.size):
        out += [line.text for line in lines[at:start]]
        at = start + len(block)
        if out and out[-1].strip():
            out.append("")
        level = min(LEVELS, 1 + body.sizes.index(block[0].size))
        out.append(f"{'#' * level} {' '.join(' '.join(line.text for line in block).split())}")
        if at < len(lines) and lines[at].text.strip():
            out.append("")
    return "\n".join([*out, *(line.text for line in lines[at:])])


def _blocks(lines: Sequence[Line], body: float) -> Iterator[tuple[int, Sequence[Line]]]:
    """Where the headings of a page begin, and their lines."""
    at = 0
    while at < len(lines):
        if not _stands_out(lines[at], body):
            at += 1
            continue
        start, first = at, lines[at]
        while at < len(lines) and (lines[at].size, lines[at].bold) == (first.size, first.bold):
            at += 1
        block = lines[start:at]
        before, after = (lines[start - 1] if start else None), (lines[at] if at < len(lines) else None)
        if _is_heading(block, before, after, body):
            yield start, block


def _stands_out(line: Line, body: float) -> bool:
    return line.size >= LARGER * body or (line.bold and line.size >= 0.98 * body)


def _is_heading(block: Sequence[Line], before: Line | None, after: Line | None, body: float) -> bool:
    larger = block[0].size >= LARGER * body
    said = " ".join(line.text.strip() for line in block).strip()
    if len(block) > (MOST_LINES if larger else 2) or len(said) > LONGEST or _letters(said) < 3:
        return False
    if said.endswith(_BROKEN_OFF) or said.startswith("#") or _LEADERS.search(said):
        return False
    follows = after.text.lstrip() if after else ""
    if follows[:1].islower() and after is not None and after.size < LARGER * body:
        return False
    if larger:
        return True
    # Bold words in a paragraph may fill a line: a heading stands behind the end of one, and ends no sentence.
    said_before = before.text.rstrip() if before else ""
    ended = not said_before or said_before.endswith(_ENDED) or (before is not None and before.size > block[0].size)
    return bool(follows) and ended and not said.endswith(".")


def _lines(page: Sequence[Piece]) -> list[Line]:
    """The lines of a page; a line feed belongs to no font."""
    lines: list[Line] = []
    text, styles = "", Counter[tuple[float, bool]]()
    for said, size, bold in page:
        for number, part in enumerate(said.split("\n")):
            if number:
                lines.append(_line(text, styles))
                text, styles = "", Counter()
            text += part
            styles[size, bold] += _letters(part)
    return [*lines, _line(text, styles)]


def _line(text: str, styles: Counter[tuple[float, bool]]) -> Line:
    total = styles.total()
    if not total:
        return Line(text, 0.0, False)
    sizes: Counter[float] = Counter()
    for (size, _), number in styles.items():
        sizes[size] += number
    size, number = sizes.most_common(1)[0]
    bold = sum(count for (_, heavy), count in styles.items() if heavy)
    return Line(text, size if number >= WHOLE * total else 0.0, bold >= WHOLE * total)


def _letters(text: str) -> int:
    return sum(map(str.isalnum, text))
