"""Files made to break their parser cost what the limits say, end in quarantine, and leave their neighbours alone."""

from __future__ import annotations

import io
import random
import resource
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from genaiops.configuration import validated_data
from genaiops.documents import DocumentSettings, read_documents
from tests.documents.office_files import docx, paragraph, pptx, xlsx, zipped
from tests.documents.test_loaders import pdf
from tests.documents.test_office_and_mail import message
from tests.faults.build_children import LONG

SECRET = "a line of a private file"
TIMEOUT_S = 4.0
LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))  # l11: 10^11 copies of l0
BILLION = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "lol">{LAUGHS}]>'


def zeros() -> bytes:
    return b"0" * 200_000_000


def entity(private: Path) -> str:
    return f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l11 SYSTEM "{private.as_uri()}">]>'


SHEETS = xlsx({"a": [["b", "c"]]})
SLIDES = pptx(("a", "b"))
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
SHEET = "xl/worksheets/sheet1.xml"


def cell(text: str, place: str = "A1", size: str = "") -> str:
    """A sheet of one cell."""
    row = f'<row r="{place.lstrip("AXFD")}"><c r="{place}" t="inlineStr"><is><t>{text}</t></is></c></row>'
    return f'<worksheet xmlns="{MAIN}">{size}<sheetData>{row}</sheetData></worksheet>'


FAR = cell("far", "XFD1048576", '<dimension ref="A1:XFD1048576"/>').encode()
OUTLINE = (
    b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 1 0 R /Kids [1 0 R] /Count 1000000 >>\nendobj\n"
    b"trailer << /Root 1 0 R >>"
)

# Name → the content, given a private file that an external entity could show.
BOMBS: dict[str, Callable[[Path], bytes]] = {
    "zeros.docx": lambda _: docx(paragraph("x"), parts={"word/document.xml": b"<w:document>" + zeros()}),
    "zeros.pptx": lambda _: replaced(SLIDES, "ppt/presentation.xml", zeros()),
    "zeros.xlsx": lambda _: replaced(SHEETS, SHEET, zeros()),
    "laughing.docx": lambda _: docx(paragraph("x").replace(">x<", ">&l11;<"), head=BILLION),
    "laughing.pptx": lambda _: replaced(SLIDES, "ppt/slides/slide1.xml", f"{BILLION}<x>&l11;</x>".encode()),
    "laughing.xlsx": lambda _: replaced(SHEETS, SHEET, f"{BILLION}{cell('&l11;')}".encode()),
    "reading.docx": lambda path: docx(paragraph("x").replace(">x<", ">&l11;<"), head=entity(path)),
    "reading.pptx": lambda path: replaced(SLIDES, "docProps/core.xml", f"{entity(path)}<x>&l11;</x>".encode()),
    "reading.xlsx": lambda path: replaced(SHEETS, SHEET, f"{entity(path)}{cell('&l11;')}".encode()),
    "claims.docx": lambda _: lying_zip(),
    "deep.docx": lambda _: docx("<w:p>" * 100_000),
    "million.xlsx": lambda _: replaced(SHEETS, SHEET, sheet(1_000_000)),
    "far.xlsx": lambda _: replaced(SHEETS, SHEET, FAR),
    "parts.eml": lambda _: b"Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\n" * 3_000_000,
    "nested.eml": lambda _: nested_mail(20_000),
    "address.eml": lambda _: b"From: " + b"(" * 200_000 + b"\nTo: " + b"<a@b>," * 300_000 + b"\n\n",
    "page.eml": lambda _: message_of_page(b"<b><p>" * 40_000 + b"x</b>" * 40_000),
    "quadratic.html": lambda _: b"<b><p>" * 40_000 + b"x</b>" * 40_000,
    "forms.html": lambda _: b"<form><nav>" * 60_000 + b"<p hidden>",
    "outline.pdf": lambda _: OUTLINE,
    "brackets.json": lambda _: b'{"text": ' + b"[" * 5_000_000,
    "brackets.jsonl": lambda _: b"[" * 5_000_000,
}


def replaced(archive: bytes, name: str, content: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(archive)) as source:
        files = {entry: source.read(entry) for entry in source.namelist()}
    return zipped({**files, name: content})


def lying_zip() -> bytes:
    """An entry that unpacks to far more than it says."""
    content = docx(paragraph("x"), parts={"word/document.xml": b"0" * 50_000_000})
    size = (50_000_000).to_bytes(4, "little")
    return content.replace(size, (1000).to_bytes(4, "little"))


def sheet(rows: int) -> bytes:
    row = b"<row><c><v>1</v></c><c><v>2</v></c></row>"
    return f'<worksheet xmlns="{MAIN}"><sheetData>'.encode() + row * rows + b"</sheetData></worksheet>"


