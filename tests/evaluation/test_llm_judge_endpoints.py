"""Endpoints of judges that know less, refuse a case, or tell a key back."""

from __future__ import annotations

import os
from typing import Any

import pytest

from genaiops.evaluation.llm_judges import llm_measure
from genaiops.records import Score, Unscored
from genaiops.testing import Reply, ScriptedModelServer, scripted_verdict
from tests.evaluation.judging_models import sample, tools


def test_an_endpoint_without_json_schema_is_asked_for_less() -> None:
    def script(body: dict[str, Any]) -> Reply:
        kind = body.get("response_format", {}).get("type")
        if kind is not None:
            return Reply(f"response_format {kind} is not supported", status=400)
        return Reply("Here is my verdict:\n```json\n" + scripted_verdict(body) + "\n```\nGood luck!")

    with ScriptedModelServer(script) as server:
        measure = llm_measure("relevance", tools(server, concurrency=1))
        assert measure.score([sample(1), sample(2)]) == [Score(1.0)] * 2
    kinds = [request.body.get("response_format", {}).get("type") for request in server.chats]
    assert kinds == ["json_schema", "json_object", None, None]  # what was learned is not tried again


def test_a_case_that_the_endpoint_refuses_does_not_change_how_the_others_are_asked() -> None:
    def script(body: dict[str, Any]) -> Reply:
        if "too long" in body["messages"][1]["content"]:
            return Reply("the context is too long", status=400)
        return Reply(scripted_verdict(body))

    with ScriptedModelServer(script) as server:
        measure = llm_measure("relevance", tools(server, concurrency=1))
        first, second = measure.score([sample(1, "This is too long."), sample(2)])
    assert isinstance(first, Unscored)
    assert "the context is too long" in first.reason
    assert second == Score(1.0)
    assert server.chats[-1].body["response_format"]["type"] == "json_schema"


def test_a_key_is_sent_to_the_judge_and_stands_in_no_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUDGE_KEY", "sk-canary-123")
    with ScriptedModelServer(Reply("wrong key sk-canary-123", status=401)) as server:
        (outcome,) = llm_measure("relevance", tools(server, card={"api_key_env": "JUDGE_KEY"})).score([sample()])
        assert server.chats[0].headers["authorization"] == "Bearer sk-canary-123"
    assert isinstance(outcome, Unscored)
    assert "sk-canary-123" not in outcome.reason
    assert "JUDGE_KEY" in os.environ
