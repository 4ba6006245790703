"""Snapshots whose vectors lie in a database too: cleaning up and erasing reach it."""

from __future__ import annotations

import pytest

from genaiops.delivery import clean_up, forget
from genaiops.flow import Flow
from genaiops.indexing.pgvector import stored_indexes
from genaiops.indexing.postgres import URL_VARIABLE
from genaiops.project import Project, RetentionSettings
from tests.builds import build
from tests.small_project import SmallProject
from tests.words_embedder import WordsEmbedder

STORE = "index.store=pgvector"


def test_what_is_cleaned_away_or_erased_leaves_the_database_too(
    small_project: SmallProject, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(URL_VARIABLE, postgres)
    first = build(small_project, WordsEmbedder(), overrides=(STORE,)).index
    (small_project.documents / "news.md").write_text("# News\n\nThe red kettle has arrived.\n", encoding="utf-8")
    second = build(small_project, WordsEmbedder(), overrides=(STORE,)).index
    assert {first, second} <= set(stored_indexes(postgres))
    project = Project.find(small_project.root)
    clean_up(project, retention=RetentionSettings(keep_last=1, keep_days=0))
    assert first not in stored_indexes(postgres)
    flow = Flow.load(small_project.flow, overrides=(STORE,), project=project)
    flow.__dict__["embedder"] = WordsEmbedder()
    receipt = forget(flow, document="warranty.md")
    assert second not in stored_indexes(postgres)
    assert ("id", "indexes of the database") in {(probe.by, probe.store) for probe in receipt.probes}
    again = Flow.load(small_project.flow, overrides=(STORE,), project=project)
    again.__dict__["embedder"] = WordsEmbedder()
    assert again.index_id in stored_indexes(postgres)
    found = again.search("The warranty of every kettle lasts two years.", 50)
    assert found
    assert not any(hit.chunk.document_id == "warranty.md" for hit in found)
