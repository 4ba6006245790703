"""Word, PowerPoint, Excel, e-mail and JSON become text."""

from __future__ import annotations

import datetime
import json
from email.message import EmailMessage
from typing import Any, ClassVar

import pytest

from genaiops.documents import limited
from tests.contracts.loader_contract import LoaderContract
from tests.documents.office_files import docx, paragraph, pptx, table, xlsx, zipped
from tests.documents.shared_loaders import load
from tests.documents.test_loaders import reason_of, text_of


def message(**parts: Any) -> EmailMessage:
    mail = EmailMessage()
    mail["Subject"] = parts.get("subject", "Opening hours")
    mail["From"] = "Front Desk <desk@example.org>"
    mail["To"] = "all@example.org, Ann <ann@example.org>"
    mail["Date"] = "Mon, 01 Jan 2024 10:00:00 +0200"
    mail.set_content(parts.get("text", "We open at nine.\n"))
    return mail


class TestDocxLoader(LoaderContract):
    suffix: ClassVar[str] = ".docx"
    good: ClassVar[bytes] = docx(paragraph("Some text."))
    bad: ClassVar[bytes] = b"PK\x03\x04 and nothing else"


class TestPptxLoader(LoaderContract):
    suffix: ClassVar[str] = ".pptx"
    good: ClassVar[bytes] = pptx(("Title", "Text"))
    bad: ClassVar[bytes] = zipped({"a.txt": b"no slides"})


class TestXlsxLoader(LoaderContract):
    suffix: ClassVar[str] = ".xlsx"
    good: ClassVar[bytes] = xlsx({"Sheet": [["name", "price"], ["Tea", 3]]})
    bad: ClassVar[bytes] = b"\xd0\xcf\x11\xe0 an old or encrypted one"


class TestMailLoader(LoaderContract):
    suffix: ClassVar[str] = ".eml"
    good: ClassVar[bytes] = message().as_bytes()
    bad: ClassVar[bytes] = b"\r\n\r\nno headers at all"


class TestJsonLoader(LoaderContract):
    suffix: ClassVar[str] = ".json"
    good: ClassVar[bytes] = b'[{"id": "a", "text": "One\\r\\ntwo"}, {"text": "Two", "n": 1}]'
    bad: ClassVar[bytes] = b'{"text": 3}'


# --- Word, PowerPoint ---------------------------------------------------------


def test_headings_lists_and_tables_of_word_become_markdown_as_they_stand() -> None:
    content = docx(
        paragraph("Kettles", "Heading1"),
        paragraph("Use the_kettle *once* & [switch](it) off."),
        table([["Name", "Price"], ["Tea", "3"]]),
        paragraph("More", "Heading2"),
        title="The guide",
        author="A. Writer",
    )
    [document] = load(".docx", content).documents
    assert document.text == (
        "# Kettles\n\nUse the_kettle *once* & [switch](it) off.\n\n"
        "| Name | Price |\n| --- | --- |\n| Tea | 3 |\n\n## More\n"
    )
    assert document.metadata == {"title": "The guide", "author": "A. Writer"}


def test_slides_are_parted_by_form_feeds_with_their_notes() -> None:
    [document] = load(".pptx", pptx(("First", "One\nTwo"), ("Second", "Three"), title="Deck")).documents
    first, second = document.text.split("\f")
    assert first == "# First\nOne\nTwo"
    assert second.startswith("# Second\nThree\n")
    assert "| in_stock | *price* |\n| --- | --- |\n| 1 | 2 |" in second
    assert second.endswith("### Notes:\nSaid aside.\n")
    assert document.metadata == {"title": "Deck", "slides": 2}


@pytest.mark.parametrize(
    ("suffix", "content"),
    [(".docx", docx(paragraph(" "))), (".pptx", pptx()), (".xlsx", xlsx({"A": [], "B": []}))],
)
def test_an_office_file_without_text_says_so(suffix: str, content: bytes) -> None:
    assert "holds no text" in reason_of(suffix, content)


def test_without_the_extra_an_office_file_tells_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limited, "_version_of", lambda package: "absent")
    said = reason_of(".docx", docx(paragraph("text")))
    assert ".docx files need markitdown and mammoth" in said
    assert "pip install 'genaiops[office]'" in said


# --- Excel --------------------------------------------------------------------


def test_each_row_of_a_sheet_is_a_paragraph_and_numbers_stay_what_they_are() -> None:
    rows: list[list[Any]] = [
        ["Price list"],
        [],
        ["name", "price", None, "since", "sold"],
        ["Tea, green", 3, "x", datetime.date(2024, 5, 1), True],
        ["two\nlines", None, None, datetime.datetime(2024, 5, 1, 10, 30), 0.1],
        [None, 2.0, None, None, 123456789012],
    ]
    [document] = load(
        ".xlsx", xlsx({"Prices": rows, "Empty": [], "Note": [["Closed in", "May"]]}, title="Shop")
    ).documents
    assert document.text == (
        "## Prices\n\nPrice list\n\n"
        "name: Tea, green\nprice: 3\ncolumn 3: x\nsince: 2024-05-01\nsold: True\n\n"
        "name: two lines\nsince: 2024-05-01 10:30:00\nsold: 0.1\n\nprice: 2\nsold: 123456789012\n\n"
        "## Note\n\nClosed in, May\n"
    )
    assert document.metadata["sheets"] == ["Prices", "Empty", "Note"]
    assert document.metadata["title"] == "Shop"


