"""What a cleaner sees and what is kept of it, labels of sources, and forgetting what was kept."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from genaiops.configuration import validated_data
from genaiops.documents import DocumentSettings, Quarantined, forget_parsed, read_documents
from genaiops.documents.cache import ParsedCache
from genaiops.errors import ConfigurationError
from genaiops.records import Document, Edit
from tests.documents.test_loaders import pdf


def settings(*sources: Any, **options: Any) -> DocumentSettings:
    return validated_data(DocumentSettings, {"sources": sources or ["docs"], **options}, where=str)


class Redacting:
    """Takes the word `secret-name` out, refuses documents that say `poison`, and remembers what it saw."""

    def __init__(self, version: str = "1") -> None:
        self.version = version
        self.seen: list[str] = []

    def clean(self, document: Document) -> Document | Quarantined:
        self.seen.append(document.id)
        if "poison" in document.text:
            return Quarantined(document.id, "speaks to models", "injection")
        start = document.text.find("secret-name")
        if start < 0:
            return replace(document, metadata={**document.metadata, "language": "en"})
        text = document.text.replace("secret-name", "[name]")
        edit = Edit(start, start + 6, start, start + 11, "redacted:name")
        return replace(document, text=text, edits=(edit,))


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/a.md").write_text("Ask secret-name about it.")
    (tmp_path / "docs/b.html").write_text("<p>Also secret-name.")
    (tmp_path / "docs/c.jsonl").write_text('{"id": "x", "text": "poison"}\n{"id": "y", "text": "fine"}\n{oops\n')
    (tmp_path / "docs/d.pdf").write_bytes(pdf("A page by secret-name."))
    return tmp_path


def test_a_cleaner_sees_every_document_and_may_refuse_it(docs: Path) -> None:
    corpus = read_documents(settings(), docs, clean=Redacting())
    assert [d.id for d in corpus.documents] == ["a.md", "b.html", "c.jsonl#y", "d.pdf"]
    assert "secret-name" not in repr(corpus)
    assert corpus.documents[0].edits == (Edit(4, 10, 4, 15, "redacted:name"),)
    assert corpus.documents[0].origin is not None
    assert corpus.documents[2].metadata == {"language": "en"}
    assert [(item.document_id, item.kind) for item in corpus.quarantined] == [
        ("c.jsonl", "unreadable"),
        ("c.jsonl#x", "injection"),
    ]


def test_what_was_redacted_is_in_no_cache_and_what_is_unchanged_is_not_cleaned_again(docs: Path) -> None:
    cache = docs / "cache.db"
    cleaner = Redacting()
    first = read_documents(settings(), docs, cache=cache, clean=cleaner)
    assert len(cleaner.seen) == 5
    kept = b"".join(path.read_bytes() for path in docs.glob("cache.db*"))
    assert b"[name]" in kept
    assert b"secret-name" not in kept
    assert read_documents(settings(), docs, cache=cache, clean=cleaner) == first
    assert len(cleaner.seen) == 5
    (docs / "docs/a.md").write_text("Changed.")
    read_documents(settings(), docs, cache=cache, clean=cleaner)
    assert cleaner.seen[5:] == ["a.md"]


def test_another_version_of_the_cleaner_cleans_anew(docs: Path) -> None:
    read_documents(settings(), docs, cache=docs / "cache.db", clean=Redacting())
    other = Redacting("2")
    read_documents(settings(), docs, cache=docs / "cache.db", clean=other)
    assert len(other.seen) == 5


def test_a_touched_file_keeps_its_outcome_and_tells_its_new_time(docs: Path) -> None:
    import os

    cleaner, cache = Redacting(), docs / "cache.db"
    read_documents(settings(), docs, cache=cache, clean=cleaner)
    os.utime(docs / "docs/a.md", (1_700_000_000, 1_700_000_000))
    corpus = read_documents(settings(), docs, cache=cache, clean=cleaner)
    assert corpus.documents[0].origin is not None
    assert corpus.documents[0].origin.modified == "2023-11-14T22:13:20+00:00"
    assert len(cleaner.seen) == 5


def test_every_document_tells_its_origin(docs: Path) -> None:
    import hashlib

    for document in read_documents(settings(), docs).documents:
        assert document.origin is not None
        content = (docs / "docs" / document.id.partition("#")[0]).read_bytes()
        assert document.origin.content == hashlib.sha256(content).hexdigest()
        assert document.origin.source == "docs"
        assert document.origin.loader.split()[0] in ("markdown", "html", "jsonl", "pdf")
        assert document.origin.modified.startswith("20")


# --- forgetting ----------------------------------------------------------------


@pytest.mark.parametrize("document_id", ["c.jsonl#y", "c.jsonl"])
def test_a_forgotten_document_is_in_no_byte_of_the_cache(docs: Path, document_id: str) -> None:
    (docs / "docs/c.jsonl").write_text('{"id": "y", "text": "fine-and-gone"}\n')
    cache = docs / "cache.db"
    for turn in range(3):  # several versions of it
        (docs / "docs/c.jsonl").write_text(f'{{"id": "y", "text": "fine-and-gone {turn}"}}\n')
        read_documents(settings(), docs, cache=cache, clean=Redacting())
    assert forget_parsed(cache, document_id) == 3
    assert b"fine-and-gone" not in b"".join(path.read_bytes() for path in docs.glob("cache.db*"))
    cleaner = Redacting()
    read_documents(settings(), docs, cache=cache, clean=cleaner)
    assert cleaner.seen == ["c.jsonl#y"]  # the others are still known
    assert forget_parsed(cache, "no such document") == 0


def test_forgetting_takes_no_document_of_another_name(docs: Path) -> None:
    cache = docs / "cache.db"
    for name in ("a.md2", "a.m", "xa.md", "a.md/b.md"):
        store = ParsedCache(cache)
        store.put(name, name, read_documents(settings("docs/a.md"), docs))
        store.close()
    read_documents(settings(), docs, cache=cache, clean=Redacting())
    assert forget_parsed(cache, "a.md") == 1
    assert forget_parsed(docs / "absent.db", "a.md") == 0


def test_a_damaged_cache_is_an_error_for_who_wants_it_forgotten(docs: Path) -> None:
    (docs / "cache.db").write_bytes(b"secret-name " * 1000)
    with pytest.raises(sqlite3.Error):
        forget_parsed(docs / "cache.db", "a.md")


def test_rows_that_an_older_version_kept_raw_are_dropped(docs: Path) -> None:
    with closing(sqlite3.connect(docs / "cache.db")) as connection:
        connection.execute("CREATE TABLE parsed_documents (key TEXT PRIMARY KEY, outcome TEXT NOT NULL)")
        connection.execute("INSERT INTO parsed_documents VALUES ('k', 'raw text of old')")
        connection.commit()
    forget_parsed(docs / "cache.db", "a.md")
    assert b"raw text of old" not in (docs / "cache.db").read_bytes()


# --- labels --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("front", "label", "expected"),
    [
        ("", {}, {}),
        ("", {"sensitivity": "internal"}, {"sensitivity": "internal"}),
        ("sensitivity: public", {"sensitivity": "internal"}, {"sensitivity": "internal"}),
        ("sensitivity: restricted", {"sensitivity": "internal"}, {"sensitivity": "restricted"}),
        ("sensitivity: confidential", {}, {"sensitivity": "confidential"}),
        ("access: staff", {}, {"access": ["staff"]}),
        ("access: [b, a]", {"access": ["a", "c"]}, {"access": ["a"]}),
        ("access: [b]", {"access": ["a"]}, {"access": []}),
        ("", {"access": ["b", "a"]}, {"access": ["a", "b"]}),
    ],
)
def test_labels_of_a_source_and_of_a_document_are_joined_to_the_stricter(
    tmp_path: Path, front: str, label: dict[str, Any], expected: dict[str, Any]
) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/a.md").write_text(f"---\n{front}\n---\ntext" if front else "text")
    [document] = read_documents(settings({"path": "docs", **label}), tmp_path).documents
    assert document.metadata == expected


@pytest.mark.parametrize(
    "front",
    [
        "sensitivity: secret",
        "sensitivity: 3",
        "sensitivity: ''",
        "access: 3",
        "access: [1]",
        "access: ['']",
        "access: {}",
        "Access: hr",
        "SENSITIVITY: restricted",
    ],
)
def test_a_label_that_nobody_understands_quarantines_its_document(tmp_path: Path, front: str) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/a.md").write_text(f"---\n{front}\n---\ntext")
    (tmp_path / "docs/b.md").write_text("b")
    corpus = read_documents(settings(), tmp_path)
    assert [d.id for d in corpus.documents] == ["b.md"]
    assert corpus.quarantined[0].reason.startswith(f"metadata '{front.partition(':')[0]}' must be")


@pytest.mark.parametrize(
    "wrong",
    [
        {"path": "docs", "sensitivity": "secret"},
        {"path": "docs", "access": [""]},
        {"path": "docs", "access": "staff"},
        {"path": "docs", "web": ["https://example.org"]},
        {"sensitivity": "public"},
        {"path": "docs", "pth": "x"},
        {"path": "docs", "query": "SELECT 1"},
        {"path": "docs", "options": {"anon": True}},
        {"path": ""},
        7,
        None,
    ],
)
def test_a_source_that_is_described_wrongly_is_refused(wrong: Any) -> None:
    with pytest.raises(ConfigurationError):
        settings(wrong)


def test_a_plain_path_stays_a_text_in_what_is_recorded() -> None:
    chosen = settings("docs", {"path": "docs"}, {"path": "more", "sensitivity": "internal"})
    assert chosen.model_dump(mode="json")["sources"] == ["docs", "docs", {"path": "more", "sensitivity": "internal"}]
    assert settings(*chosen.model_dump(mode="json")["sources"]) == chosen
