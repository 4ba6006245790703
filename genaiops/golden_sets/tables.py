"""Tables that people and other programs wrote (CSV, TSV), and cells that a spreadsheet does not run."""

from __future__ import annotations

import ast
import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from genaiops.display import counted
from genaiops.golden_sets.json_lines import Fault, Row, text_of

SEPARATORS = {".csv": ",", ".tsv": "\t"}
LONGEST_CELL = 20_000_000  # characters
# How the tables begin whose cells genaiops guards: an exported golden set, and the report of a run.
EXPORTED = ("id", "question", "kind", "reference", "evidence", "tags", "forbidden")
REPORTED = ("id", "kind", "tags", "state", "lost_at", "question", "answer", "error")
_LONGEST_LITERAL = 1_000_000  # characters; a longer list as Python writes it is not read
_FORMULA = re.compile(r"\s*[=+\-@|%]|[\t\r\n]")  # how a cell begins that some spreadsheet runs


def read_table(path: Path, what: str) -> tuple[list[Row], list[Fault]]:
    """The rows of a `.csv` or `.tsv` file as texts by column, with their first lines; and what is wrong with it.

    Rows without content and columns without a name or content are skipped. A guard before a formula (see `guarded`)
    is taken off in the columns that genaiops wrote: anywhere else an apostrophe may be the text's own. Raises NotFound
    when there is no such file.
    """
    text, faults = text_of(path, what)  # spreadsheets put a byte-order mark in front
    before = csv.field_size_limit(LONGEST_CELL)
    try:
        separator = SEPARATORS[path.suffix.lower()]
        lines = list(_lines(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)))
    finally:
        csv.field_size_limit(before)
    (_, head, problem), *lines = lines or [(1, [], "")]
    header = [name.strip() for name in head]
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if problem or twice:
        return [], [Fault(1, problem or f"column {twice[0]!r} is there twice")]
    ours = next((len(table) for table in (EXPORTED, REPORTED) if tuple(header[: len(table)]) == table), 0)
    rows: list[Row] = []
    for line, cells, problem in lines:
        if problem:
            faults.append(Fault(line, problem))
        elif len(cells) != len(header) and cells:
            faults.append(Fault(line, f"{counted(len(cells), 'cell')} under {counted(len(header), 'column')}"))
        elif any(cell.strip() for cell in cells):
            named = zip(header, [*map(unguarded, cells[:ours]), *cells[ours:]], strict=False)
            rows.append(Row(line, {name: cell for name, cell in named if name or cell.strip()}))
    return rows, faults


def is_table(path: Path) -> bool:
    return path.suffix.lower() in SEPARATORS


def written_out(cell: str) -> Any:
    """What a cell holds as JSON, or as Python writes a list or an object, which is what pandas puts there.

    Raises ValueError for anything else.
    """
    try:
        return json.loads(cell)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except ValueError as error:
        why = error
    try:
        if len(cell) <= _LONGEST_LITERAL:
            return ast.literal_eval(cell.strip())  # constants, lists and dictionaries; runs nothing
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        pass
    raise why


def guarded(cell: str) -> str:
    """A text that a spreadsheet shows: one that it would run gets an apostrophe before it."""
    return f"'{cell}" if _FORMULA.match(cell.lstrip("'")) else cell


def unguarded(cell: str) -> str:
    """The text that `guarded` was given."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell.lstrip("'")) else cell


def _lines(reader: Any) -> Iterator[tuple[int, list[str], str]]:
    """First line, cells and problem of every row; a table is not read on after a broken one."""
    while True:
        first = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            yield first, [], f"not a table: {error}"
            return
        if cells is None:
            return
        yield first, cells, ""
