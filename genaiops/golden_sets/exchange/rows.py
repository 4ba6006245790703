"""Rows of other people's files: JSON lines, JSON, CSV."""

from __future__ import annotations

import ast
import csv
import io
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from genaiops.errors import GoldenSetError, NotFound
from genaiops.golden_sets.json_lines import HALF_A_PAIR, all_faults, read_json_lines, strict_json

MAX_BYTES = 200_000_000
_LISTS = ("goldens", "examples", "tests", "data", "rows", "samples", "records")  # keys that hold the rows of an object
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet runs a cell that begins so


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a `.jsonl`, `.json` or `.csv` file; a JSON object is searched for the list of its rows.

    Raises NotFound, and GoldenSetError for a file that is none of these, with file and line where one is to blame.
    """
    if path.suffix.lower() == ".csv":
        return _read_csv(path)
    if path.suffix.lower() == ".json":
        return _rows_in(read_json(path), path)
    rows, faults = read_json_lines(path, "file to import")
    if faults:
        raise all_faults(GoldenSetError, path, faults)
    return [row.data for row in rows]


def read_json(path: Path) -> Any:
    """A whole JSON file, as strictly as a line of `.jsonl`. Raises as `read_rows`."""
    text = _text(path)
    try:
        return strict_json(text)
    except UnicodeEncodeError:
        raise GoldenSetError(HALF_A_PAIR, where=path) from None
    except (ValueError, RecursionError) as error:
        raise GoldenSetError(f"not valid JSON: {error}", where=path) from None


def _rows_in(value: Any, path: Path) -> list[dict[str, Any]]:
    if isinstance(value, Mapping):
        value = next((value[key] for key in _LISTS if isinstance(value.get(key), list)), [value])
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise GoldenSetError("expected a list of objects", where=path)
    return value


def _read_csv(path: Path) -> list[dict[str, Any]]:
    text = _text(path)
    before = csv.field_size_limit(MAX_BYTES)
    try:
        reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        rows = list(reader)
        columns = reader.fieldnames or []
    except csv.Error as error:
        raise GoldenSetError(f"not valid CSV: {error}", where=path) from None
    finally:
        csv.field_size_limit(before)
    if len(set(columns)) != len(columns):
        raise GoldenSetError("two columns have the same name", where=path)
    for number, row in enumerate(rows, start=2):
        if None in row or None in row.values():
            raise GoldenSetError(f"expected {len(columns)} cells", where=path, line=number)
    return [{name: _without_guard(cell) for name, cell in row.items()} for row in rows]


def write_csv(columns: Iterable[str], rows: Iterable[Mapping[str, str]]) -> str:
    """Rows as CSV; a cell that a spreadsheet would run gets an apostrophe before it, which reading takes off again."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, list(columns), lineterminator="\n")
    writer.writeheader()
    writer.writerows([{name: _with_guard(cell) for name, cell in row.items()} for row in rows])
    return stream.getvalue()


def _with_guard(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) or _is_guarded(cell) else cell


def _without_guard(cell: str) -> str:
    return cell[1:] if _is_guarded(cell) else cell


def _is_guarded(cell: str) -> bool:
    return cell.startswith("'") and cell.lstrip("'").startswith(_FORMULA)


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise GoldenSetError(f"the file is larger than {MAX_BYTES:,} bytes", where=path)
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise GoldenSetError(f"not UTF-8: {error.reason} at byte {error.start + 1}", where=path) from None
    except OSError as error:
        raise NotFound(f"the file cannot be read: {error.strerror}", where=path, remedy="check the path") from None


def texts_in(value: Any) -> list[str]:
    """A cell that holds one text, a list of texts, or a list written out as JSON or as Python writes it."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        for read in (json.loads, ast.literal_eval):
            try:
                found = read(value)
            except (ValueError, SyntaxError, RecursionError, MemoryError):
                continue
            if isinstance(found, list):
                value = found
                break
    if isinstance(value, (list, tuple)):
        return [text for item in value if (text := text_in(item))]
    return [text] if (text := text_in(value)) else []


def text_in(value: Any) -> str:
    """A value as text: itself, the text of an object that has one, or its JSON; "" for nothing."""
    if value is None or (isinstance(value, (str, list, dict)) and not value):
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, Mapping):
        for key in ("content", "text", "page_content", "value"):
            if isinstance(value.get(key), str):
                return str(value[key]).strip()
    # YAML knows dates and the like, JSON does not.
    return json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, (dict, list)) else str(value)
