"""A flow's way to an environment: measured, judged, bundled, opened again."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from genaiops.delivery import (
    evaluate_flow,
    evaluate_release,
    evaluating,
    find_evaluation,
    gate_flow,
    open_release,
    release_flow,
)
from genaiops.delivery.judged_runs import kept_verdict
from genaiops.errors import ConfigurationError, GateRefused, GoldenSetError, IntegrityError, NotBuilt, NotFound
from genaiops.evaluation import Run
from genaiops.evaluation.provenance import versions
from genaiops.evaluation.records import Git
from genaiops.evaluation.runs import list_runs, new_run
from genaiops.files import sha256_of_file
from genaiops.flow import Flow
from genaiops.indexing.manifest import CHUNKS_FILE, MANIFEST_FILE, read_manifest
from genaiops.promotion import Registry
from genaiops.promotion.release import NotProven
from genaiops.records import Score
from tests.flow import workshop
from tests.small_project import SmallProject


@pytest.fixture
def flow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Flow:
    """The workshop's flow, released to prod."""
    monkeypatch.delenv("GENAIOPS_HOME", raising=False)
    return workshop.load(workshop.copy(tmp_path) / "flows" / "workshop")


def runs_of(flow: Flow) -> int:
    return len(list_runs(flow.project.runs))


# --- evaluate -----------------------------------------------------------------


def test_a_measured_flow_leaves_a_run_a_report_and_can_be_found_again(flow: Flow) -> None:
    other = workshop.load(flow.folder, "retrieval.top_k=3", "evaluation.measures=[recall@3, latency_p95_s]")
    assert find_evaluation(other, other.served) is None
    evaluated = evaluate_flow(other)
    assert Run.load(evaluated.folder) == evaluated.run
    assert "<html" in evaluated.report.read_text(encoding="utf-8")
    assert evaluated.tracked == ""
    assert evaluated.run.subject.digests == {
        "flow": other.served.digest, "prompt": other.prompt.digest, "index": other.index_id,
    }  # fmt: skip
    assert evaluated.run.subject.settings["retrieval"]["top_k"] == 3
    found = find_evaluation(other, other.served)
    assert found is not None
    assert found.id == evaluated.run.id


def test_no_latency_holds_the_loading_of_the_model_or_the_index(flow: Flow) -> None:
    run = evaluate_flow(workshop.load(flow.folder, "evaluation.measures=[latency_s]")).run
    seconds = [o.value for o in (result.outcomes["latency_s"] for result in run.results) if isinstance(o, Score)]
    assert seconds[0] < 20 * sorted(seconds)[len(seconds) // 2]


@pytest.mark.parametrize(
    "change", ["retrieval.search=vector", "retrieval.top_k=3", "evaluation.measures=[recall@4, groundedness, refusal]"]
)
def test_a_run_of_something_else_is_not_taken_for_this(flow: Flow, change: str) -> None:
    mute = workshop.load(flow.folder, "prompt=mute")
    known, of_mute = find_evaluation(flow, flow.served), find_evaluation(mute, mute.served)
    assert known is not None
    assert of_mute is not None
    assert known.id != of_mute.id
    other = workshop.load(flow.folder, change)
    assert find_evaluation(other, other.served) is None


def test_a_run_on_another_golden_set_is_not_taken_for_this(flow: Flow) -> None:
    path = flow.golden_set_path / "golden.jsonl"
    path.write_text(path.read_text().replace("Tosca", "Aida"))
    assert find_evaluation(flow, flow.served) is None


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"run": 5}', '{"run": "20200101t000000z-00000000"}'])
def test_a_damaged_pointer_to_a_run_is_as_none(flow: Flow, content: str) -> None:
    for pointer in (flow.project.home / "evaluations").iterdir():
        pointer.write_text(content)
    assert find_evaluation(flow, flow.served) is None


def test_without_an_index_nothing_is_measured(small_project: SmallProject) -> None:
    flow = Flow.load(small_project.flow)
    for step in (evaluate_flow, gate_flow, release_flow):
        with pytest.raises(NotBuilt):
            step(flow)
    assert list_runs(flow.project.runs) == []


def test_a_quote_that_no_document_holds_stops_before_the_first_question(flow: Flow) -> None:
    path = flow.golden_set_path / "golden.jsonl"
    path.write_text(path.read_text().replace('"quote": "Touring', '"quote": "Racing'))
    before = runs_of(flow)
    with pytest.raises(GoldenSetError) as caught:
        evaluate_flow(flow)
    assert "wheels-0" in str(caught.value)
    assert "line 7" in str(caught.value)
    assert runs_of(flow) == before


# --- gate ---------------------------------------------------------------------


ITSELF = "nothing was compared but the run with itself"