# --- e-mail -------------------------------------------------------------------


def test_a_message_is_its_subject_and_text_with_its_headers_as_metadata() -> None:
    mail = message(subject="Café times")
    mail.add_alternative("<p>We open at <b>nine</b>.", subtype="html")
    mail.add_attachment(b"%PDF secret plans", maintype="application", subtype="pdf", filename="plans.pdf")
    mail.add_attachment("inner text", filename="../../notes.txt")
    mail.add_attachment(message(subject="Forwarded", text="forwarded text"))
    [document] = load(".eml", mail.as_bytes()).documents
    assert document.text == "Café times\n\nWe open at nine.\n"
    assert document.metadata == {
        "title": "Café times",
        "from": "Front Desk <desk@example.org>",
        "to": ["all@example.org", "Ann <ann@example.org>"],
        "date": "2024-01-01T08:00:00+00:00",
        "attachments": ["plans.pdf", "../../notes.txt", "message/rfc822"],
    }


def test_a_message_of_a_page_only_is_the_text_of_the_page() -> None:
    mail = message()
    mail.set_content("<h1>Hours</h1><p>Nine to five.<script>x</script>", subtype="html")
    assert text_of(".eml", mail.as_bytes()) == "Opening hours\n\n# Hours\n\nNine to five.\n"


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (b"Subject: x\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\r\ncaf\xe9", "x\n\ncaf\u00e9\n"),
        (b"Subject: x\nContent-Type: text/plain; charset=no-such-one\n\ncaf\xc3\xa9", "x\n\ncaf\u00e9\n"),
        (b"Subject: =?utf-8?q?caf=C3=A9?=\nContent-Transfer-Encoding: base64\n\naGVsbG8=", "café\n\nhello\n"),
        (b"Subject: =?x?y?z?=\nDate: never\nFrom: <<>>,\nTo: \xff\xfe\n\ntext", "=?x?y?z?=\n\ntext\n"),
        (b"X: 1\n\nonly text", "only text\n"),
    ],
)
def test_broken_headers_and_charsets_leave_the_text(source: bytes, text: str) -> None:
    assert text_of(".eml", source) == text


def test_a_message_with_attachments_only_says_so() -> None:
    mail = EmailMessage()
    mail["Subject"] = "Plans"
    mail.add_attachment(b"x", maintype="application", subtype="pdf", filename="plans.pdf")
    assert "holds no text" in reason_of(".eml", mail.as_bytes())


# --- JSON ---------------------------------------------------------------------


def test_an_object_is_one_document_and_a_list_one_each() -> None:
    one = {"title": "T", "text": "one", "lang": "en"}
    [document] = load(".json", json.dumps(one)).documents
    assert (document.id, document.text, document.metadata) == ("f", "T\n\none", {"title": "T", "lang": "en"})
    corpus = load(".json", json.dumps([one, {"_id": 5, "body": "two"}, 3, {"id": "5", "text": "again"}, {"text": " "}]))
    assert [d.id for d in corpus.documents] == ["f#1", "f#5"]
    assert [(item.reason, item.kind) for item in corpus.quarantined] == [
        ("item 3: expected an object, got int", "unreadable"),
        ("item 4: id 'f#5' was already given by item 2", "unreadable"),
        ("item 5: text is empty", "empty"),
    ]


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("{broken", "f:1: not valid JSON: Expecting property name"),
        ('{"text":\n\n oops}', "f:3: not valid JSON"),
        ("3", "expected an object or a list of objects, got int"),
        ('{"text": "t", "n": NaN}', "NaN is not JSON"),
        ('{"text": "\\ud800"}', "half of a surrogate pair"),
        ("[" * 100_000, "nested too deeply"),
        ('{"n": ' + "9" * 5000 + "}", "Exceeds the limit"),
        ("[" + "[]," * 3_000_000 + "1]", "holds more than 3,000,000 values"),
    ],
)
def test_broken_json_is_refused_with_the_place(source: str, reason: str) -> None:
    assert reason in reason_of(".json", source)


def test_markers_of_a_serialised_object_stay_data() -> None:
    marker = {"lc": 1, "type": "secret", "id": ["OPENAI_API_KEY"]}
    for suffix in (".json", ".jsonl"):
        [document] = load(suffix, json.dumps({"text": json.dumps(marker), "marker": marker})).documents
        assert document.metadata == {"marker": marker}
        assert json.loads(document.text) == marker
