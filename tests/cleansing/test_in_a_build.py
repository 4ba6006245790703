"""What cleansing does is what a build keeps: in the index, in every cache and on disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from genaiops.errors import GateRefused
from genaiops.indexing.snapshot import read_documents_of
from tests.builds import build, current, files_of
from tests.small_project import SmallProject
from tests.words_embedder import WordsEmbedder

BANNER = "We use cookies to improve your visit. Accept all cookies?"


@pytest.fixture
def project(small_project: SmallProject) -> SmallProject:
    for n in range(4):
        (small_project.documents / f"page{n}.md").write_text(
            f"# Page {n}\n\n{BANNER}\n\nAsk ann{n}@example.org for cup {n}.\n"
        )
    return small_project


def test_what_was_redacted_is_in_no_file_of_the_project(project: SmallProject) -> None:
    build(project, WordsEmbedder(), overrides=["documents.redact=[email]"])
    report = build(project, WordsEmbedder(), overrides=["documents.redact=[email]"])
    assert report.unchanged
    assert report.quality.redactions == {"email": 4}
    kept = [path for path in files_of(project.home) if b"ann1@example" in path.read_bytes()]
    assert kept == []


def test_boilerplate_is_in_no_document_of_the_index(project: SmallProject) -> None:
    build(project, WordsEmbedder(), overrides=["cleansing.boilerplate={min_documents: 4, min_share: 0.3}"])
    texts = [document.text for folder in [newest(project)] for document in read_documents_of(folder)]
    assert any("for cup 3" in text for text in texts)
    assert not any(BANNER in text for text in texts)


def test_a_missed_bar_fails_the_build_and_leaves_the_index(project: SmallProject) -> None:
    build(project, WordsEmbedder())
    before = current(project)
    (project.documents / "leak.md").write_text("password: Xk9vQ2mT7wLz4RbN8sYc")
    with pytest.raises(GateRefused) as error:
        build(project, WordsEmbedder(), overrides=["quality.max_quarantined={secret: 0}"])
    assert "quarantined as secret: 1 > max_quarantined 0" in str(error.value)
    assert current(project) == before


def newest(project: SmallProject) -> Path:
    folders = [path for path in (project.home / "indexes").iterdir() if not path.name.startswith(".")]
    return max(folders, key=lambda path: path.stat().st_mtime)
