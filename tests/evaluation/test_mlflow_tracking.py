from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from genaiops.errors import ConfigurationError
from genaiops.evaluation import Run, Subject, evaluate, track
from genaiops.evaluation.records import Failure, SentenceVerdict
from genaiops.evaluation.tracking import metric_name
from genaiops.golden_sets import GoldenSet
from genaiops.records import Case, Query
from tests.cli.commands import runner, write

SETTINGS = {
    "retrieval": {"search": "hybrid", "top_k": 6},
    "enrichment": ["heading_path"],
    "generation": {"model": "gpt", "api_key": "sk-123", "max_output_tokens": 512, "note": "x" * 7000, "empty": ""},
}


@pytest.fixture(scope="module")
def run() -> Run:
    def ask(query: Query) -> str:
        if query.id == "b":
            raise RuntimeError("down")
        return "Blue."

    golden = GoldenSet("mine", (Case("a", "What colour?", reference="blue"), Case("b", "Which?", reference="red")))
    subject = Subject("handbook", {"flow": "f1", "prompt": "p1", "index": "i1"}, SETTINGS)
    made = evaluate(ask, golden, measures=["exact_match", "recall@6", "refusal"], subject=subject)
    # As a measure that explains itself, and the waterfall, leave them.
    said = {"exact_match": (SentenceVerdict(0, 5, 0.25, "unsupported", 0, 0, 0),)}
    first, second = made.results
    lost = replace(second, failure=Failure("error", "the endpoint was down", "generation.timeout_s"))
    return replace(made, results=(replace(first, verdicts=said), lost))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tracking") / "state" / "mlflow.db"


@pytest.fixture(scope="module")
def first_use(run: Run, store: Path) -> subprocess.CompletedProcess[str]:
    """A process of its own that makes the store and tracks the run in it."""
    folder = store.parent.parent
    code = (
        "import sys; from pathlib import Path; from genaiops.evaluation import Run, track;"
        "track(Run.load(Path(sys.argv[1])), {}, uri=sys.argv[2], experiment='first')"
    )
    command = [sys.executable, "-c", code, str(run.save(folder / "runs")), f"sqlite:///{store}"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, env=environment)


