"""Files of rows: JSON lines, or CSV with a header, where lists and objects stand as JSON in their cells."""

from __future__ import annotations

import ast
import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from genaiops.errors import NotFound
from genaiops.golden_sets.json_lines import MAX_BYTES, Fault, Row, read_json_lines

SEPARATORS = {".csv": ",", ".tsv": "\t"}
LONGEST_CELL = 20_000_000  # characters
_LISTS = ("contexts", "retrieved_contexts", "retrieval_context", "reference_contexts", "forbidden")
_OBJECTS = ("inputs", "outputs", "expectations", "reference_outputs", "probabilities")
_NUMBERS = ("latency_s", "input_tokens", "output_tokens", "cost_usd")
_LONGEST_LITERAL = 1_000_000  # Python lists of more characters than this are not read


def read_records(path: Path) -> tuple[list[Row], list[Fault]]:
    """The rows of a file with their lines, and what is wrong with it. NotFound without the file.

    `.csv` and `.tsv` are tables, everything else is JSON lines.
    """
    separator = SEPARATORS.get(path.suffix.lower())
    return read_json_lines(path, "file of rows") if separator is None else _read_table(path, separator)


def _read_table(path: Path, separator: str) -> tuple[list[Row], list[Fault]]:
    try:
        if path.stat().st_size > MAX_BYTES:
            return [], [Fault(1, f"the file is larger than {MAX_BYTES:,} bytes")]
        text = path.read_bytes().decode("utf-8-sig")  # spreadsheets put a byte-order mark in front
    except OSError as error:
        raise NotFound(f"file of rows cannot be read: {error.strerror}", where=path, remedy="check the path") from None
    except UnicodeDecodeError as error:
        return [], [Fault(1, f"not UTF-8: {error.reason} at byte {error.start + 1}; save the table as UTF-8")]
    csv.field_size_limit(LONGEST_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        header = next(reader, [])
    except csv.Error as error:
        return [], [Fault(1, f"not a table: {error}")]
    header = [name.strip() for name in header]
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice:
        return [], [Fault(1, f"column {twice[0]!r} is there twice")]
    rows: list[Row] = []
    faults: list[Fault] = []
    for line, cells, problem in _lines(reader):
        if problem:
            faults.append(Fault(line, problem))
        elif len(cells) > len(header):
            faults.append(Fault(line, f"{len(cells)} cells under {len(header)} columns"))
        elif any(cell.strip() for cell in cells):
            try:
                rows.append(Row(line, _record(header, cells)))
            except ValueError as error:
                faults.append(Fault(line, str(error)))
    return rows, faults


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


def _record(header: list[str], cells: list[str]) -> dict[str, Any]:
    """The cells under their names; an empty cell of a list, object, number or id is one that is not there."""
    found: dict[str, Any] = {}
    for name, cell in zip(header, cells, strict=False):
        if not name or (not cell.strip() and name in (*_LISTS, *_OBJECTS, *_NUMBERS, "id", "context")):
            continue
        found[name] = _value(name, cell)
    return found


def _value(name: str, cell: str) -> Any:
    if name in _NUMBERS:
        try:
            return float(cell)
        except ValueError:
            raise ValueError(f"{name} must be a number, got {cell!r:.80}") from None
    looks_like = cell.lstrip()[:1]
    if name in _OBJECTS and looks_like in ("{", "["):
        return _parsed(name, cell)
    if name in _LISTS:
        return _parsed(name, cell) if looks_like == "[" else [cell]
    return _parsed(name, cell) if name == "context" and looks_like == "[" else cell


def _parsed(name: str, cell: str) -> Any:
    """A list or an object as JSON, or as Python writes one, which is what pandas puts into a cell."""
    try:
        return json.loads(cell)
    except RecursionError:
        raise ValueError(f"{name} is nested too deeply") from None
    except ValueError as error:
        why = str(error)
    try:
        if len(cell) <= _LONGEST_LITERAL:
            return ast.literal_eval(cell.strip())  # constants, lists and dictionaries; runs nothing
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        pass
    raise ValueError(f"{name} is no JSON list or object ({why}): {cell!r:.80}")
