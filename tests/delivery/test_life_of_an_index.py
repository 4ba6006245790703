"""What differs, what is behind, what may go, and what can be made again."""

from __future__ import annotations

import json
import os
import shutil
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from genaiops.delivery import clean_up, diff_indexes, find_index, freshness, list_indexes, rebuild_index
from genaiops.delivery.diffing import read_questions
from genaiops.errors import ConfigurationError, Conflict, IndexMismatch, IntegrityError, NotBuilt, NotFound
from genaiops.files import locked
from genaiops.flow import Flow
from genaiops.flow.history import read_history
from genaiops.indexing import read_manifest
from genaiops.project import Project, RetentionSettings
from tests.builds import build, current
from tests.flow import workshop
from tests.small_project import SmallProject
from tests.words_embedder import WordsEmbedder

LAST_ONLY = RetentionSettings(keep_last=1, keep_days=0, unused_vectors_mb=0)


@pytest.fixture
def flow(small_project: SmallProject) -> Flow:
    """The small project's flow with counted words for vectors, built once."""
    build(small_project, WordsEmbedder())
    return opened(small_project)


def opened(small: SmallProject, *overrides: str) -> Flow:
    flow = Flow.load(small.flow, overrides=overrides, project=Project.find(small.root))
    flow.__dict__["embedder"] = WordsEmbedder()
    return flow


def edit(small: SmallProject) -> None:
    """One document changed, one gone, one new."""
    warranty = small.documents / "warranty.md"
    warranty.write_text(warranty.read_text().replace("two years", "three years"), encoding="utf-8")
    (small.documents / "models" / "travel.md").unlink()
    (small.documents / "news.md").write_text("# News\n\nThe red kettle has arrived.\n", encoding="utf-8")


# --- history ----------------------------------------------------------------------


def test_every_build_leaves_a_line_with_all_it_takes_to_build_again(flow: Flow, small_project: SmallProject) -> None:
    build(small_project, WordsEmbedder())
    edit(small_project)
    build(small_project, WordsEmbedder())
    told = read_history(flow.project, "kettles")
    assert [built.sequence for built in told] == [1, 2, 3]
    assert told[0].index == told[1].index != told[2].index == flow.index_id
    assert told[2].settings["chunking"]["size"] == 300
    assert told[2].folder == "flows/kettles"
    assert told[2].inputs == read_manifest(current(small_project)).inputs
    assert (told[2].documents, told[2].reason) == (5, "build")


def test_half_a_line_of_a_killed_build_is_no_build_and_harms_no_other(flow: Flow, small_project: SmallProject) -> None:
    path = small_project.home / "flows" / "kettles" / "history.jsonl"
    with path.open("a", encoding="utf-8") as stream:
        stream.write('{"sequence": 2, "built_at": "20')
    build(small_project, WordsEmbedder())
    assert [built.sequence for built in read_history(flow.project, "kettles")] == [1, 2]
    path.write_text('{"sequence": "one"}\n', encoding="utf-8")
    with pytest.raises(IntegrityError, match="history is damaged"):
        read_history(flow.project, "kettles")


# --- naming -----------------------------------------------------------------------


def test_an_index_is_named_by_prefix_flow_or_folder(flow: Flow, small_project: SmallProject) -> None:
    for name in (flow.index_id, flow.index_id[:6], "kettles", "kettles@current", str(small_project.flow)):
        assert find_index(flow.project, name) == flow.index_id
    build(small_project, WordsEmbedder(), overrides=("chunking.size=120",))
    with pytest.raises(ConfigurationError, match="2 current indexes"):
        find_index(flow.project, "kettles")
    for wrong in ("000000", "nobody", "prod"):
        with pytest.raises(NotFound):
            find_index(flow.project, wrong)
    with pytest.raises(ConfigurationError, match="only 'current'"):
        find_index(flow.project, "kettles@yesterday")


# --- diff -------------------------------------------------------------------------


def test_diff_tells_documents_chunks_and_settings(flow: Flow, small_project: SmallProject) -> None:
    before = flow.index_id
    edit(small_project)
    after = build(small_project, WordsEmbedder()).index
    found = diff_indexes(flow.project, before, after)
    assert found.documents_added == ("news.md",)
    assert found.documents_changed == ("warranty.md",)
    assert found.documents_gone == ("models/travel.md",)
    (changed,) = found.chunks_changed
    assert changed.before is not None
    assert changed.after is not None
    assert "two years" in changed.before[2]
    assert "three years" in changed.after[2]
    assert [chunk.document for chunk in found.chunks_added] == ["news.md"]
    assert {chunk.document for chunk in found.chunks_gone} == {"models/travel.md"}
    assert (found.settings, found.questions, found.same) == ((), None, False)
    assert diff_indexes(flow.project, after, after).same