@pytest.fixture(scope="module")
def tracked(run: Run, store: Path, first_use: subprocess.CompletedProcess[str]) -> Any:
    """The run as MLflow's own client reads it back."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tracked_id = track(run, {"report.html": "<p>hello</p>"}, uri=f"sqlite:///{store}", experiment="handbook")
        from mlflow import MlflowClient

        client = MlflowClient(tracking_uri=f"sqlite:///{store}")
        found = client.get_run(tracked_id)
        names = [item.path for item in client.list_artifacts(tracked_id)]
        files = {name: client.download_artifacts(tracked_id, name) for name in names}
    return found, {name: Path(path).read_text(encoding="utf-8") for name, path in files.items()}


def test_settings_become_parameters_clipped_and_without_secrets(tracked: Any) -> None:
    params = tracked[0].data.params
    assert params["flow"] == "handbook"
    assert params["settings.retrieval.top_k"] == "6"
    assert params["settings.enrichment"] == '["heading_path"]'
    assert params["settings.generation.api_key"] == "***"
    assert params["settings.generation.max_output_tokens"] == "512"
    assert len(params["settings.generation.note"]) == 6000


def test_summaries_become_metrics(tracked: Any, run: Run) -> None:
    metrics = tracked[0].data.metrics
    summary = run.summary("exact_match")
    assert summary is not None
    assert metrics == {
        "exact_match": 1.0,
        "exact_match.low": summary.low,
        "exact_match.high": summary.high,
        "exact_match.coverage": 0.5,
        "lost_at.error": 1.0,
    }  # recall@6 and refusal apply to no case


def test_digests_become_tags(tracked: Any, run: Run) -> None:
    tags = tracked[0].data.tags
    assert tags["genaiops.run"] == run.id == tags["mlflow.runName"]
    assert tags["genaiops.index.digest"] == "i1"
    assert tags["genaiops.golden_set.digest"] == run.golden_set_digest
    assert tracked[0].info.status == "FINISHED"


def test_report_record_and_cases_are_artifacts_beside_the_store(tracked: Any, run: Run, store: Path) -> None:
    artifacts = tracked[1]
    assert set(artifacts) == {"report.html", "run.json", "cases.json"}
    assert artifacts["report.html"] == "<p>hello</p>"
    assert Run.from_json(json.loads(artifacts["run.json"])) == run
    table = json.loads(artifacts["cases.json"])
    assert table["columns"] == [
        "id", "kind", "question", "answer", "error", "lost_at", "lost_why", "exact_match", "recall@6", "refusal",
        "exact_match.not_supported",
    ]  # fmt: skip
    first, second = table["data"]
    assert first[:8] == ["a", "answerable", "What colour?", "Blue.", "", "", "", 1.0]
    assert first[-1] == "unsupported (0.25): Blue." and second[-1] == ""
    assert second[5:7] == ["error", "the endpoint was down"]
    assert second[7].startswith("no answer: RuntimeError: down")
    assert tracked[0].info.artifact_uri.startswith(f"file://{store.parent}/artifacts/")


def test_nothing_is_left_set(run: Run, store: Path, tracked: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_DISABLE_TELEMETRY", raising=False)
    before, level = dict(os.environ), logging.getLogger("mlflow").level
    track(run, {}, uri=f"sqlite:///{store}", experiment="left")
    assert os.environ == before
    assert logging.getLogger("mlflow").level == level


def test_many_parameters_and_measures_take_several_batches(run: Run, store: Path, tracked: Any) -> None:
    subject = Subject("big", {}, {f"key{n}": n for n in range(250)})
    summaries = tuple(replace(run.summaries[0], measure=f"recall@{n}") for n in range(1, 301))
    results = tuple(
        replace(result, outcomes={s.measure: result.outcomes["exact_match"] for s in summaries})
        for result in run.results
    )
    big = replace(run, subject=subject, summaries=summaries, results=results)
    found = track(big, {}, uri=f"sqlite:///{store}", experiment="handbook")
    from mlflow import MlflowClient

    data = MlflowClient(tracking_uri=f"sqlite:///{store}").get_run(found).data
    assert data.params["settings.key249"] == "249"
    assert data.metrics["recall_at_300.coverage"] == 0.5
    assert len(data.metrics) == 1200 + 1  # and how many answers were lost to an error


def test_a_deleted_experiment_is_named(run: Run, store: Path, tracked: Any) -> None:
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=f"sqlite:///{store}")
    client.delete_experiment(client.create_experiment("gone"))
    with pytest.raises(ConfigurationError, match="'gone' was deleted"):
        track(run, {}, uri=f"sqlite:///{store}", experiment="gone")


def test_a_damaged_store_is_a_configuration_error(run: Run, tmp_path: Path, tracked: Any) -> None:
    path = tmp_path / "mlflow.db"
    path.write_bytes(b"not a database" * 100)
    with pytest.raises(ConfigurationError, match="file is not a database") as raised:
        track(run, {}, uri=f"sqlite:///{path}", experiment="x")
    assert "tracking" in raised.value.remedy


@pytest.mark.parametrize("name", ["../x.html", "/x", "a/b", "", ".hidden"])
def test_an_artifact_stays_in_its_folder(run: Run, name: str, store: Path) -> None:
    with pytest.raises(ConfigurationError, match="file name of an artifact"):
        track(run, {name: "x"}, uri=f"sqlite:///{store}", experiment="x")


def test_names_of_measures_are_made_fit() -> None:
    assert metric_name("recall@6") == "recall_at_6"
    assert metric_name("ragas:faithfulness") == "ragas:faithfulness"
    assert metric_name("größe %") == "gr__e _"


def test_the_first_use_of_a_store_is_silent(first_use: subprocess.CompletedProcess[str], store: Path) -> None:
    assert (first_use.returncode, first_use.stdout, first_use.stderr) == (0, "", "")
    # Nothing was written into the working folder.
    assert sorted(path.name for path in store.parent.parent.iterdir()) == ["runs", "state"]
    assert sorted(path.name for path in store.parent.iterdir()) == ["artifacts", "mlflow.db"]


@pytest.mark.filterwarnings("ignore")  # of MLflow's use of SQLAlchemy
def test_a_run_that_was_issued_again_takes_the_place_of_the_old_one(run: Run, tmp_path: Path) -> None:
    from mlflow import MlflowClient

    from genaiops.evaluation.tracking import retrack

    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    tracked = track(run, {"report.html": "<html>Blue.</html>"}, uri=uri, experiment="mine")
    new = replace(run, id="20260101t000000z-00000000", results=run.results[1:])
    assert retrack(run.id, new, {"report.html": "<html></html>"}, uri=uri) == [tracked]
    folder = next(path for path in (tmp_path / "artifacts").rglob("run.json")).parent
    assert not any("Blue" in path.read_text() for path in folder.iterdir())
    assert json.loads((folder / "run.json").read_text()) == json.loads(json.dumps(new.to_json()))
    found = MlflowClient(tracking_uri=uri).get_run(tracked)
    assert found.data.tags["genaiops.run"] == new.id
    assert found.info.run_name == new.id
    assert retrack(run.id, None, {"report.html": ""}, uri=uri) == []  # it has the new id now
    assert retrack(new.id, None, {"report.html": ""}, uri=uri) == [tracked]
    assert (folder / "run.json").read_text() == ""
    with pytest.raises(ConfigurationError, match="tracking store"):
        retrack(run.id, None, {}, uri="sqlite:////proc/nowhere/mlflow.db")


def test_what_score_keeps_is_tracked_as_runs_of_flows_are_with_its_report_and_verdict(
    store: Path,
    tracked: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from mlflow import MlflowClient

    monkeypatch.delenv("GENAIOPS_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "genaiops.yaml").write_text(f"tracking: 'sqlite:///{store}'\n")
    (tmp_path / "gate.yaml").write_text("rules: [{measure: exact_match, at_least: 0.5}]\n")
    row = {"question": "Is it?", "answer": "Yes.", "reference": "Yes."}
    rows = write("rows.jsonl", *({**row, "id": n} for n in range(40)))
    asked = ("score", rows, "-m", "exact_match", "--gate", "gate.yaml", "--json")
    run = runner(monkeypatch, capsys)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        alone, kept = run(*asked), run(*asked, "--keep", "helpdesk")
        client = MlflowClient(tracking_uri=f"sqlite:///{store}")
        (found,) = client.search_runs([client.get_experiment_by_name("helpdesk").experiment_id])
        names = {item.path for item in client.list_artifacts(found.info.run_id)}
    assert (alone.code, kept.code) == (0, 0), alone.err + kept.err  # and what is not kept is not tracked
    assert (found.info.run_name, found.data.metrics["exact_match"]) == (kept.json["run"], 1.0)
    assert found.data.tags["genaiops.verdict"] == "pass"
    assert names == {"cases.json", "report.html", "run.json"}
    (report,) = tmp_path.glob(".genaiops/runs/*/report.html")
    assert "pass" in report.read_text()
