"""A document erased from every store: nothing of it is left, everything else still works, and it cannot come back."""

from __future__ import annotations

import json
import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from genaiops.delivery import allow_again, evaluate_flow, forget, gate_flow, open_release, plan_forget, read_receipts
from genaiops.delivery.forgetting.erasure import JOURNAL_FILE, Erasure, passages_of, unfinished
from genaiops.delivery.forgetting.finding import find
from genaiops.delivery.forgetting.probes import probe_all
from genaiops.delivery.judged_runs import VERDICT_FILE, kept_verdict, verdict_of
from genaiops.errors import ConfigurationError, Conflict, IntegrityError, NotBuilt, NotFound
from genaiops.evaluation import Run
from genaiops.evaluation.runs import list_runs, new_run
from genaiops.evaluation.tracking import track
from genaiops.files import locked
from genaiops.flow import Flow
from genaiops.flow.history import read_history
from genaiops.flow.tombstones import TOMBSTONES_FILE, blocked, read_tombstones
from genaiops.golden_sets import GoldenSet
from genaiops.indexing import read_manifest
from genaiops.promotion import Registry, load_gate
from genaiops.records import Document
from tests.flow import workshop

ERASED = "office/bookings.md"
SENTENCES = [sentence for _, sentence, _ in workshop.FACTS[ERASED]]


@pytest.fixture
def flow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Flow:
    """The workshop's flow, built, measured, released and served by three environments."""
    monkeypatch.delenv("GENAIOPS_HOME", raising=False)
    return workshop.load(workshop.copy(tmp_path) / "flows" / "workshop")


def again(flow: Flow) -> Flow:
    return workshop.load(flow.folder)


def bytes_of(folder: Path) -> bytes:
    return b"\n".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def assert_gone(flow: Flow) -> None:
    """By our own looking, not that of the receipt."""
    everything = bytes_of(flow.project.home) + flow.golden_set_path.joinpath("golden.jsonl").read_bytes()
    for sentence in SENTENCES:
        assert sentence.encode() not in everything
    assert ERASED.encode() not in everything


def test_nothing_of_it_is_left_and_the_receipt_says_what_was_done(flow: Flow) -> None:
    assert SENTENCES[0].encode() in bytes_of(flow.project.home)
    before = flow.index_id
    receipt = forget(flow, document=ERASED, actor="dpo")
    assert receipt.proved
    assert_gone(flow)
    stores = [item.store for item in receipt.artefacts]
    assert {store: stores.count(store) for store in stores} == {
        "index": 1, "run": 3, "release": 1, "environment": 3, "current index": 1, "evaluation pointer": 3,
        "golden set": 1, "cache": 4,
    }  # fmt: skip
    assert {probe.by for probe in receipt.probes} == {"id", "text", "vector"}
    assert all(probe.looked_at > 0 for probe in receipt.probes)
    assert (receipt.actor, receipt.versions, receipt.passages > 10) == ("dpo", 1, True)
    assert receipt.source_present
    assert not (flow.project.indexes / before).exists()
    assert read_receipts(flow.project) == [receipt]
    text = (flow.project.home / "receipts" / "000001.json").read_text()
    assert ERASED not in text and "bookings" not in text


def test_the_index_in_its_place_is_the_one_a_build_would_make(flow: Flow) -> None:
    forget(flow, document=ERASED)
    made = again(flow).index_id
    content = read_manifest(flow.project.indexes / made).content
    vectors = (flow.project.indexes / made / "vectors.faiss").read_bytes()
    shutil.rmtree(flow.project.indexes / made)
    report = again(flow).build()  # its source is still there, and is left out
    assert_gone(flow)  # of caches too
    assert (report.index, report.documents) == (made, 3)
    assert read_manifest(flow.project.indexes / made).content == content
    assert (flow.project.indexes / made / "vectors.faiss").read_bytes() == vectors
    told = read_history(flow.project, "workshop")
    assert [built.reason for built in told][-2:] == ["forget", "build"]


def test_it_stays_away_under_any_name_until_it_is_allowed_again(flow: Flow) -> None:
    page = flow.folder.parents[1] / "manual" / ERASED
    forget(flow, document=ERASED)
    (page.parent / "copy.md").write_text(page.read_text().replace("\n\n", "\n \n").upper(), encoding="utf-8")
    page.write_text("# Bookings\n\nAnother text.\n", encoding="utf-8")
    flow.build()
    assert {document.id for document in again(flow).documents()} == {"brakes.md", "wheels.md", "office/warranty.md"}
    assert allow_again(flow, ERASED) == 1
    assert read_tombstones(flow.project) == ()
    flow.build()
    assert len(again(flow).documents()) == 5