def test_diff_tells_chunks_that_only_moved(flow: Flow, small_project: SmallProject) -> None:
    before = flow.index_id
    page = small_project.documents / "returns.md"
    page.write_text("\n\n" + page.read_text(), encoding="utf-8")
    found = diff_indexes(flow.project, before, build(small_project, WordsEmbedder()).index)
    assert found.moved > 0
    assert (found.chunks_added, found.chunks_changed, found.chunks_gone) == ((), (), ())
    assert not found.same


def test_diff_tells_other_settings_by_their_keys(flow: Flow, small_project: SmallProject) -> None:
    other = build(small_project, WordsEmbedder(), overrides=("chunking.size=120",)).index
    settings = {change.part: (change.before, change.after) for change in diff_indexes(
        flow.project, flow.index_id, other).settings}  # fmt: skip
    assert settings["chunking.size"] == (300, 120)
    assert "documents" not in settings


def test_diff_puts_questions_to_both(flow: Flow, small_project: SmallProject) -> None:
    before = flow.index_id
    edit(small_project)
    after = build(small_project, WordsEmbedder()).index
    asking = opened(small_project, "retrieval.top_k=1")
    questions = ["At which volts does the travel kettle work?", "How do I remove limescale with vinegar?"]
    found = diff_indexes(flow.project, before, after, flow=asking, questions=questions)
    assert found.asked == 2
    assert found.questions is not None
    assert [change.question for change in found.questions] == questions[:1]
    assert found.questions[0].gone[0][0] == "models/travel.md"
    assert diff_indexes(flow.project, before, before, flow=asking, questions=questions).questions == ()


def test_diff_asks_nothing_across_embedders_and_says_so(flow: Flow, small_project: SmallProject) -> None:
    other = build(small_project, WordsEmbedder("words-2")).index
    found = diff_indexes(flow.project, flow.index_id, other, flow=opened(small_project), questions=["Why?"])
    assert "another embedder" in found.not_asked
    assert found.questions is None


def test_a_file_of_questions_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "questions.jsonl"
    path.write_text('{"text": "One?"}\n\n{"question": "Two?"}\n', encoding="utf-8")
    assert read_questions(path) == ("One?", "Two?")
    path.write_text('{"question": "One?", "score": NaN, "m": 1, "m": 2}')
    assert read_questions(path) == ("One?",)  # what else stands in a line is not read
    for content, line in (('{"text": "One?"}\n{"text": " "}\n', ":2"), ("[]\n", ":1")):
        path.write_text(content, encoding="utf-8")
        with pytest.raises(ConfigurationError, match=r"text or question|one JSON object") as caught:
            read_questions(path)
        assert caught.value.where.endswith(line)


# --- freshness --------------------------------------------------------------------


def test_freshness_lists_what_is_behind_and_for_how_long(flow: Flow, small_project: SmallProject) -> None:
    assert freshness(flow).behind == ()
    assert freshness(flow).met
    edit(small_project)
    later = datetime.now(UTC) + timedelta(hours=5)
    found = freshness(flow, objective_hours=6, now=later)
    states = {item.document: item.state for item in found.behind}
    assert states == {"warranty.md": "changed", "news.md": "new", "models/travel.md": "gone"}
    assert all(4.9 < item.hours < 5.1 for item in found.behind)
    assert found.met
    assert not freshness(flow, objective_hours=4, now=later).met
    assert not freshness(flow).met  # without an objective, whatever is behind is too much
    build(small_project, WordsEmbedder())
    assert freshness(opened(small_project), now=later).lag_hours == 0


def test_an_old_file_that_was_copied_in_is_behind_only_since_the_last_look(
    flow: Flow, small_project: SmallProject
) -> None:
    old = small_project.documents / "old.md"
    old.write_text("# Old\n\nA letter of the last century.\n", encoding="utf-8")
    os.utime(old, (0, 0))
    (item,) = freshness(flow, now=datetime.now(UTC) + timedelta(hours=2)).behind
    assert item.modified.startswith("1970-01-01")
    assert 1.9 < item.hours < 2.1


def test_the_objective_stands_in_flow_yaml_and_is_refused_when_negative(small_project: SmallProject) -> None:
    build(small_project, WordsEmbedder())
    flow = opened(small_project, "freshness.objective_hours=24")
    edit(small_project)
    assert freshness(flow).objective_hours == 24
    assert freshness(flow).met
    with pytest.raises(ConfigurationError, match="objective_hours"):
        opened(small_project, "freshness.objective_hours=-1")
    with pytest.raises(NotBuilt):
        freshness(opened(small_project, "chunking.size=111"))


