"""What some framework would turn back into an object stays text and plain data, whichever loader reads it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from genaiops.configuration import validated_data
from genaiops.documents import Corpus, DocumentSettings, read_documents
from genaiops.records import Document, canonical_json

SECRET = "the-key-of-the-tests"
MARKERS: list[Mapping[str, Any]] = [
    {"lc": 1, "type": "secret", "id": ["OPENAI_API_KEY"]},
    {"lc": 1, "type": "constructor", "id": ["langchain", "llms", "openai", "OpenAI"], "kwargs": {"api_key": "x"}},
    {"__class__": "os.system", "__args__": ["true"]},
    {"py/object": "os.system", "py/reduce": [{"py/function": "os.system"}, {"py/tuple": ["true"]}]},
    {"$ref": "file:///etc/passwd", "${file:/etc/passwd}": "${OPENAI_API_KEY}", "@type": "x"},
    {"__proto__": {"admin": True}, "{{ config }}": "{% raw %}"},
]


def read(root: Path, source: Any = "docs") -> Corpus:
    chosen = validated_data(DocumentSettings, {"sources": [source]}, where=str)
    first = read_documents(chosen, root, cache=root / "cache.db", clean=Unchanged())
    assert read_documents(chosen, root, cache=root / "cache.db", clean=Unchanged()) == first
    return first


class Unchanged:
    """So that every document goes through the cache and back."""

    version = "unchanged"

    def clean(self, document: Document) -> Document:
        return document


@pytest.mark.parametrize("marker", MARKERS, ids=str)
def test_a_marker_comes_back_as_it_was_written(
    marker: Mapping[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    text = json.dumps(marker)
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "a.md").write_text(f"---\nmarker: {text}\n---\n{text}")
    (docs / "b.json").write_text(json.dumps({"text": text, "marker": marker}))
    (docs / "c.jsonl").write_text(json.dumps({"id": "1", "text": text, "marker": marker}))
    (docs / "d.txt").write_text(text)
    (docs / "e.eml").write_text(f"Subject: {text}\n\n{text}")
    with closing(sqlite3.connect(tmp_path / "f.db")) as connection:
        connection.execute("CREATE TABLE t (id, text)")
        connection.execute("INSERT INTO t VALUES (1, ?)", (text,))
        connection.commit()
    rows = {"sql": "sqlite:///f.db", "query": "SELECT * FROM t", "id": "id", "text": ["text"], "metadata": ["text"]}
    documents = {d.id: d for d in (*read(tmp_path).documents, *read(tmp_path, rows).documents)}
    assert len(documents) == 6
    assert all(text in document.text for document in documents.values())
    for name in ("a.md", "b.json", "c.jsonl#1"):
        assert documents[name].metadata["marker"] == marker
    assert documents["f#1"].metadata["text"] == text
    for document in documents.values():
        assert Document.from_json(json.loads(canonical_json(document))) == document
    assert SECRET not in canonical_json(list(documents.values()))


@pytest.mark.parametrize(
    "front",
    [
        "a: !!python/object/apply:os.system ['true']", "a: !!python/name:os.system ''", "a: !include /etc/passwd",
        "a: !ENV ${OPENAI_API_KEY}", "a: &x [1]\nb: [*x, *x]", "a: 1\na: 2", "<<: &x {b: 1}\nc: *x",
    ],
)  # fmt: skip
def test_traps_of_front_matter_are_refused(front: str, tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/a.md").write_text(f"---\n{front}\n---\ntext")
    corpus = read(tmp_path)
    assert corpus.documents == ()
    assert "front matter is not valid YAML" in corpus.quarantined[0].reason


def test_words_that_look_like_truth_keep_the_meaning_that_yaml_gives_them_and_stay_json(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/a.md").write_text('---\ncountry: no\nversion: 1.10\nquoted: "no"\nday: 2024-05-01\n---\ntext')
    [document] = read(tmp_path).documents
    assert document.metadata == {"country": False, "version": 1.1, "quoted": "no", "day": "2024-05-01"}
