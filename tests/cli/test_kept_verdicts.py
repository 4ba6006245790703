"""What a gate said of a run stands beside the run, and whoever compares with that run is told."""

from __future__ import annotations

import json
import os
import re
import shlex
from pathlib import Path

from tests.cli.commands import Run

FLOW = "flows/workshop"
CHEAP = ("--set", "evaluation.measures=[recall@4, answered]")


def test_the_verdict_of_a_gate_stands_beside_the_run_and_its_record_stays_as_it_was(run: Run, root: Path) -> None:
    gate = root / FLOW / "gate.yaml"
    gate.write_text("rules:\n  - {measure: answered, at_least: 0.3}\n")
    evaluated = run("evaluate", FLOW, *CHEAP, "--json").json["run"]
    folder = root / ".genaiops" / "runs" / evaluated
    before = (folder / "run.json").read_bytes()
    assert not (folder / "verdict.json").exists()
    passed = run("gate", FLOW, *CHEAP, "--json")
    assert (passed.json["run"], passed.json["verdict"]) == (evaluated, "pass")
    kept = json.loads((folder / "verdict.json").read_text())["verdict"]
    assert (kept["verdict"], kept["run"]) == ("pass", json.loads(before)["digest"])
    assert "verdict pass" in (folder / "report.html").read_text()
    assert (folder / "run.json").read_bytes() == before
    gate.write_text("rules:\n  - {measure: answered, at_most: 0.001}\n")
    assert run("gate", FLOW, *CHEAP, "--json").code == 1
    assert json.loads((folder / "verdict.json").read_text())["verdict"]["verdict"] == "fail"  # the last one
    assert "verdict fail" in (folder / "report.html").read_text()
    assert (folder / "run.json").read_bytes() == before

    other = run("evaluate", FLOW, *CHEAP, "--set", "prompt=mute", "--json").json["run"]
    told = run("compare", evaluated, other).out
    assert f"the gate's verdict on run {evaluated}: fail" in told
    assert f"verdict on run {other}" not in told


def test_a_verdict_that_was_edited_or_is_about_another_run_is_told_and_not_believed(run: Run, root: Path) -> None:
    (root / FLOW / "gate.yaml").write_text("rules:\n  - {measure: answered, at_least: 0.3}\n")
    first = run("gate", FLOW, *CHEAP, "--json").json["run"]
    second = run("gate", FLOW, *CHEAP, "--set", "prompt=mute", "--json").json["run"]
    kept, other = (root / ".genaiops" / "runs" / name / "verdict.json" for name in (first, second))
    text = kept.read_text()
    kept.write_text(other.read_text())
    assert "not known, the verdict is about another run" in run("compare", first, second).out
    kept.write_text(text.replace('"pass"', '"fail"', 1))
    compared = run("compare", first, second)
    told = next(line for line in compared.out.splitlines() if "was changed after it was written" in line)
    assert compared.code == 0
    assert told.startswith(f"the gate's verdict on run {first}: not known") and str(kept) in told
    assert "delete this file" in told
    kept.unlink()
    assert f"verdict on run {first}" not in run("compare", first, second).out
    assert run("gate", FLOW, *CHEAP).code == 0
    assert kept.read_text() == text


def test_a_run_whose_verdict_cannot_be_read_is_no_latest_champion_and_stops_nobody(run: Run, root: Path) -> None:
    runs = sorted((root / ".genaiops" / "runs").glob("*/run.json"))
    last = run("gate", FLOW, *CHEAP, "--set", "retrieval.top_k=3", "--json").json["run"]
    (root / ".genaiops" / "runs" / last / "verdict.json").write_text("{}")
    (root / "rules.yaml").write_text("rules:\n  - {measure: answered, not_worse_than: champion, margin: 0.1}\n")
    (root / "rows.jsonl").write_text(json.dumps({"question": "Why?", "answer": "So."}) + "\n")
    scored = ("score", "rows.jsonl", "--gate", "rules.yaml", "--against")
    taken = run(*scored, "latest")  # passed over: the run before is compared with
    assert taken.code in {1, 3}  # a verdict, however it came out
    none = run(*scored, f"latest~{len(runs)}")
    assert (none.code, "only those count that passed their gate or met none" in none.err) == (2, True)


def test_a_run_that_its_gate_failed_is_no_latest_champion_of_scored_rows(run: Run, root: Path) -> None:
    """Without --keep, `latest` may mean the run of a flow."""
    before = len(list((root / ".genaiops" / "runs").glob("*/run.json")))
    gate = root / FLOW / "gate.yaml"
    gate.write_text("rules:\n  - {measure: answered, at_least: 0.999}\n")
    assert run("gate", FLOW, *CHEAP, "--set", "prompt=mute").code == 1
    assert len(list((root / ".genaiops" / "runs").glob("*/run.json"))) == before + 1
    rules = root / "rules.yaml"
    rules.write_text("rules:\n  - {measure: answered, not_worse_than: champion, margin: 0.1}\n")
    rows = root / "rows.jsonl"
    rows.write_text(json.dumps({"question": "Why?", "answer": "So."}) + "\n")
    told = run("score", "rows.jsonl", "--gate", "rules.yaml", "--against", f"latest~{before}")
    assert (told.code, "only those count that passed their gate or met none" in told.err) == (2, True)


def kept_of(root: Path, run_id: str) -> tuple[str, str]:
    """Verdict and gate of what is kept beside a run."""
    kept = json.loads((root / ".genaiops" / "runs" / run_id / "verdict.json").read_text())["verdict"]
    return kept["verdict"], kept["gate"]