# --- gc ---------------------------------------------------------------------------


def builds(small: SmallProject, count: int) -> list[str]:
    made = []
    for turn in range(count):
        (small.documents / "news.md").write_text(f"# News\n\nKettle number {turn}.\n", encoding="utf-8")
        made.append(build(small, WordsEmbedder()).index)
    return made


def test_gc_keeps_what_is_current_and_the_last_ones(flow: Flow, small_project: SmallProject) -> None:
    first = flow.index_id
    made = builds(small_project, 4)
    planned = clean_up(flow.project, retention=LAST_ONLY.model_copy(update={"keep_last": 2}), dry_run=True)
    assert {path.name for path in flow.project.indexes.iterdir()} == {first, *made}
    done = clean_up(flow.project, retention=LAST_ONLY.model_copy(update={"keep_last": 2}))
    assert set(done.removed) == set(planned.removed) == {first, *made[:2]}
    assert {path.name for path in flow.project.indexes.iterdir()} == set(made[2:])
    assert done.bytes >= sum(done.removed.values()) > 0
    reasons = {kept.index: kept.reasons for kept in done.kept}
    assert "current of kettles" in reasons[made[3]]
    assert reasons[made[2]] == ("one of the last 2 of kettles",)
    assert clean_up(flow.project, retention=LAST_ONLY.model_copy(update={"keep_last": 2})).removed == {}


def test_gc_keeps_what_is_young_and_what_another_combination_of_settings_uses(
    flow: Flow, small_project: SmallProject
) -> None:
    made = builds(small_project, 2)
    assert clean_up(flow.project, retention=LAST_ONLY.model_copy(update={"keep_days": 1.0})).removed == {}
    other = build(small_project, WordsEmbedder(), overrides=("chunking.size=120",)).index
    assert set(clean_up(flow.project, retention=LAST_ONLY).removed) == {flow_first(flow), made[0]}
    assert (flow.project.indexes / other).is_dir()


def flow_first(flow: Flow) -> str:
    return read_history(flow.project, flow.name)[0].index


def test_gc_leaves_what_a_process_has_open(flow: Flow, small_project: SmallProject) -> None:
    held = flow.pipeline
    builds(small_project, 2)
    done = clean_up(flow.project, retention=LAST_ONLY)
    assert [kept.index for kept in done.kept if kept.reasons == ("open in a running process",)] == [held.served.index]
    assert held.search("limescale")
    del held
    flow._pipeline = None
    assert len(clean_up(flow.project, retention=LAST_ONLY).removed) == 1


def test_gc_sweeps_what_killed_writers_left_and_prunes_vectors(flow: Flow, small_project: SmallProject) -> None:
    builds(small_project, 3)
    left = flow.project.indexes / ".tmp-999999999-abcd"
    left.mkdir()
    (left / "chunks.jsonl").write_text("half" * 100, encoding="utf-8")
    done = clean_up(flow.project, retention=LAST_ONLY)
    assert done.leftovers == 1
    assert not left.exists()
    assert done.vectors == 2  # of two pieces of news that no index holds
    embedder = WordsEmbedder()
    shutil.rmtree(current(small_project))
    build(small_project, embedder)
    assert embedder.asked == 0  # those in use are there still


def test_gc_waits_for_builds_and_says_so(flow: Flow) -> None:
    with locked(flow.project.lock, shared=True), pytest.raises(Conflict, match="builds an index"):
        clean_up(flow.project, wait_s=0)


def test_gc_never_removes_what_a_release_or_its_history_uses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GENAIOPS_HOME", raising=False)
    flow = workshop.load(workshop.copy(tmp_path) / "flows" / "workshop")
    released = flow.index_id
    for turn in range(2):
        (flow.folder.parents[1] / "manual" / "news.md").write_text(f"# News\n\nTandem {turn}.\n", encoding="utf-8")
        flow.build()
    done = clean_up(flow.project, retention=LAST_ONLY)
    assert len(done.removed) == 1
    assert any(kept.index == released and "(dev, test, prod)" in kept.reasons[0] for kept in done.kept)
    (release,) = flow.project.releases.glob("*.json")
    release.write_text("{}", encoding="utf-8")
    with pytest.raises(IntegrityError):  # what it uses is not known, so nothing goes
        clean_up(flow.project, retention=LAST_ONLY)


