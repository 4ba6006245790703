"""Bytes become documents, format by format."""

from __future__ import annotations

import json
from pathlib import Path
from typing import ClassVar

import pytest

from genaiops.documents import LOADERS, Limits
from genaiops.documents.parsers.html_text import read_page
from genaiops.errors import DocumentError
from tests.contracts.loader_contract import LoaderContract
from tests.documents.shared_loaders import load


def pdf(*pages: str, info: str = "") -> bytes:
    """A small PDF with one line of text on each page."""
    kids = " ".join(f"{4 + 2 * n} 0 R" for n in range(len(pages)))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for n, text in enumerate(pages):
        stream = f"BT /F1 12 Tf 72 700 Td ({text}) Tj ET" if text else ""
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {5 + 2 * n} 0 R "
            "/Resources << /Font << /F1 3 0 R >> >> >>"
        )
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
    objects.append(f"<< {info} >>")
    content = b"%PDF-1.4\n"
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(content))
        content += f"{number} 0 obj\n{body}\nendobj\n".encode()
    table = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    start = len(content)
    size = len(objects) + 1
    content += f"xref\n0 {size}\n0000000000 65535 f \n{table}".encode()
    content += f"trailer << /Size {size} /Root 1 0 R /Info {size - 1} 0 R >>\nstartxref\n{start}\n%%EOF\n".encode()
    return content


def text_of(suffix: str, content: bytes | str) -> str:
    [document] = load(suffix, content).documents
    return document.text


def reason_of(suffix: str, content: bytes | str, limits: Limits | None = None) -> str:
    with pytest.raises(DocumentError) as caught:
        load(suffix, content, limits)
    return str(caught.value)


class TestTextLoader(LoaderContract):
    suffix: ClassVar[str] = ".txt"
    good: ClassVar[bytes] = b"\xef\xbb\xbfOne.\r\nTwo.\rThree."
    bad: ClassVar[bytes] = b"caf\xe9"


class TestMarkdownLoader(LoaderContract):
    suffix: ClassVar[str] = ".md"
    good: ClassVar[bytes] = b"---\ntitle: A\nday: 2024-05-01\n---\n# Head\r\n\r\ntext"
    bad: ClassVar[bytes] = b"---\ntitle: [\n---\ntext"


class TestHtmlLoader(LoaderContract):
    suffix: ClassVar[str] = ".html"
    good: ClassVar[bytes] = b"<title>T</title><h1>Head</h1>\r\n<p>text"
    bad: ClassVar[bytes] = b"<script>only()</script>"


class TestPdfLoader(LoaderContract):
    suffix: ClassVar[str] = ".pdf"
    good: ClassVar[bytes] = pdf("One page.", "Another.")
    bad: ClassVar[bytes] = b"%PDF-1.4 and nothing else"


class TestCsvLoader(LoaderContract):
    suffix: ClassVar[str] = ".csv"
    good: ClassVar[bytes] = b"name,price\r\nTea,3\r\n"
    bad: ClassVar[bytes] = b"name,price\nTea,3,4\n"


class TestJsonLinesLoader(LoaderContract):
    suffix: ClassVar[str] = ".jsonl"
    good: ClassVar[bytes] = b'{"text": "One\\r\\ntwo", "n": 1}\r\n{"id": 7, "content": "Two"}'
    bad: ClassVar[bytes] = b'{"text": "caf\xe9"}'


def test_every_known_suffix_has_a_loader() -> None:
    text = {".md", ".markdown", ".txt", ".html", ".htm", ".csv", ".json", ".jsonl", ".eml"}
    assert set(LOADERS) == text | {".pdf", ".docx", ".pptx", ".xlsx"}


# --- text ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"abc\xff", "not UTF-8 (byte 0xff at offset 3)"),
        (b"\xef\xbb\xbfab\xff", "not UTF-8 (byte 0xff at offset 5)"),
        (b"\xef\xbb\xbf", "is empty"),
        (b" \n\t ", "is empty"),
        (b"PK\x03\x04\x00", "is binary, not text (NUL byte at offset 4)"),
        ("text".encode("utf-16"), "is UTF-16 text"),
    ],
)
def test_what_is_no_utf8_text_is_refused_with_the_place(content: bytes, reason: str) -> None:
    assert reason in reason_of(".txt", content)


