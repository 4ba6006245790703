"""The text of Office files, as Markdown. Runs in a child process; opens and fetches nothing.

Word and PowerPoint files go through markitdown. Excel files are read with openpyxl itself: through a data frame,
as markitdown does it, a whole number beside an empty cell becomes `3.0` and the empty cell `NaN`.
"""

from __future__ import annotations

import datetime
import io
import re
import sys
import zipfile
from collections.abc import Iterator
from types import ModuleType
from typing import Any, NamedTuple, cast
from xml.etree import ElementTree

PAGE_BREAK = "\f"
_UNPACKED = 10  # times the limit of a file's bytes: pictures pack badly, the XML of sheets well
_CORE = "docProps/core.xml"
_PROPERTIES = {
    "title": "{http://purl.org/dc/elements/1.1/}title",
    "author": "{http://purl.org/dc/elements/1.1/}creator",
}
_SLIDE = re.compile(r"\s*<!-- Slide number: \d+ -->\s*")
_PICTURE = re.compile(r"!\[([^\]\n]*)\]\([^)\n]*\)\n?")
_FILE_NAME = re.compile(r"\.\w{3,4}$")
_EMPTY_HEADER = re.compile(r"^\|(?: +\|)+\n(\|(?: --- \|)+)\n(\|.*)$", re.MULTILINE)
# What markitdown hands on to its Markdown writer: text as it stands, links by their text, no pictures.
_AS_IT_STANDS = {
    "escape_underscores": False, "escape_asterisks": False, "escape_misc": False, "strip": ["a", "img"],
}  # fmt: skip


class Refused(Exception):
    """A file that cannot become text, with the reason for its reader."""


class OfficeText(NamedTuple):
    text: str
    metadata: dict[str, Any]


def prepare(kind: str) -> None:
    """Import what reads this kind, before memory is limited. Raises ImportError."""
    if kind == "xlsx":
        import openpyxl  # noqa: F401
    else:
        # markitdown takes pandas for an extra that is not installed, and starts in half the time.
        sys.modules.setdefault("pandas", cast(ModuleType, None))
        import markitdown.converters  # noqa: F401


def read_office(content: bytes, kind: str, max_characters: int) -> OfficeText:
    """The text of a file of the kind `docx`, `pptx` or `xlsx`; Refused when there is nothing to read."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _check_size(archive, max_characters * _UNPACKED)
            metadata = _properties(archive)
    except zipfile.BadZipFile:
        encrypted = content.startswith(b"\xd0\xcf\x11\xe0")
        raise Refused(
            "is encrypted or of the format before 2007; save it without a password as ." + kind
            if encrypted
            else f"not a readable .{kind} file"
        ) from None
    if kind == "xlsx":
        text = _read_sheets(content, metadata, max_characters)
    else:
        text = _read_markdown(content, kind, metadata)
    return OfficeText(text.replace("\0", "").strip() + "\n" if text.strip() else "", metadata)


def _check_size(archive: zipfile.ZipFile, most: int) -> None:
    """Python unpacks no more of a member than its entry says, so the entries can be believed."""
    size = sum(entry.file_size for entry in archive.infolist())
    if size > most:
        raise Refused(f"unpacks to {size:,} bytes, more than {most:,}")


def _properties(archive: zipfile.ZipFile) -> dict[str, Any]:
    if _CORE not in archive.namelist():
        return {}
    try:
        root = ElementTree.fromstring(archive.read(_CORE))
    except ElementTree.ParseError:
        return {}
    found = {name: root.findtext(tag) for name, tag in _PROPERTIES.items()}
    return {name: " ".join(value.split()) for name, value in found.items() if value and value.strip()}


def _read_markdown(content: bytes, kind: str, metadata: dict[str, Any]) -> str:
    from markitdown import StreamInfo
    from markitdown.converters import DocxConverter, PptxConverter

    converters: dict[str, Any] = {"docx": DocxConverter, "pptx": PptxConverter}
    converter = converters[kind]()
    info = StreamInfo(extension=f".{kind}")
    text = converter.convert(io.BytesIO(content), info, **_AS_IT_STANDS).markdown
    text = _EMPTY_HEADER.sub(r"\2\n\1", _PICTURE.sub(_description, text.replace(PAGE_BREAK, "\n")))
    if kind == "pptx":
        slides = _SLIDE.split(text)[1:]
        metadata["slides"] = len(slides)
        text = PAGE_BREAK.join(slide.strip() for slide in slides)
        if not text.strip(PAGE_BREAK):
            return ""
    return re.sub(r"\n{3,}", "\n\n", text)


def _description(picture: re.Match[str]) -> str:
    """The text that stands for a picture: its description, where that is not the name of its file."""
    text = picture[1].strip()
    return "" if not text or _FILE_NAME.search(text) else f"{text}\n"


# --- sheets -------------------------------------------------------------------


def _read_sheets(content: bytes, metadata: dict[str, Any], max_characters: int) -> str:
    """Each sheet under its name, each row a paragraph of `column: value` lines, as in CSV files."""
    from openpyxl import load_workbook

    book = load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
    parts: list[str] = []
    total = 0
    for sheet in book.worksheets:
        sheet.reset_dimensions()  # what a file says of its size is not to be believed
        before = len(parts)
        for paragraph in _paragraphs(sheet.iter_rows(values_only=True)):
            if len(parts) == before:
                parts.append(f"## {sheet.title}")
            parts.append(paragraph)
            total += len(paragraph)
            if total > max_characters:
                raise Refused(f"its text is longer than {max_characters:,} characters")
    metadata["sheets"] = [sheet.title for sheet in book.worksheets]
    return "\n\n".join(parts)


def _paragraphs(rows: Iterator[tuple[Any, ...]]) -> Iterator[str]:
    """The first row of two cells or more names the columns; a lone cell above it is a title or remark."""
    columns: list[str] = []
    header_only = True
    for row in rows:
        cells = [_shown(cell) for cell in row]
        given = [cell for cell in cells if cell]
        if columns:
            names = [*columns, *[""] * (len(cells) - len(columns))]
            pairs = enumerate(zip(names, cells, strict=False), 1)
            paragraph = "\n".join(f"{name or f'column {number}'}: {cell}" for number, (name, cell) in pairs if cell)
            header_only = header_only and not paragraph
            if paragraph:
                yield paragraph
        elif len(given) > 1:
            columns = cells
        elif given:
            yield given[0]
    if columns and header_only:
        yield ", ".join(cell for cell in columns if cell)


def _shown(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, datetime.datetime):
        midnight = cell.time() == datetime.time()
        return cell.date().isoformat() if midnight else cell.isoformat(sep=" ", timespec="seconds")
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    return " ".join(str(cell).split())