def test_what_a_gate_said_of_a_run_outlives_the_erasure_of_a_document(flow: Flow) -> None:
    """Otherwise a run that failed would look like one that no gate met, which may be a champion."""
    mute = workshop.load(flow.folder, "prompt=mute")
    failed, passed = gate_flow(mute).evaluated.run, gate_flow(flow).evaluated.run
    kept = replace(failed, verdict="fail", subject=replace(failed.subject, flow="application"))
    kept = new_run(kept)
    kept.save(flow.project.runs)
    unreadable = new_run(replace(failed, seed=1))
    (unreadable.save(flow.project.runs) / VERDICT_FILE).write_text("{}")
    receipt = forget(flow, document=ERASED)
    now = {item.before: item.after for item in receipt.artefacts if item.store == "run"}
    said = {}
    for name, old in {"failed": failed, "passed": passed, "kept": kept, "unreadable": unreadable}.items():
        run = Run.load(flow.project.runs / now[old.id])
        said[name] = verdict_of(flow.project, run)
        report = (flow.project.runs / run.id / "report.html").read_text()
        assert f"verdict {said[name]}" in report and "was not judged again" in report
    assert said == {"failed": "fail", "passed": "pass", "kept": "fail", "unreadable": "inconclusive"}
    decision = kept_verdict(flow.project, Run.load(flow.project.runs / now[failed.id]))
    assert decision is not None
    assert (decision.gate, decision.rules) == (load_gate(flow.folder).digest, ())
    assert_gone(flow)


def test_environments_serve_a_release_without_it_and_can_roll_back(flow: Flow) -> None:
    registry = Registry.of(flow.project)
    first = registry.pointer("prod").release
    (flow.folder.parents[1] / "manual" / "news.md").write_text("# News\n\nTandems are repaired too.\n")
    flow.build()
    from genaiops.delivery import release_flow

    second, _ = release_flow(again(flow))
    registry.promote(second, to="dev")
    forget(again(flow), document=ERASED)
    assert registry.verify_audit().ok
    pointers = {pointer.environment: pointer.release for pointer in registry.status()}
    assert first not in pointers.values() and second.digest not in pointers.values()
    release, pipeline = open_release(flow.project, "dev")
    assert not any(hit.chunk.document_id == ERASED for hit in pipeline.search("When does the workshop open?", 50))
    assert pipeline.ask("What are loose hub bearings packed with?").citations
    assert release.evidence.digests["replaces"] == second.digest
    assert any("not measured again" in reason for reason in release.evidence.decision.reasons)
    assert release.evidence.decision.verdict == "pass"
    back = registry.rollback("dev")
    assert back.release == pointers["prod"]  # what the old first release became
    assert open_release(flow.project, "dev")[0].digest == pointers["prod"]
    registry.promote(release.digest, to="dev")
    registry.promote(release.digest, to="test")
    with pytest.raises(NotFound, match="was re-issued as"):
        registry.promote(str(first), to="dev")
    assert registry.verify_audit().ok
    actions = [event.action for event in registry.history("dev")]
    assert actions == ["promote", "promote", "replace", "rollback", "promote"]


def test_a_gate_still_compares_with_the_champion_that_was_issued_again(flow: Flow) -> None:
    forget(flow, document=ERASED)
    gated = gate_flow(again(flow))
    assert gated.champion is not None  # its run, without the cases about the document
    assert {rule.verdict for rule in gated.decision.rules} <= {"pass", "inconclusive"}  # fewer cases prove less
    assert not any(rule.skipped for rule in gated.decision.rules)


def test_runs_lose_its_cases_hits_and_answers_and_stay_sound(flow: Flow) -> None:
    from genaiops.promotion.evidence import run_problems

    before = {path.name for path in list_runs(flow.project.runs)}
    forget(flow, document=ERASED)
    runs = [Run.load(path) for path in list_runs(flow.project.runs)]
    assert len(runs) == 3
    assert not before & {run.id for run in runs}
    for run in runs:
        assert run_problems(run) == ()
        assert not any(item.document == ERASED for result in run.results for item in result.case.evidence)
        texts = [hit.chunk.document_id for result in run.results if result.answer for hit in result.answer.hits]
        assert "[erased]" in texts and ERASED not in texts
        report = (flow.project.runs / run.id / "report.html").read_text()
        assert SENTENCES[0] not in report
    evaluate_flow(again(flow))  # the pruned golden set fits the pruned index


def test_golden_sets_lose_its_cases_and_no_other_byte(flow: Flow) -> None:
    path = flow.golden_set_path / "golden.jsonl"
    lines = path.read_bytes().split(b"\n")
    digest = GoldenSet.load(path).digest
    receipt = forget(flow, document=ERASED)
    assert path.read_bytes().split(b"\n") == [line for line in lines if ERASED.encode() not in line]
    (change,) = [item for item in receipt.artefacts if item.store == "golden set"]
    assert (change.before, change.after) == (digest, GoldenSet.load(path).digest)
    assert "6 cases" in change.note


