"""`--plan`, and judging models from the command line: on the finished workshop, with a judge on loopback."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from genaiops.testing import Reply, ScriptedModelServer, scripted_verdict
from tests.cli.commands import Run

FLOW = "flows/workshop"
LLM = "evaluation.measures=['llm:groundedness', 'llm:relevance', 'recall@6']"


def with_models(root: Path, server: ScriptedModelServer, **more: Any) -> None:
    card = {"base_url": server.base_url, "input_usd_per_million": 1.0, "output_usd_per_million": 4.0}
    models = {"careful": {**card, "model": "big"}, "writer": {**card, "model": "small"}, **more}
    (root / "models.yaml").write_text(json.dumps({"models": models}), encoding="utf-8")


def rows(root: Path) -> str:
    row = {"id": 1, "question": "Why?", "answer": "It rains today.", "contexts": ["It rains today in the hills."]}
    (root / "rows.jsonl").write_text(json.dumps(row) + "\n" + json.dumps({**row, "id": 2}) + "\n", encoding="utf-8")
    return "rows.jsonl"


def test_score_plans_then_scores_then_has_nothing_left_to_ask(root: Path, run: Run) -> None:
    arguments = ["score", rows(root), "-m", "llm:groundedness", "-m", "llm:relevance", "--judge", "careful", "--json"]
    with ScriptedModelServer(scripted_verdict) as server:
        with_models(root, server)
        (plan,) = json.loads(run(*arguments, "--plan").out)["plan"]
        assert server.chats == []
        assert (plan["model"], plan["calls"], plan["cached"]) == ("careful", 1, 0)  # equal rows are one case
        assert plan["cost_usd"] > 0
        scores = json.loads(run(*arguments).out)
        assert [score["value"] for score in scores] == [1.0] * 4
        assert len(server.chats) == 1
        assert server.chats[0].body["model"] == "big"
        (plan,) = json.loads(run(*arguments, "--plan").out)["plan"]
        assert (plan["calls"], plan["cached"], plan["cost_usd"]) == (0, 1, 0)
        told = run(*arguments[:-1], "--plan", "--set", "votes=3").out
    assert "judge  careful      3       0" in told


def test_the_plan_of_a_gated_score_counts_what_the_gate_has_rules_about(root: Path, run: Run) -> None:
    (root / "g.yaml").write_text('{"rules": [{"measure": "llm:relevance", "at_least": 0.5}]}', encoding="utf-8")
    arguments = ["score", rows(root), "--judge", "careful", "--gate", "g.yaml", "--json"]
    with ScriptedModelServer(scripted_verdict) as server:
        with_models(root, server)
        told = run(*arguments, "--plan")
        assert (told.code, server.chats) == (0, [])
        (plan,) = told.json["plan"]
        run(*arguments)
        assert plan["calls"] == len(server.chats) == 1


def test_a_judge_that_is_down_is_an_outage_unless_another_measure_has_values(root: Path, run: Run) -> None:
    with ScriptedModelServer(lambda _: Reply(status=401)) as server:
        with_models(root, server)
        scored = ["score", rows(root), "-m", "llm:relevance", "--judge", "careful"]
        down = run(*scored)
        assert run(*scored, "-m", "relevance").code == 0
        settings = ["--set", "evaluation.measures=['llm:relevance']", "--set", "evaluation.judge.model=careful"]
        measured = run("evaluate", FLOW, *settings)
    assert down.code == measured.code == 3
    assert "nothing could be measured: " in down.err and "nothing could be measured: " in measured.err
    assert [json.loads(line)["value"] for line in down.out.splitlines()] == [None, None]


def test_evaluate_plans_evaluates_and_keeps_the_verdicts(root: Path, run: Run) -> None:
    settings = ["--set", LLM, "--set", "evaluation.judge.model=careful", "--json"]
    with ScriptedModelServer(scripted_verdict) as server:
        with_models(root, server)
        (plan,) = json.loads(run("evaluate", FLOW, "--plan", *settings).out)["plan"]
        assert server.chats == []
        found = json.loads(run("evaluate", FLOW, *settings).out)
        assert len(server.chats) == plan["calls"] > 10
        before = len(server.chats)
        (often,) = json.loads(run("evaluate", FLOW, "--plan", "--repeat", 2, *settings).out)["plan"]
        run("evaluate", FLOW, "--repeat", 2, *settings)
        assert len(server.chats) - before == often["calls"] == 2 * plan["calls"]
        assert found["summaries"]["llm:groundedness"]["mean"] == 1.0
        record = json.loads((root / ".genaiops" / "runs" / found["run"] / "run.json").read_text())["run"]
        assert {"llm:groundedness", "llm:relevance"} == set(record["judges"])
        assert any(result["verdicts"].get("llm:groundedness") for result in record["results"])
        (plan,) = json.loads(run("evaluate", FLOW, "--plan", *settings).out)["plan"]
        assert plan["calls"] == 0
        assert json.loads(run("evaluate", FLOW, "--plan", "--json").out) == {"plan": []}
        assert "no model is called" in run("evaluate", FLOW, "--plan").out


def test_the_plan_of_a_flow_with_a_model_counts_the_answers_too(root: Path, run: Run) -> None:
    settings = ["--set", LLM, "--set", "evaluation.judge.model=careful", "--set", "generation.model=writer"]
    with ScriptedModelServer(scripted_verdict) as server:
        with_models(root, server)
        answers, judge = json.loads(run("evaluate", FLOW, "--plan", "--json", *settings).out)["plan"]
        often = json.loads(run("evaluate", FLOW, "--plan", "--repeat", 3, "--json", *settings).out)["plan"]
        assert server.chats == []
    for once, thrice in zip((answers, judge), often, strict=True):
        assert all(thrice[count] == 3 * once[count] for count in ("calls", "input_tokens", "output_tokens"))
    assert (answers["what"], answers["model"], judge["what"]) == ("answers", "writer", "judge")
    assert answers["calls"] >= judge["calls"] > 10
    assert answers["input_tokens"] > 1000
    assert "answers of three sentences are assumed" in judge["notes"]


@pytest.mark.parametrize("judge", ["writer", "twin"])
def test_the_model_that_answers_may_not_judge(root: Path, run: Run, judge: str) -> None:
    settings = ["--set", LLM, "--set", f"evaluation.judge.model={judge}", "--set", "generation.model=writer"]
    with ScriptedModelServer(scripted_verdict) as server:
        with_models(root, server, twin={"base_url": "http://127.0.0.1:9/v1", "model": "SMALL"})
        failed = run("evaluate", FLOW, *settings)
        assert failed.code == 2
        assert server.requests == []
    assert f"the judge '{judge}' is the model under test" in failed.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--judge", "nobody"], "no judging model 'nobody'"),
        ([], "none is configured"),
        (["--judge", "careful", "--set", "votes=0"], "votes"),
        (["--judge", "careful", "--set", "vote=3"], "did you mean 'votes'"),
        (["--judge", "careful", "--set", "max_cost_usd=-1"], "max_cost_usd"),
        (["--judge", "careful", "--set", "temperature=hot"], "temperature"),
        (["--judge", "unpriced", "--set", "max_cost_usd=1"], "the prices of model 'unpriced' are unknown"),
    ],
)
def test_wrong_settings_of_the_judge_are_refused_with_a_remedy(
    root: Path, run: Run, arguments: list[str], told: str
) -> None:
    with ScriptedModelServer(scripted_verdict) as server:
        with_models(root, server, unpriced={"base_url": server.base_url})
        failed = run("score", rows(root), "-m", "llm:relevance", *arguments)
        assert failed.code == 2
        assert server.requests == []
    assert told in failed.err