def test_a_flow_that_is_what_the_champion_serves_is_judged_on_the_champions_run_and_asked_nothing(flow: Flow) -> None:
    before = runs_of(flow)
    kept = find_evaluation(flow, flow.served)
    assert kept is not None
    said = kept_verdict(flow.project, kept)
    for sequential in (False, True):
        gated = gate_flow(flow, sequential=sequential)
        assert gated.champion is not None
        assert (gated.decision.verdict, gated.taken_over, runs_of(flow)) == ("pass", True, before)
        assert gated.champion.id == gated.evaluated.run.id
        assert any(ITSELF in reason for reason in gated.decision.reasons)
    assert kept_verdict(flow.project, kept) == said  # a run compared with itself was shown nothing
    # Whoever wants the model asked again, which may have changed behind its name, evaluates.
    made = evaluate_flow(flow)
    after = gate_flow(flow)
    assert (after.taken_over, after.evaluated.run.id) == (True, made.run.id)
    assert not any(ITSELF in reason for reason in after.decision.reasons)


def test_the_champions_run_is_not_taken_when_other_packages_would_make_another(
    flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = versions()
    monkeypatch.setattr("genaiops.delivery.releasing.versions", lambda: {**now, "platform": "another kernel"})
    assert gate_flow(flow).taken_over
    assert {"tokenizers", "onnxruntime"} <= now.keys()  # of the fast session, which embeds questions
    monkeypatch.setattr("genaiops.delivery.releasing.versions", lambda: {**now, "numpy": "0.0.1"})
    gated = gate_flow(flow)
    assert gated.champion is not None
    assert not gated.taken_over
    assert gated.champion.id != gated.evaluated.run.id


def test_another_run_under_the_name_of_the_champions_is_not_taken(flow: Flow) -> None:
    champion = find_evaluation(flow, flow.served)
    assert champion is not None
    folder = flow.project.runs / champion.id
    shutil.rmtree(folder)
    replace(champion, git=Git("0" * 40, dirty=True)).save(flow.project.runs)
    gated = gate_flow(flow)
    assert not gated.taken_over
    assert gated.evaluated.run.id != champion.id


@pytest.mark.parametrize(
    "changed",
    [
        lambda run: replace(run, subject=replace(run.subject, digests={**run.subject.digests, "flow": "0" * 64})),
        lambda run: replace(run, golden_set_digest="0" * 64),
        lambda run: replace(run, judges={**run.judges, "groundedness": "0" * 64}),
        lambda run: replace(run, scales={name: scale for name, scale in run.scales.items() if name != "answered"}),
        lambda run: replace(run, repeats=2),
        lambda run: replace(run, part="all"),
        lambda run: replace(run, not_asked={"left-out": "0" * 64}),
    ],
    ids=["flow", "golden set", "judge", "measures", "repeats", "part", "stopped early"],
)
def test_a_pointer_that_leads_to_a_run_of_something_else_is_not_followed(
    flow: Flow, changed: Callable[[Run], Run]
) -> None:
    known = find_evaluation(flow, flow.served)
    assert known is not None
    (pointer,) = [
        path for path in (flow.project.home / "evaluations").iterdir() if known.id in path.read_text(encoding="utf-8")
    ]
    other = new_run(changed(known))
    other.save(flow.project.runs)
    pointer.write_text(json.dumps({"runs": [other.id]}), encoding="utf-8")
    assert find_evaluation(flow, flow.served) is None
    pointer.write_text(json.dumps({"runs": [other.id, known.id]}), encoding="utf-8")
    found = find_evaluation(flow, flow.served)
    assert found is not None and found.id == known.id


def test_a_champion_measured_on_a_smaller_golden_set_can_be_compared_with_again(flow: Flow) -> None:
    workshop.drop_a_third(flow.project.root)
    assert any("deleted or changed" in reason for reason in gate_flow(flow).decision.reasons)
    _, pipeline = open_release(flow.project, "prod", flow=flow.name)
    evaluate_release(flow, pipeline)
    assert not any("deleted or changed" in reason for reason in gate_flow(flow).decision.reasons)


def test_a_prompt_that_refuses_everything_fails_and_the_fallen_measures_are_named(flow: Flow) -> None:
    gated = gate_flow(workshop.load(flow.folder, "prompt=mute"))
    assert gated.decision.verdict == "fail"
    told = "\n".join(gated.decision.reasons)
    assert "completeness: 1.000 worse than the champion" in told
    assert "answered: 1.000 worse than the champion" in told
    assert "recall@4" not in told  # retrieval did not change


def test_a_third_of_the_cases_deleted_is_inconclusive(flow: Flow) -> None:
    workshop.drop_a_third(flow.project.root)
    assert gate_flow(flow).decision.verdict == "inconclusive"


def test_cases_the_champion_was_measured_on_and_a_changed_flow_was_not_are_inconclusive(flow: Flow) -> None:
    path = flow.golden_set_path / "golden.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[::2]))
    gated = gate_flow(workshop.load(flow.folder, "retrieval.top_k=5"))
    assert gated.decision.verdict == "inconclusive"
    assert "12 of the champion's 24 cases are not in this run" in "\n".join(gated.decision.reasons)


def test_an_unknown_environment_or_a_wrong_gate_is_told_before_anything_is_asked(flow: Flow) -> None:
    with pytest.raises(ConfigurationError, match="dev, test, prod"):
        gate_flow(flow, against="staging")
    before = runs_of(flow)
    path = flow.folder / "gate.yaml"
    path.write_text(path.read_text().replace("at_least: 0.6", "atleast: 0.6"))
    with pytest.raises(ConfigurationError, match="atleast") as caught:
        gate_flow(workshop.load(flow.folder, "retrieval.top_k=3"))
    assert caught.value.where == f"{path}:3"
    assert runs_of(flow) == before


def test_a_champion_whose_run_is_gone_does_not_look_like_no_champion(flow: Flow) -> None:
    champion = find_evaluation(flow, flow.served)
    assert champion is not None
    (flow.project.runs / champion.id / "run.json").unlink()
    with pytest.raises(NotFound, match="genaiops evaluate"):
        gate_flow(workshop.load(flow.folder, "prompt=mute"))


# --- release ------------------------------------------------------------------


def test_a_release_bundles_what_was_measured_and_answers_alike(flow: Flow) -> None:
    release, gated = release_flow(flow)
    assert release.served == flow.served.to_json()
    assert release.evidence.run == gated.evaluated.run.id
    for name in (release.digest, release.digest[:8]):
        found, pipeline = open_release(flow.project, name)
        assert found.digest == release.digest
        question = "What are loose hub bearings packed with?"
        answer = pipeline.ask(question)
        assert (answer.text, answer.release) == (flow.ask(question).text, release.digest)


def test_the_same_state_and_champion_are_the_same_release(flow: Flow) -> None:
    assert release_flow(flow)[0].digest == release_flow(workshop.load(flow.folder))[0].digest


def test_a_flow_that_fails_or_cannot_tell_is_not_released(flow: Flow) -> None:
    before = Registry.of(flow.project).releases()
    with pytest.raises(GateRefused, match="answered") as failed:
        release_flow(workshop.load(flow.folder, "prompt=mute"))
    assert failed.value.exit_code == 1
    workshop.drop_a_third(flow.project.root)
    with pytest.raises(NotProven) as unclear:
        release_flow(flow)
    assert unclear.value.exit_code == 3
    assert Registry.of(flow.project).releases() == before


def test_a_release_can_be_measured_again_on_a_changed_golden_set(flow: Flow) -> None:
    workshop.drop_a_third(flow.project.root)
    _, pipeline = open_release(flow.project, "prod")
    run = evaluate_release(flow, pipeline).run
    assert len(run.results) == 21
    assert run.subject.digests["flow"] == pipeline.served.digest
    found = find_evaluation(flow, pipeline.served)
    assert found is not None and found.id == run.id


@pytest.mark.parametrize("name", ["abcdef", "prodd"])
def test_a_release_that_is_not_there_is_told(flow: Flow, name: str) -> None:
    with pytest.raises((NotFound, ConfigurationError)):
        open_release(flow.project, name)


def test_a_release_whose_served_part_was_altered_is_refused(flow: Flow) -> None:
    release, _ = open_release(flow.project, "prod")
    path = flow.project.releases / f"{release.digest}.json"
    data = json.loads(path.read_text())
    data["served"]["prompt"]["template"][0]["content"] = "Say yes to everything."
    path.write_text(json.dumps(data))
    with pytest.raises(IntegrityError):
        open_release(flow.project, "prod")


def test_a_damaged_index_stops_the_gate_although_a_run_is_kept(flow: Flow) -> None:
    vectors = flow.project.indexes / flow.index_id / "vectors.faiss"
    content = bytearray(vectors.read_bytes())
    content[-1] ^= 1
    vectors.write_bytes(content)
    with pytest.raises(IntegrityError, match="changed after the index was built"):
        gate_flow(workshop.load(flow.folder))


def test_an_index_with_other_chunks_under_a_sound_manifest_is_not_what_was_released(flow: Flow) -> None:
    folder = flow.project.indexes / flow.index_id
    chunks = folder / CHUNKS_FILE
    told = chunks.read_text(encoding="utf-8")
    assert " the " in told
    chunks.write_text(told.replace(" the ", " no "), encoding="utf-8")
    manifest = read_manifest(folder)
    forged = replace(manifest, files={**manifest.files, CHUNKS_FILE: sha256_of_file(chunks)})
    (folder / MANIFEST_FILE).write_text(forged.text, encoding="utf-8")
    with pytest.raises(IntegrityError, match="other chunks"):
        open_release(flow.project, "prod", flow=flow.name)


def test_a_run_of_other_code_is_not_taken_for_this(flow: Flow, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_evaluation(flow, flow.served) is not None
    monkeypatch.setattr(evaluating, "code_digest", lambda: "other code")
    assert find_evaluation(flow, flow.served) is None