def test_a_byte_order_mark_is_dropped_and_line_ends_become_line_feeds() -> None:
    assert text_of(".txt", b"\xef\xbb\xbfa\r\nb\rc\n") == "a\nb\nc\n"


# --- Markdown -----------------------------------------------------------------


def test_front_matter_becomes_metadata_and_the_rest_is_the_text_exactly() -> None:
    [document] = load(".md", "---\ntitle: 'A: guide'\n---\n\n# H  \n\n body\n").documents
    assert document.metadata == {"title": "A: guide"}
    assert document.text == "\n# H  \n\n body\n"


def test_front_matter_values_are_json() -> None:
    source = "---\nday: 2024-05-01\nn: 3\nx: 1.5\non_: null\ntags: [a, b]\n2: two\n---\ntext"
    [document] = load(".md", source).documents
    assert document.metadata == {"day": "2024-05-01", "n": 3, "x": 1.5, "on_": None, "tags": ["a", "b"], "2": "two"}


@pytest.mark.parametrize(
    ("front", "reason"),
    [
        ("title: a\n  bad: [", "f:3: front matter is not valid YAML"),
        ("title: a\ntitle: b", "f:3: front matter is not valid YAML: key 'title' is given twice"),
        ("- a\n- b", "f:2: front matter is not valid YAML: expected keys and values"),
        ("a: &x [1]\nb: *x", "aliases are not read here"),
        ("a: .nan", "nan is not a finite number"),
        ("a: !!python/object/apply:os.system ['true']", "could not determine a constructor"),
        ('a: "\\uD800"', "front matter is not valid YAML"),
        ("a: " + "[" * 5000, "front matter is not valid YAML"),
    ],
)
def test_malformed_front_matter_is_an_error_with_its_line(front: str, reason: str) -> None:
    assert reason in reason_of(".md", f"---\n{front}\n---\ntext")


def test_front_matter_that_never_ends_is_an_error() -> None:
    assert "f:1: front matter has no closing line" in reason_of(".md", "---\ntitle: a\n\ntext")


def test_a_rule_on_the_first_line_is_no_front_matter() -> None:
    assert text_of(".md", "---\nJust text: nothing else\nafter a rule") == "---\nJust text: nothing else\nafter a rule"
    assert "but for its front matter" in reason_of(".md", "---\ntitle: a\n---\n")


# --- HTML ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("<h1>A <b>b</b></h1><h3>C</h3>t", "# A b\n\n### C\n\nt"),
        ("<p>one<br>two</p><p>a <a href='https://x.y/z'>link</a>", "one\ntwo\n\na link"),
        ("a<script>x</script><style>y</style><!-- c -->b<noscript>n</noscript><template>t</template>", "ab"),
        ("a<p hidden>b</p><i style='color:red; DISPLAY : none'>c</i><i aria-hidden='true'>d</i>", "a"),
        ("<ul><li>a<li>b<ol><li>c</li><li>d</li></ol></ul>e", "- a\n- b\n  1. c\n  2. d\n\ne"),
        ("<table><tr><th>A<th>B</tr><tr><td>1|<td>2<br>3</table>", "| A | B |\n| --- | --- |\n| 1\\| | 2 3 |"),
        ("<table><tr><td>1<td>2<tr><td>3</table>after", "| 1 | 2 |\n| 3 |\n\nafter"),
        ("<table><tr><td><h2>Layout</h2><p>text</td></tr></table>", "## Layout\n\ntext"),
        ("<pre>a\n  b</pre>", "```\na\n  b\n```"),
        ("<p>&lt;b&gt; &amp; &#233; &nbsp; x", "<b> & é x"),
        ("<title>only a title</title>", ""),
    ],
)
def test_html_becomes_the_visible_text_as_markdown(source: str, text: str) -> None:
    assert read_page(source).text == text


def test_the_title_of_a_page_is_metadata() -> None:
    [document] = load(".html", "<title> A\n page </title><p>text").documents
    assert (document.metadata, document.text) == ({"title": "A page"}, "text\n")


def test_deep_nesting_is_no_stack_overflow() -> None:
    assert text_of(".htm", "<div>" * 20_000 + "deep") == "deep\n"


# --- PDF ----------------------------------------------------------------------


def test_pages_are_parted_by_form_feeds() -> None:
    [document] = load(".pdf", pdf("First page.", "Second page.", info="/Title (The title)")).documents
    assert document.text == "First page.\fSecond page."
    assert document.metadata == {"pages": 2, "title": "The title"}


