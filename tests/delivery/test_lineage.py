"""From an answer or a chunk to characters, document, source, settings, code, time, index and release."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import unicodedata
from pathlib import Path

import pytest

from genaiops import __version__
from genaiops.delivery import answer_lineage, forget, lineage_of
from genaiops.delivery.lineage import ChunkLineage, original_span
from genaiops.delivery.lineage_text import tree
from genaiops.delivery.sources_now import SourceNow
from genaiops.documents.items import utc
from genaiops.errors import ConfigurationError, NotFound
from genaiops.evaluation.runs import list_runs
from genaiops.flow import Flow
from genaiops.records import Edit, as_json
from tests.flow import workshop

QUESTION = "What are loose hub bearings packed with?"


@pytest.fixture
def flow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Flow:
    monkeypatch.delenv("GENAIOPS_HOME", raising=False)
    return workshop.load(workshop.copy(tmp_path) / "flows" / "workshop")


def test_an_answer_leads_to_its_sources_and_everything_that_decided_it(flow: Flow, tmp_path: Path) -> None:
    answer = flow.ask(QUESTION)
    path = tmp_path / "answer.json"
    path.write_text(json.dumps(as_json(answer)), encoding="utf-8")
    found = lineage_of(flow.project, str(path))
    assert found.answer is not None
    assert (found.answer.question, found.answer.model, found.answer.prompt) == (QUESTION, "extractive", "cited")
    assert len(found.chunks) == len(answer.hits)
    assert all(chunk.confirmed and not chunk.problem for chunk in found.chunks)
    first = found.chunks[0]
    assert first.cited and first.document == "wheels.md"
    page = flow.folder.parents[1] / "manual" / "wheels.md"
    assert page.read_text()[first.start : first.end] == first.text
    assert first.original == (first.start, first.end)
    assert first.origin is not None
    assert first.origin.content == hashlib.sha256(page.read_bytes()).hexdigest()
    assert "manual" in first.origin.source
    (index,) = found.indexes
    assert (index.id, index.flow, index.code) == (answer.index, "workshop", __version__)
    assert index.settings["chunking"]["size"] == 200
    assert index.facts["model"].endswith("MiniLM-L6-v2")
    assert index.built_at
    assert [release[:6] for release in index.releases] == [path.stem[:6] for path in flow.project.releases.iterdir()]
    told = tree(found)
    assert f"characters {first.start}-{first.end} of wheels.md" in told
    assert "confirmed" in told
    assert lineage_of(flow.project, "-", read=path.read_text) == found


def test_lineage_says_what_lies_today_where_a_document_was_read(flow: Flow) -> None:
    """The same content from another place, or touched, is the same index: its origins tell of the build alone."""
    manual = flow.folder.parents[1] / "manual"
    page = manual / "wheels.md"

    def first() -> ChunkLineage:
        return answer_lineage(flow.project, as_json(flow.ask(QUESTION))).chunks[0]

    before = first()
    assert before.origin is not None and before.now is not None
    assert (before.now.state, before.now.place) == ("same", "manual/wheels.md")
    os.utime(page, (0, 0))
    touched = first()
    assert touched.origin == before.origin
    assert touched.now == SourceNow("same", "manual/wheels.md", "1970-01-01T00:00:00+00:00")
    text = page.read_text()
    page.write_text(text + "New.\n")
    assert first().now == SourceNow("changed", "manual/wheels.md", utc(page.stat().st_mtime))
    page.write_text(text)
    manual.rename(manual.parent / "handbook")
    found = answer_lineage(flow.project, as_json(flow.ask(QUESTION)))
    assert found.chunks[0].origin == before.origin
    assert found.chunks[0].now == SourceNow("gone", "manual/wheels.md")
    assert "now: no longer there: manual/wheels.md" in tree(found)
    settings = flow.folder / "flow.yaml"
    settings.write_text(settings.read_text().replace("manual", "handbook"))
    assert workshop.load(flow.folder).build().unchanged
    moved = first().now
    assert moved is not None and (moved.state, moved.place) == ("moved", "handbook/wheels.md")


def test_a_file_whose_name_is_stored_decomposed_is_still_there(flow: Flow) -> None:
    manual = flow.folder.parents[1] / "manual"
    page = manual / unicodedata.normalize("NFD", "cafés") / unicodedata.normalize("NFD", "résumé.md")
    page.parent.mkdir()
    page.write_text("# Tandems\n\nA tandem costs a zloty.\n")
    flow.build()
    chunk = next(chunk for chunk in flow.chunks() if "zloty" in chunk.text)
    assert chunk.document_id == unicodedata.normalize("NFC", "cafés/résumé.md")

    def state() -> str:
        (found,) = lineage_of(flow.project, chunk.id).chunks
        assert found.now is not None
        return found.now.state

    assert state() == "same"
    page.write_text("# Tandems\n\nNone.\n")
    assert state() == "changed"
    page.unlink()
    assert state() == "gone"


def test_a_chunk_is_found_by_a_prefix_of_its_id_in_every_index(flow: Flow) -> None:
    chunk = flow.chunks()[3]
    found = lineage_of(flow.project, chunk.id[:8])
    assert found.answer is None
    assert [(item.chunk, item.text) for item in found.chunks] == [(chunk.id, chunk.text)]
    (flow.folder.parents[1] / "manual" / "news.md").write_text("# News\n\nTandems.\n")
    flow.build()
    assert {item.index for item in lineage_of(flow.project, chunk.id).chunks} == {
        path.name for path in flow.project.indexes.iterdir()
    }


def test_a_case_of_a_run_leads_to_what_was_measured(flow: Flow) -> None:
    run = list_runs(flow.project.runs)[0].name
    found = lineage_of(flow.project, run, case="wheels-3")
    assert found.answer is not None
    assert (found.answer.run, found.answer.case) == (run, "wheels-3")
    assert found.answer.settings is not None
    assert found.answer.settings["retrieval"]["top_k"] == 4
    with pytest.raises(ConfigurationError, match="many answers"):
        lineage_of(flow.project, run)
    with pytest.raises(NotFound, match="no case"):
        lineage_of(flow.project, run, case="nobody")


@pytest.mark.parametrize(
    ("what", "told"),
    [("abcdef123456", "no index holds a chunk"), ("nothing-like-that", "no chunk id, no file")],
)
def test_what_is_not_there_is_refused_with_where_was_looked(flow: Flow, what: str, told: str) -> None:
    with pytest.raises(NotFound, match=told) as caught:
        lineage_of(flow.project, what)
    assert str(flow.project.home) in caught.value.where


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"index": 1, "hits": [{}], "citations": []}'])
def test_what_is_no_answer_is_refused(flow: Flow, tmp_path: Path, content: str) -> None:
    path = tmp_path / "answer.json"
    path.write_text(content)
    with pytest.raises(ConfigurationError):
        lineage_of(flow.project, str(path))


def test_a_text_that_the_index_does_not_hold_is_not_confirmed(flow: Flow) -> None:
    answer = as_json(flow.ask(QUESTION))
    answer["hits"][0]["chunk"]["text"] = "Loose hub bearings are packed with butter."
    false = answer_lineage(flow.project, answer)
    assert [chunk.problem for chunk in false.chunks if not chunk.confirmed] == [
        "the document has another text at this place"
    ]
    shutil.rmtree(flow.project.indexes / answer["index"])
    gone = answer_lineage(flow.project, answer)
    assert all(answer["index"][:12] in chunk.problem for chunk in gone.chunks)
    assert gone.indexes[0].settings["chunking"]["size"] == 200  # the history still tells


def test_an_old_answer_leads_to_the_index_that_was_issued_again(flow: Flow) -> None:
    answer = as_json(flow.ask(QUESTION))
    forget(flow, document="office/bookings.md")
    found = answer_lineage(flow.project, answer)
    assert found.indexes[0].id == workshop.load(flow.folder).index_id
    assert all(chunk.confirmed == (chunk.document != "office/bookings.md") for chunk in found.chunks)


def test_offsets_lead_through_edits_to_what_was_loaded() -> None:
    # loaded:  "Call 0151-1234 now, or write to a@b.de today."; clean: "Call [phone] now, or write to [email] today."
    edits = (Edit(5, 12, 5, 14, "redacted:phone"), Edit(30, 37, 32, 38, "redacted:email"))
    assert original_span(edits, 0, 4) == (0, 4)
    assert original_span(edits, 0, 5) == (0, 5)
    assert original_span(edits, 5, 12) == (5, 14)
    assert original_span(edits, 8, 16) == (5, 18)  # from within an edit: all of it
    assert original_span(edits, 13, 29) == (15, 31)
    assert original_span(edits, 13, 33) == (15, 38)
    assert original_span(edits, 38, 44) == (39, 45)
    cut = (Edit(0, 0, 0, 100, "boilerplate"),)
    assert original_span(cut, 0, 10) == (100, 110)
    assert original_span((Edit(10, 10, 10, 30, "boilerplate"),), 0, 10) == (0, 10)
