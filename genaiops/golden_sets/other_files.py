"""What a file is that holds no rows: told in one sentence, with what to do about it."""

from __future__ import annotations

import codecs
import json
from pathlib import Path

from genaiops.errors import ConfigurationError
from genaiops.golden_sets.tables import is_table

_READ = "rows are read from JSON lines (one object a line, .jsonl) and tables with a header (.csv, .tsv)"
_DOCUMENT = "a file of rows holds questions with the answers to them; documents belong in an index (genaiops build)"
_PANDAS = "pandas.{read}('{name}').to_json('rows.jsonl', orient='records', lines=True)"
_UNPACK = "unpack it first"
# What a file starts with: what that is, and what to do.
_STARTS: tuple[tuple[bytes, str, str], ...] = (
    (b"%PDF-", "a PDF", _DOCUMENT),
    (b"{\\rtf", "an RTF document", _DOCUMENT),
    (b"\xd0\xcf\x11\xe0", "a file of old Microsoft Office", "save it as CSV"),
    (b"PAR1", "a Parquet file", f"convert it: {_PANDAS.replace('{read}', 'read_parquet')}"),
    (b"ARROW1", "an Arrow file", f"convert it: {_PANDAS.replace('{read}', 'read_feather')}"),
    (b"SQLite format 3\0", "an SQLite database", "export the table of answers as CSV"),
    (b"\x1f\x8b", "a gzip archive", _UNPACK),
    (b"BZh", "a bzip2 archive", _UNPACK),
    (b"\xfd7zXZ\0", "an xz archive", _UNPACK),
    (b"\x28\xb5\x2f\xfd", "a zstd archive", _UNPACK),
    (b"\x89PNG", "an image", ""),
    (b"\xff\xd8\xff", "an image", ""),
    (b"GIF8", "an image", ""),
    (b"\x80\x04\x95", "a Python pickle, which is never opened: it may run code", "write its rows as JSON lines"),
    (b"\x80\x05\x95", "a Python pickle, which is never opened: it may run code", "write its rows as JSON lines"),
    (codecs.BOM_UTF16_LE, "text in UTF-16", "save it as UTF-8"),
    (codecs.BOM_UTF16_BE, "text in UTF-16", "save it as UTF-8"),
)
_ZIP = b"PK\x03\x04"
_ZIPPED = {
    ".docx": ("a Word document", _DOCUMENT),
    ".pptx": ("a PowerPoint file", _DOCUMENT),
    ".odt": ("an OpenDocument text", _DOCUMENT),
    ".epub": ("an EPUB book", _DOCUMENT),
    ".xlsx": ("an Excel workbook", "save the sheet with the answers as CSV"),
    ".ods": ("an OpenDocument table", "save the sheet with the answers as CSV"),
}
_LOOKED_AT = 8192  # bytes


def refuse_other_files(path: Path) -> None:
    """ConfigurationError for a folder, and for a file that is neither JSON lines nor a table, whatever its name says.

    Nothing is said of a file that cannot be opened, or that begins as rows do: whoever reads it tells what is wrong.
    """
    if path.is_dir():
        raise _refused(path, "a folder", "name the file in it")
    try:
        with path.open("rb") as file:
            start = file.read(_LOOKED_AT)
    except OSError:
        return
    if (found := _binary(start, path)) or (found := _text(start, path)):
        raise _refused(path, *found)


def _refused(path: Path, what: str, remedy: str) -> ConfigurationError:
    return ConfigurationError(
        f"this is {what}, and no file of rows", where=path, remedy=f"{_READ}\n  {remedy}".rstrip()
    )


def _binary(start: bytes, path: Path) -> tuple[str, str] | None:
    if start.startswith(_ZIP):
        return _ZIPPED.get(path.suffix.lower(), ("a ZIP archive, as Office documents are", _UNPACK))
    for begins, what, remedy in _STARTS:
        if start.startswith(begins):
            return what, remedy.replace("{name}", path.name)
    return ("binary data", "") if b"\0" in start else None


def _text(start: bytes, path: Path) -> tuple[str, str] | None:
    """What text is that is no table by its name and whose first line is no JSON object."""
    head = start.removeprefix(codecs.BOM_UTF8).lstrip()
    first = head.split(b"\n", 1)[0].strip()
    if is_table(path) or not head or (head.startswith(b"{") and first != b"{"):
        return None
    if head.startswith(b"["):
        return "one JSON list", f"write an object a line: jq -c '.[]' {path.name} > rows.jsonl"
    if head.startswith(b"{"):
        return "JSON over several lines", f"write an object a line: jq -c . {path.name} > rows.jsonl"
    if head.startswith(b"<"):
        return "an HTML or XML file", ""
    if _is_json(first) or b"\n{" in head:
        return None  # one line of many is wrong; it is told with its number
    return "text that is not JSON", "a table is read by its name: call it .csv or .tsv" if b"," in first else ""


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True
