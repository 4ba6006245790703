"""compare, and the reports of evaluate and gate, on a project that was built, measured and released."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from genaiops.cli.reporting import Wanted
from genaiops.delivery.comparing import named_runs
from genaiops.errors import StorageError
from genaiops.evaluation import Run as Run_
from genaiops.evaluation.runs import new_run
from genaiops.project import Project
from genaiops.testing import Reply, ScriptedModelServer
from tests.cli.commands import Run

FLOW = "flows/workshop"


def test_the_flow_of_one_name_is_that_of_the_others(run: Run, runs: list[str]) -> None:
    """A newer run of another flow is not what `latest` means beside an environment of this one."""
    folder = Path(".genaiops/runs")
    newer = Run_.load(folder / runs[1])
    stranger = replace(newer, id="99991231t000000z-00000000", subject=replace(newer.subject, flow="other"))
    stranger.save(folder)
    assert run("compare", "prod", "latest~1", "--json").json["run"] == runs[1]
    assert run("compare", "prod", "latest", "--flow", "workshop", "--shared", "--json").json["run"] == runs[2]
    assert run("compare", runs[0], "latest~1", "--json").json["run"] == runs[1]


def test_latest_and_the_run_before_are_of_one_flow(run: Run, runs: list[str]) -> None:
    folder = Path(".genaiops/runs")
    champion, mute, _ = (Run_.load(folder / name) for name in runs)
    others = [
        replace(one, id=f"9999123{number}t000000z-00000000", subject=replace(one.subject, flow="other"))
        for number, one in enumerate((champion, mute))
    ]
    for one in (others[0], replace(champion, id="99991230t120000z-00000000"), others[1]):
        one.save(folder)  # a run of the workshop lies between the two of the other flow
    told = run("compare", "latest~1", "latest", "--json").json
    assert (told["baseline"], told["run"]) == (others[0].id, others[1].id)


@pytest.fixture
def runs(root: Path) -> list[str]:
    """Ids of the project's runs, oldest first: the champion's, one that refuses everything, one on fewer cases."""
    kept = [Run_.load(path) for path in (root / ".genaiops" / "runs").iterdir()]
    return [run.id for run in sorted(kept, key=lambda run: run.created_at)]  # several may be of one second


def test_compare_tells_what_changed_in_measures_answers_and_settings(run: Run, runs: list[str]) -> None:
    champion, mute, _ = runs
    result = run("compare", "prod", mute)
    assert result.code == 0
    assert result.out.startswith(f"run {mute} compared with {champion}\n")
    row = next(line.split() for line in result.out.splitlines() if "answered" in line)
    assert row[:3] == ["answered", "1.000", "0.000"] and row[-1] == "worse"
    assert "worse  " in result.out and "before " in result.out and "now " in result.out
    assert "prompt.name: cited → mute" in result.out
    about = [line.split(": ")[0] for line in result.out.splitlines() if "refusals: " in line]
    assert about == ["before", "now"]


def test_compare_writes_the_reports_it_is_asked_for(run: Run, runs: list[str]) -> None:
    champion, mute, _ = runs
    reports = ("--html", "c.html", "--markdown", "c.md", "--report-json", "c.json", "--csv", "c.csv")
    told = run("compare", champion, mute, *reports, "--json").json
    assert told == json.loads(Path("c.json").read_text())
    assert (told["run"], told["baseline"]) == (mute, champion)
    assert told["changes"]["answered"]["verdict"] == "worse"
    assert {"name": "prompt.name", "before": "cited", "after": "mute"} in told["differences"]
    page = BeautifulSoup(Path("c.html").read_text(), "html.parser")
    assert len(page.select("details[data-state=regressed] .sides")) == 24
    assert "| worse |" in Path("c.md").read_text()
    with Path("c.csv").open(newline="") as file:
        assert len(list(csv.reader(file))) == 33


def test_runs_go_by_id_prefix_file_environment_and_age(run: Run, runs: list[str]) -> None:
    champion, mute, fewer = runs
    folder = Path(".genaiops/runs")
    for name in (champion, champion[-8:], folder / champion, folder / champion / "run.json", "prod", "latest~2"):
        assert run("compare", name, "latest~1", "--json").json["baseline"] == champion, name
    told = run("compare", mute, "latest", "--shared", "--json").json
    assert (told["run"], told["baseline"]) == (fewer, mute)


def test_runs_of_one_second_whose_ids_do_not_tell_are_told_apart_by_their_time(run: Run, runs: list[str]) -> None:
    folder = Path(".genaiops/runs")
    one = Run_.load(folder / runs[1])
    replace(one, id="99991231t000000z-ffffffff", created_at="9999-12-31T00:00:00.100+00:00").save(folder)
    replace(one, id="99991231t000000z-00000000", created_at="9999-12-31T00:00:00.900+00:00").save(folder)
    told = run("compare", "latest~1", "latest", "--json").json
    assert (told["baseline"], told["run"]) == ("99991231t000000z-ffffffff", "99991231t000000z-00000000")


def test_latest_counts_back_among_the_runs_of_the_newest_ones_flow(run: Run, runs: list[str]) -> None:
    folder = Path(".genaiops/runs")
    one = Run_.load(folder / runs[1])
    other = replace(one.subject, flow="other")
    made = []
    for hour, subject in enumerate((other, other, one.subject, other, one.subject, other)):
        made.append(new_run(replace(one, subject=subject), now=datetime(9999, 12, 31, hour, tzinfo=UTC)))
        made[-1].save(folder)
    project = Project.find(folder.parent.parent)
    assert [r.id for r in named_runs(project, ("latest~2", "latest~1"))] == [made[1].id, made[3].id]
    assert [r.id for r in named_runs(project, ("latest~1",))] == [made[3].id]
    assert [r.id for r in named_runs(project, ("latest~1",), flow=one.subject.flow)] == [made[2].id]


def test_runs_on_different_golden_sets_are_refused_unless_the_shared_cases_are_asked_for(
    run: Run, runs: list[str]
) -> None:
    refused = run("compare", "prod", "latest", "--html", "never.html")
    assert refused.code == 2
    assert "different golden sets" in refused.err and "--shared" in refused.err
    assert not Path("never.html").exists()
    shared = run("compare", "prod", "latest", "--shared", "--html", "c.html")
    assert shared.code == 0
    assert "left out: 11 cases only in" in shared.out
    assert "21 cases" in shared.out.splitlines()[2]
    assert "left out: 11 cases only in" in Path("c.html").read_text()


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("prod", "prod"), "both are run"),
        (("prod", "nothing"), "no run 'nothing'"),
        (("prod", "latest~9"), "no run 'latest~9' of workshop"),
        (("prod", "20"), "3 runs match '20'"),
        (("prod", "latest", "--flow", "other"), "serves nothing of other"),
        (("prod", "missing/run.json"), "there is no run here"),
        (("x" * 300, "latest"), "no run 'xxx"),
    ],
)
def test_a_run_that_cannot_be_meant_is_told_with_exit_code_2(
    run: Run, runs: list[str], names: tuple[str, ...], said: str
) -> None:
    result = run("compare", *names)
    assert (result.code, result.out) == (2, "")
    assert said in result.err


def test_an_environment_whose_run_is_gone_says_how_to_measure_it_again(run: Run, root: Path, runs: list[str]) -> None:
    (root / ".genaiops" / "runs" / runs[0] / "run.json").unlink()
    result = run("compare", "prod", runs[1])
    assert result.code == 2
    assert "genaiops evaluate FLOW --release prod" in result.err


def test_evaluate_and_gate_write_every_report(run: Run, root: Path) -> None:
    Path("step.md").write_text("What was here before.\n")
    reports = ("--html", "g.html", "--junit", "g.xml", "--markdown", "g.md", "--report-json", "g.json", "--csv",
               "g.csv", "--step-summary", "step.md")  # fmt: skip
    assert run("gate", FLOW, "--set", "prompt=mute", *reports).code == 1
    told = json.loads(Path("g.json").read_text())
    assert told["verdict"]["verdict"] == "fail" and told["changes"]["answered"]["verdict"] == "worse"
    assert all(Path(name).stat().st_size > 500 for name in reports[1::2])
    assert Path("step.md").read_text().startswith("What was here before.\n<!-- genaiops report -->")
    assert Path("g.xml").read_text().count("<testcase") == 32 + 5  # one for each case, one for each rule


def test_a_full_step_summary_takes_no_more(root: Path, runs: list[str]) -> None:
    Path("step.md").write_text("x" * 1_000_000)
    Wanted(step_summary=Path("step.md")).write(Run_.load(Path(".genaiops/runs") / runs[1]))
    assert Path("step.md").stat().st_size == 1_000_000
    Path("step.md").write_text("x" * 990_000)
    Wanted(step_summary=Path("step.md")).write(Run_.load(Path(".genaiops/runs") / runs[1]))
    assert 990_000 < Path("step.md").stat().st_size <= 1_000_000


def test_a_step_summary_without_a_path_is_not_written_and_one_that_cannot_be_is_told(
    root: Path, runs: list[str]
) -> None:
    measured = Run_.load(Path(".genaiops/runs") / runs[1])
    before = sorted(root.iterdir())
    Wanted(step_summary=Path()).write(measured)  # what an unset variable gives
    assert sorted(root.iterdir()) == before
    Wanted(step_summary=Path("new/step.md")).write(measured)
    assert Path("new/step.md").read_text().startswith("<!-- genaiops report -->")
    with pytest.raises(StorageError, match="cannot be written"):
        Wanted(step_summary=Path("new")).write(measured)


def test_the_report_of_a_real_flow_marks_what_a_model_made_up(run: Run, root: Path) -> None:
    """A model that answers one sentence from the passages and one from nowhere, judged by the real judge."""
    workshop_set = root / "eval_datasets" / "workshop" / "golden.jsonl"
    workshop_set.write_text("".join(workshop_set.read_text().splitlines(keepends=True)[9:10]))  # of hub bearings
    true = "Loose hub bearings are packed with lithium grease [1]."
    made_up = "The mayor of Oslo plays the trumpet on Fridays."
    with ScriptedModelServer([Reply(f"{true} {made_up}")] * 4) as server:
        Path("models.yaml").write_text(f"models:\n  scripted: {{model: m, base_url: '{server.base_url}'}}\n")
        options = ("--set", "generation.model=scripted", "--set", "evaluation.measures=[groundedness]")
        assert run("evaluate", FLOW, *options, "--html", "r.html", "--report-json", "r.json").code == 0
    page = BeautifulSoup(Path("r.html").read_text(), "html.parser")
    said = {span.get_text(): span["class"] for span in page.select(".answer .said")}
    (weak,) = [text for text, labels in said.items() if "supported" not in labels]
    assert weak.startswith("The mayor of Oslo")
    assert "supported" in next(labels for text, labels in said.items() if text.startswith("Loose hub bearings"))
    marked = " ".join(mark.get_text() for mark in page.select("ol.hits mark.supported"))
    assert "lithium grease" in marked
    (case,) = json.loads(Path("r.json").read_text())["cases"]
    first, *_ = case["sentences"]["groundedness"]
    assert first["label"] == "supported"
