"""The text of a PDF file, page by page. Runs in a child process."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from pypdf import PageObject, PdfReader
from pypdf.errors import PdfReadError

PAGE_BREAK = "\f"
_BOLD = re.compile(r"bold|black|heavy", re.IGNORECASE)
Piece = tuple[str, float, bool]  # text, its size in points as printed (0: unknown), whether it is bold
Mark = Callable[[list[list[Piece]]], list[str]]  # the pieces of each page → its text


class Refused(Exception):
    """A file that cannot become text, with the reason for its reader."""


class PdfText(NamedTuple):
    text: str
    metadata: dict[str, str | int]


def read_pdf(content: bytes, max_characters: int, mark: Mark) -> PdfText:
    """Pages joined by form feeds, with the headings that `mark` finds; Refused when there is nothing to read."""
    try:
        reader = PdfReader(io.BytesIO(content))
        if reader.is_encrypted and not reader.decrypt(""):
            raise Refused("is encrypted; remove its password")
        pages = mark(_pages(reader, max_characters))
        details = reader.metadata
    except PdfReadError as error:
        raise Refused(f"not a readable PDF: {error}") from None
    text = PAGE_BREAK.join(pages)
    if not text.strip():
        raise Refused(f"holds no text on {len(pages)} page(s), only images perhaps; run text recognition (OCR) first")
    metadata: dict[str, str | int] = {"pages": len(pages)}
    for name in ("title", "author"):
        value = getattr(details, name, None)
        if isinstance(value, str) and value.strip():
            metadata[name] = _clean(value).strip()
    return PdfText(text, metadata)


def _pages(reader: PdfReader, max_characters: int) -> list[list[Piece]]:
    pages: list[list[Piece]] = []
    total = 0
    for page in reader.pages:
        pages.append(_pieces(page))
        total += sum(len(text) for text, _, _ in pages[-1])
        if total > max_characters:
            raise Refused(f"its text is longer than {max_characters:,} characters")
    return pages


def _pieces(page: PageObject) -> list[Piece]:
    """The text of a page in the order of its content, in stretches whose letters look alike."""
    found: list[tuple[list[str], float, bool]] = []

    def see(text: str, matrix: list[float], text_matrix: list[float], font: dict[str, Any] | None, size: float) -> None:
        printed = round(2 * size * math.hypot(*text_matrix[2:4]) * math.hypot(*matrix[2:4])) / 2
        bold = font is not None and _BOLD.search(str(font.get("/BaseFont", ""))) is not None
        if not found or found[-1][1:] != (printed, bold):
            found.append(([], printed, bold))
        found[-1][0].append(text)

    whole = page.extract_text(visitor_text=see)
    pieces = [("".join(parts), size, bold) for parts, size, bold in found]
    if "".join(text for text, _, _ in pieces) != whole:
        return [(_clean(whole), 0.0, False)]
    return [(_clean(text), size, bold) for text, size, bold in pieces if text]


def _clean(text: str) -> str:
    """Fonts with broken tables yield NULs and halves of surrogate pairs; a page has no page break in it."""
    text = text.replace("\0", "").replace("\r\n", "\n").replace("\r", "\n").replace(PAGE_BREAK, "\n")
    return text.encode("utf-8", "replace").decode()