def test_retention_is_refused_when_it_keeps_nothing(small_project: SmallProject) -> None:
    (small_project.root / "genaiops.yaml").write_text("retention: {keep_last: 0}\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="keep_last"):
        Project.find(small_project.root)
    (small_project.root / "genaiops.yaml").write_text("retention: {keep_last: 5, keep_days: 7}\n", encoding="utf-8")
    assert Project.find(small_project.root).settings.retention.keep_last == 5


def test_a_project_without_state_has_nothing_to_clean(small_project: SmallProject) -> None:
    project = Project.find(small_project.root)
    assert clean_up(project).removed == {}
    assert list_indexes(project) == ()
    assert not project.home.exists()


# --- rebuild ----------------------------------------------------------------------


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Flow:
    monkeypatch.delenv("GENAIOPS_HOME", raising=False)
    return workshop.load(workshop.copy(tmp_path) / "flows" / "workshop")


def test_a_whole_index_is_confirmed_and_not_touched(shop: Flow) -> None:
    folder = shop.project.indexes / shop.index_id
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    done = rebuild_index(shop.project, shop.index_id)
    assert (done.state, done.documents_from, done.content) == ("confirmed", "snapshot", read_manifest(folder).content)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


@pytest.mark.parametrize("harm", ["gone", "vectors", "chunks", "documents", "manifest"])
def test_a_removed_or_damaged_index_is_made_again_the_same(shop: Flow, harm: str) -> None:
    folder = shop.project.indexes / shop.index_id
    files = dict(read_manifest(folder).files)
    named = {"vectors": "vectors.faiss", "chunks": "chunks.jsonl", "documents": "documents.jsonl",
             "manifest": "manifest.json"}  # fmt: skip
    if harm == "gone":
        shutil.rmtree(folder)
    else:
        (folder / named[harm]).write_bytes(b"damaged")
    done = rebuild_index(shop.project, shop.index_id)
    kept = harm in ("vectors", "chunks")
    assert (done.state, done.documents_from) == ("restored", "snapshot" if kept else "sources")
    made = read_manifest(folder).files
    assert {name: made[name] for name in ("documents.jsonl", "chunks.jsonl")} == {
        name: files[name] for name in ("documents.jsonl", "chunks.jsonl")
    }
    assert shop.ask("What are loose hub bearings packed with?").citations


def test_what_cannot_be_the_same_is_refused_with_what_differs(shop: Flow) -> None:
    folder, manual = shop.project.indexes / shop.index_id, shop.folder.parents[1] / "manual"
    index = shop.index_id
    shutil.rmtree(folder)
    page = manual / "wheels.md"
    text = page.read_text()
    page.write_text(text.replace("4.5 bar", "5.5 bar"), encoding="utf-8")
    with pytest.raises(IndexMismatch, match="cannot be made again") as caught:
        rebuild_index(shop.project, index)
    assert "the documents" in caught.value.remedy
    assert not folder.exists()
    assert not list(shop.project.indexes.glob(".tmp-*"))
    page.write_text(text, encoding="utf-8")
    history = shop.project.flows / "workshop" / "history.jsonl"
    rows = [json.loads(line) for line in history.read_text().splitlines()]
    history.write_text("".join(
        json.dumps({**row, "settings": {**row["settings"], "chunking": {**row["settings"]["chunking"], "size": 150}}})
        + "\n" for row in rows), encoding="utf-8")  # fmt: skip
    with pytest.raises(IndexMismatch) as caught:
        rebuild_index(shop.project, index)
    assert "chunking" in caught.value.remedy
    history.unlink()
    with pytest.raises(NotFound, match="nobody knows"):
        rebuild_index(shop.project, index)


def test_without_a_history_the_manifest_tells_the_settings(shop: Flow) -> None:
    (shop.project.flows / "workshop" / "history.jsonl").unlink()
    assert rebuild_index(shop.project, shop.index_id).state == "confirmed"
    (shop.project.indexes / shop.index_id / "vectors.faiss").unlink()
    assert rebuild_index(shop.project, shop.index_id).state == "restored"


# --- list -------------------------------------------------------------------------


def test_indexes_tell_who_uses_them_and_which_are_gone(flow: Flow, small_project: SmallProject) -> None:
    first = flow.index_id
    time.sleep(0.01)
    builds(small_project, 1)
    shutil.rmtree(flow.project.indexes / first)
    gone, now = list_indexes(flow.project, "kettles")
    assert (gone.id, gone.present, gone.problem, gone.used_by) == (first, False, "removed", ())
    assert now.used_by == ("current of kettles",)
    assert now.bytes > 0
    assert list_indexes(flow.project, "another") == ()
