"""genaiops judge from label to verdict: sheet, calibrate, show, correct, gate, retire."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.commands import Run

ROWS = [
    ("Boats longer than 12 metres need a pilot.", True),
    ("Boats longer than 15 metres need a pilot.", False),
    ("Fees are paid in cash.", 1),
    ("The pilot was born in Ecuador.", 0.25),
]
CONTEXT = "Boats longer than 12 metres need a pilot. Fees are paid in cash."


def labels(folder: Path) -> Path:
    file = folder / "labels.jsonl"
    rows = [{"answer": answer, "contexts": [CONTEXT], "label": label} for answer, label in ROWS]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def test_labels_make_a_passport_that_is_listed_shown_and_retired(run: Run, root: Path) -> None:
    flow = ("--flow", root / "flows" / "workshop")
    assert run("judge", "show", "groundedness", *flow).code in (0, 3)  # by the shipped passport, if it is of this judge
    made = run("judge", "calibrate", labels(root), *flow, "--expires", "2999-01-01")
    assert made.code == 0, made.err
    assert "own labels: 4 labels" in made.out
    assert "0 of 2 good answers called bad, 0 of 2 bad ones called good" in made.out
    shown = run("judge", "show", "groundedness", *flow, "--json").json
    assert (shown["refusal"], shown["passport"]["expires_at"]) == ("", "2999-01-01")
    first, *_ = run("judge", "show", "groundedness", *flow).out.splitlines()
    assert first.startswith("passport of groundedness, judge ") and first.endswith("holds until 2999-01-01")
    listed = run("judge", "list")
    assert listed.code == 0 and "own  AUROC 1.00" in listed.out
    assert run("judge", "retire", "groundedness", *flow, "--reason", "errs on roles").code == 0
    retired = run("judge", "show", "groundedness", *flow)
    assert retired.code == 3 and "retired: errs on roles" in retired.err
    again = run("judge", "calibrate", labels(root), *flow)
    assert again.code == 2 and "delete this file" in again.err


def test_a_damaged_passport_is_listed_as_such(run: Run, root: Path) -> None:
    folder = root / ".genaiops" / "passports"
    folder.mkdir(parents=True)
    (folder / "groundedness-0.json").write_text("{")
    listed = run("judge", "list")
    assert listed.code == 2 and "cannot be read" in listed.err


def test_wrong_use_is_refused_with_a_remedy(run: Run, root: Path) -> None:
    day = run("judge", "calibrate", labels(root), "--expires", "soon")
    assert day.code == 2 and "write it as 2027-06-30" in day.err
    measure = run("judge", "calibrate", labels(root), "--measure", "recall@5")
    assert measure.code == 2 and "not decided by a judge" in measure.err


def test_a_run_is_labelled_corrected_and_gated_by_a_passport(run: Run, root: Path) -> None:
    flow = root / "flows" / "workshop"
    evaluated = run("evaluate", flow, "--json").json
    assert set(evaluated["corrected"]) <= {"groundedness", "relevance"}
    sheet = root / "sheet.jsonl"
    assert run("judge", "sheet", evaluated["run"], "--cases", 8, "--out", sheet).code == 0
    rows = [json.loads(line) for line in sheet.read_text().splitlines()]
    sheet.write_text("".join(json.dumps({**row, "label": n % 2}) + "\n" for n, row in enumerate(rows)))
    found = run("judge", "correct", evaluated["run"], sheet, "--json").json
    assert found["labelled"] == 8 and found["low"] < 0.5 < found["high"]

    gate = flow / "gate.yaml"
    gate.write_text("judges: {passport: required}\nrules:\n  - {measure: completeness, at_least: 0.01}\n")
    refused = run("gate", flow)
    assert refused.code == 3 and "no figures on labels that people gave for completeness" in refused.out
    made = run("judge", "calibrate", sheet, "--measure", "completeness", "--flow", flow)
    assert made.code == 0, made.err
    assert run("gate", flow).code == 0
    assert run("judge", "retire", "completeness", "--reason", "old", "--flow", flow).code == 0
    assert run("gate", flow).code == 3
