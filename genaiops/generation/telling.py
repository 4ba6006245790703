"""What a sentence of a document says when it stands alone: a row of a table with the names of its columns."""

from __future__ import annotations

import re
from typing import NamedTuple

from genaiops.sentences import Sentence, sentences

_DELIMITER = re.compile(r"\n[ \t>]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t:|-]*)?(?:\n|\Z)")
_PIPE = re.compile(r"(?<!\\)\|")
# A cell that is a figure names no column, so the row above the delimiter is one of data; a year may name one.
_FIGURE = re.compile(r"(?!(?:19|20)\d\d\Z)\W*\d[\d\W]*[^\W\d]{0,3}\W*\Z")
_NAMED = re.compile(r"[^:|\n]{1,60}: \S")
_ENDS = ".!?…:;"


class Telling(NamedTuple):
    """The span `[start, end)` of a sentence, and `said`, its words as an answer gives them.

    `own` are its words without the names of columns; `names_columns` is the row that heads a table.
    """

    start: int
    end: int
    said: str
    own: str
    names_columns: bool = False


def tellings(text: str) -> list[Telling]:
    """The sentences of a text, no headings, in order, each readable by itself.

    "| Sydney | 210 ms |" under "| Region | Latency |" says "Region: Sydney; Latency: 210 ms."; without a row that
    names the columns, it says "Sydney, 210 ms.". A paragraph of `column: value` lines is said with semicolons.
    """
    found: list[Telling] = []
    header: list[str] = []
    all_spans = sentences(text)
    for number, sentence in enumerate(all_spans):
        start, end, kind = sentence
        before, after = all_spans[number - 1 : number] if number else [], all_spans[number + 1 : number + 2]
        if kind == "heading":
            continue
        if kind != "row":
            found.append(Telling(start, end, *_paragraph(text[start:end])))
            continue
        if not before or not _same_table(text, before[0], sentence):
            header = []
        cells = _cells(text[start:end])
        own = _ended(", ".join(cell for cell in cells if cell))
        heads = bool(after) and _same_table(text, sentence, after[0]) and _parted(text, sentence, after[0])
        if heads and not any(map(_FIGURE.match, cells)):
            header = cells
            found.append(Telling(start, end, own, own, names_columns=True))
        else:
            found.append(Telling(start, end, _row(header, cells) or own, own))
    return found


def _same_table(text: str, one: Sentence, other: Sentence) -> bool:
    gap = text[one.end : other.start].split("\n")[1:-1]
    return one.kind == other.kind == "row" and all(line.strip() for line in gap)


def _parted(text: str, one: Sentence, other: Sentence) -> bool:
    return _DELIMITER.search(text, one.end, other.start) is not None


def _cells(row: str) -> list[str]:
    bare = row.strip()
    inner = bare.removeprefix("|")
    if inner.endswith("|") and not inner.endswith("\\|"):
        inner = inner[:-1]
    return [" ".join(cell.replace("\\|", "|").split()) for cell in _PIPE.split(inner)]


def _row(names: list[str], cells: list[str]) -> str:
    """The cells with the names of their columns; "" where they do not fit each other."""
    if not names or len(names) != len(cells):
        return ""
    pairs = zip(names, cells, strict=True)
    return _ended("; ".join(f"{name.rstrip(':')}: {cell}" if name else cell for name, cell in pairs if cell))


def _paragraph(text: str) -> tuple[str, str]:
    """What it says, with and without the names of columns; the same for all that is no row of a CSV or Excel file."""
    lines = [" ".join(line.split()) for line in text.splitlines()]
    if len(lines) > 1 and all(map(_NAMED.match, lines)):
        return _ended("; ".join(lines)), " ".join(line.partition(": ")[2] for line in lines)
    said = " ".join(text.split())
    return said, said


def _ended(said: str) -> str:
    return said if not said or said[-1] in _ENDS else f"{said}."
