"""A tracking store that is gone takes no scores, no reports and no verdict along."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.commands import Run, write

FLOW = "flows/workshop"
CHEAP = ("--set", "evaluation.measures=[answered]")


@pytest.fixture
def gone(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a server that is not there; the port stays taken, but nobody listens."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


def test_scores_reports_and_the_verdict_come_although_nothing_can_be_tracked(run: Run, here: Path, gone: str) -> None:
    Path("genaiops.yaml").write_text(f"tracking: {gone}\n")
    write("rows.jsonl", *({"question": f"{n}?", "answer": "No.", "reference": "Yes."} for n in range(4)))
    write("gate.yaml", {"rules": [{"measure": "exact_match", "at_least": 0.9}]})
    shared = ("score", "rows.jsonl", "-m", "exact_match", "--keep", "helpdesk")
    failed = run(*shared, "--gate", "gate.yaml", "--out", "o.jsonl", "--junit", "j.xml")
    assert failed.code == 1  # the gate's
    assert "verdict: fail" in failed.err
    kept = json.loads(next(Path(".genaiops/runs").glob("*/run.json")).read_text())["run"]
    assert kept["verdict"] == "fail"
    assert f"run {kept['id']} is kept, but not tracked: {gone}: the tracking store cannot be used" in failed.err
    assert failed.err.index("verdict: fail") < failed.err.index("not tracked")  # the store may be slow: it comes last
    assert len(Path("o.jsonl").read_text().splitlines()) == 4
    assert "<testsuite" in Path("j.xml").read_text()

    plain = run(*shared)  # no verdict, so that the code says what went wrong
    assert (plain.code, len(plain.out.splitlines())) == (2, 4)
    unwritten = run(*shared, "--out", "gate.yaml/under/a-file")
    assert "cannot be written" in unwritten.err
    assert len(list(Path(".genaiops/runs").iterdir())) == 3


def test_a_flow_is_measured_and_judged_although_nothing_can_be_tracked(run: Run, root: Path, gone: str) -> None:
    project = root / "genaiops.yaml"
    project.write_text(project.read_text().replace("tracking: none", f"tracking: {gone}"))
    gate = root / FLOW / "gate.yaml"
    gate.write_text("rules:\n  - {measure: answered, at_most: 0.001}\n")
    failed = run("gate", FLOW, *CHEAP, "--json")
    assert (failed.code, failed.json["verdict"]) == (1, "fail")
    assert f"run {failed.json['run']} is kept, but not tracked: {gone}" in failed.err
    measured = run("evaluate", FLOW, *CHEAP, "--json")
    assert (measured.code, measured.json["summaries"]["answered"]["unscored"]) == (2, 0)
    assert f"run {measured.json['run']} is kept, but not tracked: {gone}" in measured.err
