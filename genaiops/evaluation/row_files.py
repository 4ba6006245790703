"""Files of rows: JSON lines, or CSV with a header, where lists and objects stand as JSON in their cells."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from genaiops.golden_sets.json_lines import Fault, Row, read_json_lines
from genaiops.golden_sets.other_files import refuse_other_files
from genaiops.golden_sets.tables import is_table, read_table, written_out

_LISTS = ("contexts", "retrieved_contexts", "retrieval_context", "reference_contexts", "forbidden")
_OBJECTS = ("inputs", "outputs", "expectations", "reference_outputs", "probabilities")
_NUMBERS = ("latency_s", "input_tokens", "output_tokens", "cost_usd")


def read_records(path: Path) -> tuple[list[Row], list[Fault]]:
    """The rows of a file with their lines, and what is wrong with it. NotFound without the file.

    `.csv` and `.tsv` are tables, everything else is JSON lines; ConfigurationError for what is obviously neither.
    """
    what = "file of rows"
    refuse_other_files(path)
    if not is_table(path):
        return read_json_lines(path, what)
    rows, faults = read_table(path, what)
    found: list[Row] = []
    for row in rows:
        try:
            found.append(Row(row.line, _record(row.data)))
        except ValueError as error:
            faults.append(Fault(row.line, str(error)))
    return found, faults


def _record(cells: Mapping[str, str]) -> dict[str, Any]:
    """The cells under their names; an empty cell of a list, object, number or id is one that is not there."""
    found: dict[str, Any] = {}
    for name, cell in cells.items():
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
    try:
        return written_out(cell)
    except ValueError as error:
        raise ValueError(f"{name} is no JSON list or object ({error}): {cell!r:.80}") from None