def test_a_stricter_gate_that_fails_the_champions_own_run_is_remembered(run: Run, root: Path) -> None:
    """An absolute rule needs nobody to compare with."""
    gate = root / FLOW / "gate.yaml"
    earned = gate.read_text()
    passed = run("gate", FLOW, "--json").json
    assert (passed["verdict"], passed["taken_over"]) == ("pass", True)
    folder = root / ".genaiops" / "runs" / passed["run"]
    first = (folder / "verdict.json").read_text()
    gate.write_text("rules:\n  - {measure: answered, at_most: 0.001}\n")
    failed = run("gate", FLOW, "--json")
    assert (failed.code, failed.json["taken_over"], failed.json["run"]) == (1, True, passed["run"])
    assert kept_of(root, passed["run"])[0] == "fail"
    assert "verdict fail" in (folder / "report.html").read_text()
    _, mute, _ = sorted(path.name for path in folder.parent.iterdir())
    assert f"the gate's verdict on run {folder.name}: fail" in run("compare", folder.name, mute).out

    gate.write_text(earned)  # passes once more: that is of another gate than what is kept
    assert run("gate", FLOW).code == 0
    assert kept_of(root, passed["run"]) == ("pass", json.loads(first)["verdict"]["gate"])


def test_a_verdict_on_the_champions_own_run_is_kept_where_none_was(run: Run, root: Path) -> None:
    champion = run("gate", FLOW, "--json").json["run"]
    folder = root / ".genaiops" / "runs" / champion
    (folder / "verdict.json").unlink()
    assert run("gate", FLOW).code == 0
    assert kept_of(root, champion)[0] == "pass"


def taken_over(told: str) -> tuple[str, str]:
    """The run that a gate judged without asking, and the command that it names for another."""
    found = re.search(r"nothing was asked: run (\S+) has .*; a new one: genaiops (.*)", told)
    assert found is not None, told
    return found[1], found[2]


def test_the_command_for_a_new_run_makes_one_that_the_next_gate_takes(run: Run, root: Path) -> None:
    (root / FLOW / "gate.yaml").write_text("repeats: 2\nrules:\n  - {measure: answered, at_least: 0.3}\n")
    assert run("golden", "split", FLOW, "--dev", "0.5", "--holdout", "0.5").code == 0
    asked = ("gate", FLOW, *CHEAP, "--split", "holdout")
    run(*asked)
    first, command = taken_over(run(*asked).out)
    assert command.endswith("--repeat 2 --split holdout")
    assert run(*shlex.split(command)).code == 0
    second, _ = taken_over(run(*asked).out)
    assert second != first
    dev, _ = taken_over((run("gate", FLOW, *CHEAP), run("gate", FLOW, *CHEAP))[1].out)
    assert dev not in {first, second}


def test_a_run_from_before_the_golden_set_was_divided_is_no_look_at_all_of_it(run: Run, root: Path) -> None:
    """It holds the same cases, but nobody entered it as a look at the holdout."""
    (root / FLOW / "gate.yaml").write_text("rules:\n  - {measure: answered, at_least: 0.3}\n")
    whole = run("gate", FLOW, *CHEAP, "--json").json["run"]
    assert run("golden", "split", FLOW, "--dev", "0.5", "--holdout", "0.5").code == 0
    divided = run("gate", FLOW, *CHEAP, "--split", "all", "--json").json
    assert (divided["taken_over"], divided["run"] == whole) == (False, False)


def test_a_kill_between_verdict_and_report_is_repaired_by_the_next_gate(run: Run, root: Path) -> None:
    gate = root / FLOW / "gate.yaml"
    gate.write_text("rules:\n  - {measure: answered, at_least: 0.3}\n")
    folder = root / ".genaiops" / "runs" / run("gate", FLOW, *CHEAP, "--json").json["run"]
    report, verdict = folder / "report.html", folder / "verdict.json"
    kept, later = verdict.read_text(), verdict.stat().st_mtime_ns + 10**9
    report.write_text(report.read_text().replace("verdict pass", "verdict fail"))  # of a gate killed before its verdict
    os.utime(report, ns=(later, later))
    assert run("gate", FLOW, *CHEAP).code == 0
    assert ("verdict pass" in report.read_text(), verdict.read_text()) == (True, kept)
    report.unlink()  # the other way round: as both were written once
    assert run("gate", FLOW, *CHEAP).code == 0
    assert "verdict pass" in report.read_text()


def test_a_verdict_that_cannot_be_kept_is_given_all_the_same_and_says_so(run: Run, root: Path) -> None:
    (root / FLOW / "gate.yaml").write_text("rules:\n  - {measure: answered, at_most: 0.001}\n")
    evaluated = run("evaluate", FLOW, *CHEAP, "--json").json["run"]
    in_the_way = root / ".genaiops" / "runs" / evaluated / "verdict.json"
    in_the_way.mkdir()
    told = run("gate", FLOW, *CHEAP)
    assert (told.code, "verdict: fail" in told.out) == (1, True)
    assert f"this verdict is not kept beside the run: {in_the_way}" in told.out
    assert run("gate", FLOW, *CHEAP, "--json").json["kept"] is False
    in_the_way.rmdir()
    assert run("gate", FLOW, *CHEAP, "--json").json["kept"] is True
    assert kept_of(root, evaluated)[0] == "fail"