def test_the_cache_keeps_vectors_in_use_and_no_old_page(flow: Flow) -> None:
    file = flow.project.cache
    with sqlite3.connect(file) as db:
        db.execute("INSERT INTO read_documents VALUES ('a', 'x', ?)", (json.dumps({"documents": [{"id": ERASED}]}),))
        db.execute(
            "INSERT INTO read_documents VALUES ('b', 'y', ?)",
            (json.dumps({"text": SENTENCES[3] + " " + SENTENCES[4]}),),
        )
        db.execute("INSERT INTO read_documents VALUES ('c', 'z', ?)", (json.dumps({"text": "Something else."}),))
        db.execute("CREATE TABLE summaries (key TEXT, text TEXT)")
        db.execute("INSERT INTO summaries VALUES ('x', ?)", ("About bookings: " + " ".join(SENTENCES),))
        db.execute("CREATE TABLE deleted (text TEXT)")
        db.execute("INSERT INTO deleted VALUES (?)", ("".join(SENTENCES) * 50,))
        db.execute("DELETE FROM deleted")  # what is left of it are free pages
    db.close()
    assert any(SENTENCES[0].encode() in path.read_bytes() for path in file.parent.glob("cache.db*"))
    forget(flow, document=ERASED)
    assert not any(SENTENCES[0].encode() in path.read_bytes() for path in file.parent.glob("cache.db*"))
    with sqlite3.connect(file) as db:
        assert not db.execute("SELECT key FROM read_documents WHERE key IN ('a', 'b')").fetchall()
        assert ("c",) in db.execute("SELECT key FROM read_documents").fetchall()
        assert db.execute("SELECT COUNT(*) FROM summaries").fetchone() == (0,)
    db.close()
    shutil.rmtree(flow.project.indexes / again(flow).index_id)
    assert again(flow).build().embedded == 0


def test_every_version_and_every_copy_goes_from_every_snapshot(flow: Flow) -> None:
    manual = flow.folder.parents[1] / "manual"
    text = (manual / ERASED).read_text()
    (manual / ERASED).write_text(text + "\nTandems are booked by letter, never by telephone or by carrier pigeon.\n")
    (manual / "copy.md").write_text(text)
    flow.build()
    other = workshop.load(flow.folder, "chunking.size=400")
    other.build()
    planned = plan_forget(again(flow), document=ERASED)
    assert planned.documents == ("copy.md", ERASED)
    assert len(planned.indexes) == 3
    receipt = forget(again(flow), document=ERASED)
    assert (receipt.versions, receipt.same_text) == (3, 1)
    assert sum(item.store == "index" for item in receipt.artefacts) == 3
    assert_gone(flow)
    assert b"carrier pigeon" not in bytes_of(flow.project.home)
    assert {document.id for document in workshop.load(flow.folder, "chunking.size=400").documents()} == {
        "brakes.md", "wheels.md", "office/warranty.md",
    }  # fmt: skip


def test_passages_that_other_documents_hold_too_are_no_trace_of_it(flow: Flow) -> None:
    manual = flow.folder.parents[1] / "manual"
    quoting = manual / "quoting.md"
    quoting.write_text(f"# Quoting\n\nThe office says so itself. {SENTENCES[0]}\n\nNobody doubts it.\n")
    flow.build()
    receipt = forget(again(flow), document=ERASED)
    assert receipt.proved
    assert SENTENCES[0] in {d.id: d.text for d in again(flow).documents()}["quoting.md"]


def test_a_text_is_erased_under_whatever_id_it_has(flow: Flow, tmp_path: Path) -> None:
    text = (flow.folder.parents[1] / "manual" / ERASED).read_text()
    receipt = forget(flow, text=text.replace("\n", " "))
    assert receipt.proved
    assert_gone(flow)
    with pytest.raises(NotFound, match="no index holds that text"):
        forget(again(flow), text="A text that nobody ever wrote into a document of this workshop.")


def test_what_cannot_be_found_is_refused_with_a_near_name_and_nothing_changes(flow: Flow) -> None:
    before = bytes_of(flow.project.home)
    with pytest.raises(NotFound) as caught:
        forget(flow, document="office/booking.md")
    assert "office/bookings.md" in caught.value.remedy
    with pytest.raises(ConfigurationError, match="name what to erase"):
        forget(flow)
    with locked(flow.project.lock, shared=True), pytest.raises(Conflict, match="builds or evaluates"):
        forget(flow, document=ERASED, wait_s=0)
    assert bytes_of(flow.project.home) == before


def test_a_damaged_index_in_use_stops_it_before_anything_is_changed(flow: Flow) -> None:
    (flow.project.indexes / flow.index_id / "chunks.jsonl").write_text("damaged")
    with pytest.raises(IntegrityError, match="damaged and in use") as caught:
        forget(flow, document=ERASED)
    assert "genaiops rebuild" in caught.value.remedy
    assert not (flow.project.home / TOMBSTONES_FILE).exists()


