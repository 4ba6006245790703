"""genaiops score on what is no file of rows: one error that says what it seems to be, and what to do."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from pathlib import Path

import pytest

from tests.cli.commands import Run, write


def zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", "\n".join(f"<p>{n * 7919}</p>" for n in range(20_000)))
    return buffer.getvalue()


ROW = {"question": "Who?", "answer": "She."}


@pytest.mark.parametrize(
    ("name", "content", "what", "remedy"),
    [
        ("some.docx", zipped(), "a Word document", "genaiops build"),
        ("some.xlsx", zipped(), "an Excel workbook", "save the sheet with the answers as CSV"),
        ("rows.csv", zipped(), "a ZIP archive, as Office documents are", "unpack it first"),
        ("some.pdf", b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n" + b"1 0 obj\n" * 300, "a PDF", "genaiops build"),
        ("d.parquet", b"PAR1\x15\x04" * 40, "a Parquet file", "pandas.read_parquet('d.parquet').to_json("),
        ("rows.jsonl.gz", gzip.compress(b"x" * 99, mtime=0), "a gzip archive", "unpack it first"),
        ("rows.jsonl", json.dumps(ROW).encode("utf-16"), "text in UTF-16", "save it as UTF-8"),
        ("rows.bin", b"\x01\x00\x02\n" * 200, "binary data", "JSON lines"),
        ("rows.pkl", b"\x80\x04\x95\x10" + b"\n" * 200, "a Python pickle, which is never opened", "as JSON lines"),
        ("list.json", json.dumps([ROW] * 200, indent=1).encode(), "one JSON list", "jq -c '.[]' list.json"),
        ("one.json", json.dumps(ROW, indent=1).encode(), "JSON over several lines", "jq -c . one.json"),
        ("rows.txt", b"question,answer\nWho?,She.\n" * 200, "text that is not JSON", "call it .csv or .tsv"),
        ("page.html", b"<!doctype html>\n<p>\n" * 200, "an HTML or XML file", "JSON lines"),
    ],
    ids=lambda value: value if isinstance(value, str) else "content",
)
def test_what_is_no_file_of_rows_is_one_error_that_says_what_it_is(
    run: Run, here: Path, name: str, content: bytes, what: str, remedy: str
) -> None:
    Path(name).write_bytes(content)
    for arguments in ((name,), ("--url", "http://127.0.0.1:1/", "--questions", name)):
        told = run("score", *arguments)
        assert (told.code, told.out) == (2, "")
        assert told.err.startswith(f"error: {name}: this is {what}")
        assert "rows are read from JSON lines" in told.err and remedy in told.err
        assert len(told.err.splitlines()) <= 3


def test_a_folder_and_a_golden_set_are_no_rows_either(run: Run, here: Path) -> None:
    Path("set").mkdir()
    assert "set: this is a folder, and no file of rows" in run("score", "set").err
    write("set/golden.jsonl", *({"id": f"{n}", "question": f"{n}?"} for n in range(200)))
    told = run("score", "set")
    assert (told.code, "genaiops score --url ADDRESS --questions set" in told.err) == (2, True)
    told = run("score", "set/golden.jsonl")
    assert told.err == "error: set/golden.jsonl:1: answer is missing (in every row)\n"


def test_a_broken_line_among_rows_is_still_told_by_its_number(run: Run, here: Path) -> None:
    Path("rows.jsonl").write_text(f"# mine\n{json.dumps(ROW)}\n" + '{"question": NaN}\n')
    told = run("score", "rows.jsonl")
    assert (told.code, "rows.jsonl:1: not valid JSON" in told.err, "rows.jsonl:3: NaN" in told.err) == (2, True, True)
