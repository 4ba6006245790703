"""Headings of PDF files become headings of their text; lines of a paragraph stay together."""

from __future__ import annotations

import pytest

from genaiops.documents.parsers.pdf_headings import Piece, marked
from genaiops.sentences import sentences
from tests.documents.shared_loaders import load

BODY = 11.0
Row = tuple[str, float, bool]
FILL: list[Row] = [
    ("An item can be returned within 30 days of its delivery, and nobody has to", BODY, False),
    ("say why. The day of delivery does not count.", BODY, False),
]


def pdf(*pages: list[Row]) -> bytes:
    """A PDF whose pages have these lines, each in its size, in Helvetica or Helvetica-Bold."""
    kids = " ".join(f"{5 + 2 * n} 0 R" for n in range(len(pages)))
    bodies = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold >>",
    ]
    for number, page in enumerate(pages):
        bodies.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {6 + 2 * number} 0 R "
            "/Resources << /Font << /F1 3 0 R /F2 4 0 R >> >> >>"
        )
        shown = "".join(
            f"BT /F{1 + bold} {size} Tf 72 {740 - 20 * n} Td ({text}) Tj ET\n"
            for n, (text, size, bold) in enumerate(page)
        )
        bodies.append(f"<< /Length {len(shown)} >>\nstream\n{shown}\nendstream")
    content, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(bodies, 1):
        offsets.append(len(content))
        content += f"{number} 0 obj\n{body}\nendobj\n".encode()
    table = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    start, size = len(content), len(bodies) + 1
    content += f"xref\n0 {size}\n0000000000 65535 f \n{table}".encode()
    return content + f"trailer << /Size {size} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n".encode()


def text_of(*pages: list[Row]) -> str:
    [document] = load(".pdf", pdf(*pages)).documents
    return document.text


def test_a_larger_line_becomes_a_heading_and_runs_into_no_sentence() -> None:
    text = text_of([("Returns and refunds", 20, True), *FILL, ("What it costs", 14, False), *FILL])
    assert text == (
        "# Returns and refunds\n\n" + "\n".join(line for line, *_ in FILL) + "\n\n"
        "## What it costs\n\n" + "\n".join(line for line, *_ in FILL)
    )
    assert [(text[s.start : s.end], s.kind) for s in sentences(text)][:2] == [
        ("Returns and refunds", "heading"),
        ("An item can be returned within 30 days of its delivery, and nobody has to\nsay why.", "prose"),
    ]


def test_a_bold_line_of_the_bodys_size_above_plain_text_is_a_heading_and_a_wrapped_one_is_one_line() -> None:
    text = text_of([*FILL, ("Functions", 14, False), ("iOpen, iClose", 13, False), *FILL])
    assert "count.\n\n# Functions\n\n## iOpen, iClose\n\nAn item" in text
    text = text_of([*FILL, ("Who pays", BODY, True), *FILL], [("How long it takes, and why it", 16, True),
                    ("takes so long", 16, True), *FILL])  # fmt: skip
    assert "count.\n\n## Who pays\n\nAn item" in text
    assert "\f# How long it takes, and why it takes so long\n\nAn item" in text


LONG = "Large words of a long introduction that nobody takes for a heading"


@pytest.mark.parametrize(
    "page",
    [
        FILL * 3,  # one look
        [FILL[0], ("a line of bold words that wraps", BODY, True), *FILL],  # within a paragraph
        [*FILL, ("A warning in bold. It is long and ends.", BODY, True), *FILL],  # a sentence
        [*FILL, ("Important: all in bold", BODY, True)],  # nothing below it
        [*FILL, *[(f"Bold paragraph, line {n}", BODY, True) for n in range(4)], *FILL],
        [*[(LONG, 16, False)] * 4, *FILL * 6],  # a large paragraph
        [("Large words that go on,", 16, False), *FILL * 2],
        [("Large words", 16, False), ("that go on in small letters.", BODY, False), *FILL * 2],
        [("3 Utilities . . . . . . . . 5", 16, False), *FILL],  # a table of contents
        [("12", 20, True), *FILL],  # a number of a page
        [("T", 30, False), *FILL],  # a large initial
        [(f"{text} {n}", 9 + n % 5 * 1.5, False) for n, (text, *_) in enumerate(FILL * 6)],  # letters of a scan
    ],
)
def test_lines_that_are_no_heading_stay_as_they_are(page: list[Row]) -> None:
    assert text_of(page) == "\n".join(text for text, *_ in page)


def test_no_word_is_changed_and_letters_of_an_unknown_size_are_left_alone() -> None:
    page = [("Returns  and refunds", 20, True), *FILL, ("Costs", 14, True), *FILL]
    words = text_of(page).replace("#", "").split()
    assert words == " ".join(text for text, *_ in page).split()
    unknown: list[list[Piece]] = [[("Heading\nText below it.", 0.0, False)], []]
    assert marked(unknown) == ["Heading\nText below it.", ""]
    assert marked([[("A run", 20.0, True), (" of words\n", BODY, False), ("Text below it.", BODY, False)]]) == [
        "A run of words\nText below it."
    ]
