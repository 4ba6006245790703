"""The three verdicts end to end: a planted regression fails, an unchanged flow passes, a small set says how small."""

from __future__ import annotations

import re
from pathlib import Path

from tests.cli.commands import Run
from tests.flow import workshop

FLOW = "flows/workshop"
CHEAP = ("--set", "evaluation.measures=[recall@4, answered]")


def test_a_planted_regression_fails_an_unchanged_flow_passes_and_a_small_set_says_by_how_much(
    run: Run, root: Path
) -> None:
    unchanged = run("gate", FLOW)
    assert unchanged.code == 0, unchanged.out + unchanged.err
    assert "completeness: no worse than the champion" in unchanged.out
    assert "nothing was compared but the run with itself" in unchanged.out
    asked = re.search(r"nothing was asked: run (\S+) has the same index, prompt, .*: (genaiops .*)", unchanged.out)
    assert asked is not None and asked[2] == f"genaiops evaluate {FLOW}"
    assert run("gate", FLOW, "--json").json["taken_over"] is True
    assert re.search(r"a drop of 0\.\d+ or more would be caught 4 times of 5", unchanged.out)

    planted = run("gate", FLOW, "--set", "prompt=mute", "--json")
    assert (planted.code, planted.json["verdict"]) == (1, "fail")
    worse = next(rule for rule in planted.json["rules"] if rule["rule"].startswith("answered not_worse_than"))
    assert worse["verdict"] == "fail"
    # Two of the five rules cannot be judged on refusals alone: the rest share the 5 %.
    assert 0.95 <= worse["confidence"] <= 1 - 0.05 / 5 + 1e-9

    gate = root / FLOW / "gate.yaml"
    gate.write_text(gate.read_text().replace("margin: 0.08", "margin: 0.05"))
    small = run("gate", FLOW)
    assert small.code == 3
    needed = re.search(r"answered: no worse .*; needs about (\d+) more cases", small.out)
    assert needed is not None
    assert 24 + int(needed[1]) == 33  # identical pairs clear a margin of 0.05 from 33 on


def test_a_sequential_gate_says_how_many_cases_it_did_not_need(run: Run, root: Path) -> None:
    gate = root / FLOW / "gate.yaml"
    # Four documents are too few to bet on one by one.
    gate.write_text("clusters: none\nrules:\n  - {measure: answered, at_least: 0.3}\n")
    found = run("gate", FLOW, "--sequential", *CHEAP, "--json")
    assert (found.code, found.json["verdict"]) == (0, "pass")
    assert found.json["asked"] + found.json["not_asked"] == 32
    assert found.json["not_asked"] > 0
    assert "confidence at any time" in found.json["rules"][0]["reason"]
    # A part of the set is no evidence for a release: the next gate asks it whole.
    whole = run("gate", FLOW, *CHEAP, "--json")
    assert (whole.json["asked"], whole.json["not_asked"]) == (32, 0)


def test_the_offline_generator_is_measured_to_be_steady(run: Run, root: Path) -> None:
    found = run("evaluate", FLOW, "--repeat", "2", *CHEAP, "--json").json
    assert found["repeats"] == 2
    assert {name: item["changed"] for name, item in found["flakiness"].items()} == {"recall@4": 0, "answered": 0}
    assert all(item["spread"]["within"] == 0 for item in found["flakiness"].values())


def test_how_often_to_ask_is_checked(run: Run, root: Path) -> None:
    assert run("evaluate", FLOW, "--repeat", "0").code == 2
    assert run("evaluate", FLOW, "--set", "evaluation.repeats=101").code == 2


def test_the_workshop_is_what_these_tests_reckon_with() -> None:
    assert (len(workshop.FACTS), len(workshop.cases())) == (4, 32)