def test_a_pdf_without_text_says_so() -> None:
    assert "holds no text on 2 page(s)" in reason_of(".pdf", pdf("", ""))


def test_an_encrypted_pdf_says_so(tmp_path: Path) -> None:
    from pypdf import PdfReader, PdfWriter

    plain = tmp_path / "plain.pdf"
    plain.write_bytes(pdf("Secret."))
    for password, outcome in (("word", None), ("", "Secret.")):
        writer = PdfWriter(clone_from=PdfReader(plain))
        writer.encrypt(password, owner_password="owner", algorithm="AES-256")
        locked = tmp_path / "locked.pdf"
        writer.write(locked)
        if outcome is None:
            assert "is encrypted" in reason_of(".pdf", locked.read_bytes())
        else:
            assert text_of(".pdf", locked.read_bytes()) == outcome


# --- CSV ----------------------------------------------------------------------


def test_each_row_is_a_paragraph_of_columns_and_values() -> None:
    [document] = load(".csv", 'name, price ,\n"Tea, green",3,x\n\n"two\nlines",,\n').documents
    assert document.text == "name: Tea, green\nprice: 3\ncolumn 3: x\n\nname: two lines\n"
    assert document.metadata == {"columns": ["name", "price", "column 3"]}


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_the_one_of_the_header(delimiter: str) -> None:
    rows = [["a", "b", '"c,;|d"'], ["1", "2", "3"]]
    assert text_of(".csv", "\n".join(delimiter.join(row) for row in rows)) == "a: 1\nb: 2\nc,;|d: 3\n"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("a,b\n1,2\n1,2,3\n", "f:3: row has 3 cells, the header has 2"),
        ("a,b\n1\n", "f:2: row has 1 cells"),
        ('a,b\n1,"2\n', "f:2: not valid CSV"),
        ("a,b\n", "has a header but no rows"),
        ("a,b\n" + "," * 1_000_001, "has a line of more than 1,000,000 characters"),
    ],
)
def test_a_broken_table_is_refused_with_the_line(source: str, reason: str) -> None:
    assert reason in reason_of(".csv", source)


# --- JSONL --------------------------------------------------------------------


def test_each_line_is_a_document_with_its_key_as_id() -> None:
    rows = [
        {"_id": "x", "title": "T", "text": "one", "lang": "en"},
        {"doc_id": 5, "body": "two"},
        {"content": "three\u2028more"},
        {"id": "t", "title": "Only a title", "text": ""},
    ]
    corpus = load(".jsonl", "\n".join(json.dumps(row, ensure_ascii=False) for row in rows))
    assert [(d.id, d.text, d.metadata) for d in corpus.documents] == [
        ("f#x", "T\n\none", {"title": "T", "lang": "en"}),
        ("f#5", "two", {}),
        ("f#3", "three\u2028more", {}),
        ("f#t", "Only a title", {"title": "Only a title"}),
    ]
    assert corpus.quarantined == ()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{broken", "line 2: not valid JSON: Expecting property name"),
        ("[1]", "line 2: expected an object, got list"),
        ('{"id": "a", "text": "again"}', "line 2: id 'f#a' was already given by line 1"),
        ('{"id": "b"}', "line 2: no text: none of text, content, body is given"),
        ('{"text": 3}', "line 2: text must be a string, got int"),
        ('{"text": " "}', "line 2: text is empty"),
        ('{"id": true, "text": "t"}', "line 2: id must be a string or a whole number, got bool"),
        ('{"id": "a\\nb", "text": "t"}', "line 2: id must be 1 to 512 printable characters"),
        ('{"text": "t", "n": NaN}', "line 2: NaN is not JSON"),
        ('{"text": "t", "n": 1e999}', "line 2: inf is not a finite number"),
        ('{"text": "\\ud800"}', "line 2: not valid JSON: half of a surrogate pair"),
        ("[" * 100_000, "line 2: not valid JSON: nested too deeply"),
    ],
)
def test_a_broken_line_is_quarantined_alone(line: str, reason: str) -> None:
    corpus = load(".jsonl", f'{{"id": "a", "text": "one"}}\n{line}\n{{"text": "three"}}\n')
    assert [d.id for d in corpus.documents] == ["f#a", "f#3"]
    [quarantined] = corpus.quarantined
    assert quarantined.document_id == "f"
    assert quarantined.reason.startswith(reason)