def test_the_last_document_leaves_no_index_and_a_clear_refusal(flow: Flow) -> None:
    for name in workshop.FACTS:
        receipt = forget(again(flow), document=name)
        assert receipt.proved
    with pytest.raises(NotBuilt):
        again(flow).index_id  # noqa: B018
    with pytest.raises(NotFound, match="no release"):
        open_release(flow.project, "prod")
    assert list(flow.project.releases.glob("*.json")) == []
    assert [path for path in flow.project.indexes.iterdir()] == []


def test_what_is_still_found_is_no_success_and_the_same_command_finishes_later(flow: Flow) -> None:
    stray = flow.project.home / "notes.txt"
    stray.write_text(" ".join(SENTENCES))
    with pytest.raises(Conflict, match=r"still found: notes\.txt"):
        forget(flow, document=ERASED)
    assert not read_receipts(flow.project)[0].proved
    assert (flow.project.home / JOURNAL_FILE).stat().st_mode & 0o077 == 0
    assert unfinished(flow.project) is not None
    stray.unlink()
    receipt = forget(again(flow), document=ERASED)
    assert receipt.proved
    assert (receipt.sequence, len(receipt.artefacts)) == (2, 17)  # it tells of what was done before, too
    assert not (flow.project.home / JOURNAL_FILE).exists()
    assert_gone(flow)


def test_the_probes_find_it_before_in_every_way(flow: Flow) -> None:
    """What finds nothing afterwards must be able to find something."""
    found = probe_all(flow.project, find(flow.project, flow.name, document=ERASED))
    assert {(probe.by, probe.store): bool(probe.hits) for probe in found} == {
        ("id", "indexes"): True, ("id", "runs"): True, ("id", "golden sets"): True,
        ("text", "files of the state folder"): True, ("text", "golden sets"): True,
        ("vector", "indexes"): True, ("vector", "cache"): False,  # the index still holds those
    }  # fmt: skip
    shutil.rmtree(flow.project.indexes / flow.index_id)
    erasure = replace(find_again(flow), flow="workshop")
    assert {probe.store for probe in probe_all(flow.project, erasure) if probe.by == "vector" and probe.hits} == {
        "cache"
    }


def find_again(flow: Flow) -> Erasure:
    copy = flow.project.root.parent / "copy"
    whole = workshop.load(workshop.copy(copy) / "flows" / "workshop")
    return find(whole.project, "workshop", document=ERASED)


def test_receipts_are_chained_and_a_changed_one_is_found(flow: Flow) -> None:
    forget(flow, document=ERASED)
    forget(again(flow), document="wheels.md")
    first, second = read_receipts(flow.project)
    assert second.previous == first.digest
    assert first.document != second.document
    path = flow.project.home / "receipts" / "000001.json"
    whole = path.read_text()
    path.write_text(whole.replace('"actor":', '"actor" :').replace("workshop", "worksh0p"))
    with pytest.raises(IntegrityError, match="receipt"):
        read_receipts(flow.project)
    path.unlink()
    with pytest.raises(IntegrityError, match="before it is missing"):
        read_receipts(flow.project)


def test_tombstones_tell_nobody_and_stop_builds_when_they_cannot_be_read(flow: Flow) -> None:
    forget(flow, document=ERASED)
    content = (flow.project.home / TOMBSTONES_FILE).read_text()
    assert "bookings" not in content
    key = flow.project.home / "tombstones.key"
    assert key.stat().st_mode & 0o077 == 0
    assert blocked(flow.project)(Document(ERASED, "x"))
    assert not blocked(flow.project)(Document("wheels.md", "x"))
    key.unlink()
    with pytest.raises(IntegrityError, match="key"):
        again(flow).build()


def test_short_texts_and_runs_of_words_are_compared_in_one_form() -> None:
    assert list(passages_of("One two three")) == []
    assert list(passages_of("One, two  THREE four.")) == ["one two three four"]
    assert len(list(passages_of("a b c d e f g h i j"))) == 3


@pytest.mark.filterwarnings("ignore")  # of MLflow's use of SQLAlchemy
def test_what_mlflow_kept_before_tracking_was_switched_off_goes_too(flow: Flow) -> None:
    run = max((Run.load(folder) for folder in list_runs(flow.project.runs)), key=lambda run: len(run.results))
    assert flow.project.settings.tracking == "none"
    track(run, {}, uri=f"sqlite:///{flow.project.home / 'mlflow' / 'mlflow.db'}", experiment="workshop")
    assert SENTENCES[0].encode() in bytes_of(flow.project.home / "mlflow")
    assert forget(flow, document=ERASED).proved
    assert_gone(flow)
