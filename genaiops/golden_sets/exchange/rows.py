"""Rows of other people's files: JSON lines, JSON, CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from genaiops.errors import GoldenSetError
from genaiops.golden_sets.json_lines import HALF_A_PAIR, all_faults, read_each, strict_json, text_of
from genaiops.golden_sets.tables import guarded, is_table, read_table, written_out

_FILE = "file to import"
_LISTS = ("goldens", "examples", "tests", "data", "rows", "samples", "records")  # keys that hold the rows of an object


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a `.jsonl`, `.json`, `.csv` or `.tsv` file; a JSON object is searched for the list of its rows.

    Raises NotFound, and GoldenSetError for a file that is none of these, with file and line where one is to blame.
    """
    if path.suffix.lower() == ".json":
        return _rows_in(_read_json(path), path)
    if not is_table(path):
        return read_each(path, _FILE, GoldenSetError, dict)
    rows, faults = read_table(path, _FILE)
    if faults:
        raise all_faults(GoldenSetError, path, faults)
    return [row.data for row in rows]


def _read_json(path: Path) -> Any:
    """A whole JSON file, as strictly as a line of `.jsonl`."""
    text, faults = text_of(path, _FILE)
    if faults:
        raise all_faults(GoldenSetError, path, faults)
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


def write_csv(columns: Iterable[str], rows: Iterable[Mapping[str, str]]) -> str:
    """Rows as CSV; a cell that a spreadsheet would run gets an apostrophe before it, which reading takes off again."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, list(columns), lineterminator="\n")
    writer.writeheader()
    writer.writerows([{name: guarded(cell) for name, cell in row.items()} for row in rows])
    return stream.getvalue()


def texts_in(value: Any) -> list[str]:
    """A cell that holds one text, a list of texts, or a list written out as JSON or as Python writes it."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        with suppress(ValueError):
            value = written_out(value)
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
