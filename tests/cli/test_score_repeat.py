"""genaiops score --repeat: how much of an application's scores is chance."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from genaiops import score
from genaiops.errors import ConfigurationError
from genaiops.evaluation.records import Run as EvaluationRun
from genaiops.testing import ScriptedModelServer, scripted_verdict
from tests.cli.commands import Run, write
from tests.evaluation.json_server import application

CASES = [{"question": f"{n}?", "reference": "Yes."} for n in range(4)]


def wavering(body: Any, before: int) -> Any:
    """Question 0 is answered otherwise in every second round of four."""
    wrong = body["question"] == "0?" and (before // len(CASES)) % 2
    return 200, {"answer": "No." if wrong else "Yes."}


def test_an_application_is_asked_several_times_and_told_what_is_chance(run: Run, here: Path) -> None:
    write("q.jsonl", *CASES)
    with application(wavering) as app:
        asked = ("score", "--url", app.url, "--questions", "q.jsonl", "--repeat", "4")
        told = run(*asked, "-m", "exact_match", "--keep", "helper", "--json")
        assert [body["question"] for body in app.asked] == ["0?", "1?", "2?", "3?"] * 4
        lines = run(*asked, "-m", "exact_match")
        table = run(*asked)
    assert told.code == 0, told.err
    assert (told.json["repeats"], told.json["flakiness"]["exact_match"]["changed"]) == (4, 1)
    assert [each["value"] for each in told.json["scores"]] == [0.5, 1.0, 1.0, 1.0]
    (folder,) = Path(".genaiops/runs").iterdir()
    kept = EvaluationRun.load(folder)
    assert (kept.repeats, kept.results[0].texts, len(kept.results[0].repeated["exact_match"])) == (4, 2, 4)
    words = "asked 4 times: 1 of 4 questions got answers that differ"
    assert words in table.out and words in lines.err
    assert "exact_match: flaky in 1 of 4 cases" in lines.err
    assert [json.loads(line)["measure"] for line in lines.out.splitlines()] == ["exact_match"] * 4


def test_a_gate_that_wants_repeats_has_them_made(run: Run, here: Path) -> None:
    write("q.jsonl", *CASES)
    write("gate.yaml", {"repeats": 3, "rules": [{"measure": "exact_match", "at_least": 0.01}]})
    with application(lambda *_: (200, {"answer": "Yes."})) as app:
        told = run("score", "--url", app.url, "--questions", "q.jsonl", "--gate", "gate.yaml", "--json")
        assert len(app.asked) == 3 * len(CASES)
    assert (told.code, told.json["repeats"]) == (0, 3)
    rows = write("rows.jsonl", *({**case, "answer": "Yes."} for case in CASES))
    refused = run("score", rows, "--gate", "gate.yaml", "--json")
    assert (refused.code, refused.json["reasons"][0]) == (
        3,
        "each case was asked once, this gate wants 3 times: --repeat 3 asks them so often",
    )


def test_rows_are_not_repeated_and_the_reason_is_told(run: Run, here: Path) -> None:
    told = run("score", write("rows.jsonl", {"question": "?", "answer": "Yes."}), "--repeat", "2")
    assert (told.code, told.out) == (2, "")
    assert "the answers of rows are there already" in told.err and "--set votes=3" in told.err
    with pytest.raises(ConfigurationError, match="the answers of rows are there already"):
        score([{"question": "?", "answer": "Yes."}], repeats=2)


def test_a_callable_is_repeated_too() -> None:
    said = iter(["Yes.", "No."])
    found = score(lambda query: next(said), [CASES[0]], measures=["exact_match"], repeats=2)
    assert (found.repeats, found.results[0].texts, found.values("exact_match")) == (2, 2, {"1": 0.5})


def test_a_judging_model_is_asked_anew_in_every_repeat(run: Run, here: Path) -> None:
    write("q.jsonl", CASES[0])
    with (
        ScriptedModelServer(scripted_verdict) as server,
        application(lambda *_: (200, {"answer": "Yes, it is."})) as app,
    ):
        Path("models.yaml").write_text(f"models: {{careful: {{base_url: '{server.base_url}', model: big}}}}\n")
        asked = ("score", "--url", app.url, "--questions", "q.jsonl", "-m", "llm:relevance", "--judge", "careful")
        assert run(*asked).code == 0
        assert run(*asked, "--repeat", "2").code == 0
        assert len(server.chats) == 1 + 2
