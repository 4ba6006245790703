"""The text of a PDF file, page by page. Runs in a child process."""

from __future__ import annotations

import io
from typing import NamedTuple

from pypdf import PdfReader
from pypdf.errors import PdfReadError

PAGE_BREAK = "\f"


class Refused(Exception):
    """A file that cannot become text, with the reason for its reader."""


class PdfText(NamedTuple):
    text: str
    metadata: dict[str, str | int]


def read_pdf(content: bytes, max_characters: int) -> PdfText:
    """Pages joined by form feeds; Refused when there is nothing to read."""
    try:
        reader = PdfReader(io.BytesIO(content))
        if reader.is_encrypted and not reader.decrypt(""):
            raise Refused("is encrypted; remove its password")
        pages = _pages(reader, max_characters)
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


def _pages(reader: PdfReader, max_characters: int) -> list[str]:
    pages: list[str] = []
    total = 0
    for page in reader.pages:
        pages.append(_clean(page.extract_text()))
        total += len(pages[-1])
        if total > max_characters:
            raise Refused(f"its text is longer than {max_characters:,} characters")
    return pages


def _clean(text: str) -> str:
    """Fonts with broken tables yield NULs and halves of surrogate pairs; a page has no page break in it."""
    text = text.replace("\0", "").replace("\r\n", "\n").replace("\r", "\n").replace(PAGE_BREAK, "\n")
    return text.encode("utf-8", "replace").decode()
