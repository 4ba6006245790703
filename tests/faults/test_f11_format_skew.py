"""Stores of other versions: older ones are read, newer ones are refused with the remedy, none is misread.

tests/data/store_of_format_1 was written by genaiops 0.1.0 from the documents of tests/small_project.py.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from genaiops.errors import IntegrityError
from genaiops.indexing import FORMAT, read_manifest
from genaiops.indexing.reuse import Previous
from genaiops.indexing.snapshot import load_index, read_documents_of
from genaiops.records import digest_of
from tests.builds import build, current
from tests.small_project import DOCUMENTS, SmallProject
from tests.words_embedder import WordsEmbedder

OLD = Path(__file__).parents[1] / "data" / "store_of_format_1"


@pytest.fixture
def old(small_project: SmallProject) -> Path:
    """The folder of the old index, in the state folder of a project of today."""
    shutil.copytree(OLD, small_project.home)
    return next((small_project.home / "indexes").iterdir())


def rewritten(folder: Path, **changes: object) -> None:
    """The manifest with other values, honestly sealed."""
    path = folder / "manifest.json"
    data = {**json.loads(path.read_bytes()), **changes}
    data.pop("digest")
    path.write_text(json.dumps({**data, "digest": digest_of(data)}, indent=1, sort_keys=True))


def test_f11_an_index_of_format_1_opens_and_finds(old: Path) -> None:
    index = load_index(old, embedder="words-1")
    assert index.manifest.format == 1 < FORMAT
    assert len(index.chunks) == index.manifest.counts["chunks"] == 6
    for chunk in index.chunks:
        assert DOCUMENTS[chunk.document_id][chunk.start : chunk.end] == chunk.text
    vector = WordsEmbedder().embed([index.chunks[2].indexed_text])[0]
    assert index.vectors.search(vector, 1)[0][0] == 2
    position, score = index.full_text.search("limescale vinegar", 1)[0]
    assert "vinegar" in index.chunks[position].text and score > 0
    documents = read_documents_of(old)
    assert {document.id: document.text for document in documents} == DOCUMENTS
    assert all(document.origin is None and document.edits == () for document in documents)


def test_f11_a_build_makes_an_index_of_today_and_leaves_the_old_one(small_project: SmallProject, old: Path) -> None:
    before = {path: path.read_bytes() for path in old.rglob("*") if path.is_file()}
    report = build(small_project, WordsEmbedder())
    assert (report.reused, report.unchanged) == (0, False)  # nothing of another format is taken over
    assert read_manifest(current(small_project)).format == FORMAT
    assert {path: path.read_bytes() for path in old.rglob("*") if path.is_file()} == before
    load_index(old, embedder="words-1")


def test_f11_another_format_is_never_taken_over(small_project: SmallProject, old: Path) -> None:
    inputs = read_manifest(old).inputs
    assert Previous.open(old, inputs, "fp32") is None


@pytest.mark.parametrize("ahead", [1, 2, 1000])
def test_f11_a_newer_format_is_refused_with_what_to_do(old: Path, ahead: int) -> None:
    rewritten(old, format=FORMAT + ahead)
    for read in (read_manifest, read_documents_of, lambda folder: load_index(folder, embedder="words-1")):
        with pytest.raises(IntegrityError, match=f"has format {FORMAT + ahead}, this version reads up to") as caught:
            read(old)
        assert caught.value.remedy == "upgrade genaiops"


def test_f11_a_build_beside_a_newer_index_goes_on(small_project: SmallProject, old: Path) -> None:
    rewritten(old, format=FORMAT + 1)
    report = build(small_project, WordsEmbedder())
    assert current(small_project).name == report.index