def nested_mail(depth: int) -> bytes:
    head = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(depth))
    return b"Subject: x\n" + head


def message_of_page(page: bytes) -> bytes:
    mail = message()
    mail.set_content(page.decode(), subtype="html")
    return mail.as_bytes()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "~last.md").write_text("The last file.")
    (docs / "0first.docx").write_bytes(docx(paragraph("The first file.")))
    (tmp_path / "private.txt").write_text(SECRET)
    return docs


def read(folder: Path, timeout_s: float = TIMEOUT_S) -> tuple[dict[str, str], dict[str, str]]:
    """Texts and reasons by document."""
    chosen = {"sources": ["docs"], "parse_timeout_s": timeout_s}
    corpus = read_documents(validated_data(DocumentSettings, chosen, where=str), folder.parent)
    return {d.id: d.text for d in corpus.documents}, {q.document_id: q.reason for q in corpus.quarantined}


def peak_of_children() -> int:
    """MiB that the largest child of this process ever had in memory."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024


def own_peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


# Those that cost a second or less; the others are stopped by the time limit, or take long to be made.
QUICK = [
    "claims.docx", "far.xlsx", "laughing.docx", "laughing.pptx", "laughing.xlsx", "nested.eml",
    "outline.pdf", "reading.docx", "reading.pptx", "reading.xlsx",
]  # fmt: skip


@pytest.mark.parametrize("names", [[name] for name in sorted(BOMBS)] if LONG else [QUICK], ids=lambda names: names[0])
def test_bombs_are_quarantined_or_harmless_and_their_neighbours_are_read(names: list[str], folder: Path) -> None:
    for name in names:
        (folder / name).write_bytes(BOMBS[name](folder.parent / "private.txt"))
    began = time.monotonic()
    texts, reasons = read(folder)
    took = time.monotonic() - began
    assert took < (2 * TIMEOUT_S + 5) * len(names)
    assert {"0first.docx", "~last.md"} <= set(texts)
    assert all(name in texts or reasons[name] for name in names)
    assert SECRET not in str(texts)
    assert all(len(text) < 1_000_000 for text in texts.values())
    # A child counts what its parent held when it was forked, and other tests may have had larger ones.
    assert peak_of_children() <= max(600, own_peak())


# --- mutants -------------------------------------------------------------------


def mutants(seed: int) -> Iterator[tuple[str, bytes]]:
    """Files with bytes changed, cut out, doubled or moved, and with members of archives damaged."""
    random_of = random.Random(seed)
    originals = {
        "docx": docx(paragraph("Some text", "Heading1"), title="T"), "pptx": pptx(("a", "b")),
        "xlsx": xlsx({"a": [["b", "c"], [1, 2.5]]}), "eml": message().as_bytes(), "pdf": pdf("One.", "Two."),
        "html": b"<main><h1>a</h1><table><tr><td>b</table><pre>c</pre></main><nav>d</nav>",
        "json": b'[{"id": "a", "text": "b"}]', "csv": b"a,b\n1,2\n",
    }  # fmt: skip
    kinds = sorted(originals)
    while True:
        kind = random_of.choice(kinds)
        content = originals[kind]
        if kind in ("docx", "pptx", "xlsx") and random_of.random() < 0.8:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                name = random_of.choice(archive.namelist())
                content = replaced(content, name, changed(archive.read(name), random_of))
        else:
            content = changed(content, random_of)
        yield kind, content


def changed(content: bytes, random_of: random.Random) -> bytes:
    data = bytearray(content)
    for _ in range(random_of.randint(1, 8)):
        place = random_of.randrange(len(data) + 1)
        end = min(len(data), place + random_of.choice((1, 2, 8, 64, 512)))
        what = random_of.randrange(4)
        if what == 0:
            data[place:end] = random_of.randbytes(end - place)
        elif what == 1:
            del data[place:end]
        elif what == 2:
            data[place:place] = data[place:end] * random_of.choice((1, 3, 50))
        else:
            data[place:place] = random_of.choice((b"&l;", b"<x>", b"\0", b"\xff", b"]]>", b"%s" % (b"9" * 30)))
    return bytes(data)


@pytest.mark.parametrize("seed", range(100 if LONG else 1))
def test_mutants_become_documents_or_reasons_and_nothing_else(seed: int, folder: Path) -> None:
    made = [(f"m{number:04}.{kind}", content) for number, (kind, content) in zip(
        range(500 if LONG else 40), mutants(seed), strict=False)]  # fmt: skip
    for name, content in made:
        (folder / name).write_bytes(content)
    texts, reasons = read(folder, timeout_s=30)
    told = {name.partition("#")[0] for name in (*texts, *reasons)}
    assert told == {name for name, _ in made} | {"0first.docx", "~last.md"}
    assert not [reason for reason in reasons.values() if "took longer" in reason]
