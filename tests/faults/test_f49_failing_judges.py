"""A judging model that fails in every way there is: unscored with the reason, coverage down, never a number."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from genaiops.evaluation import evaluate
from genaiops.evaluation.llm_judges import llm_judge_of, llm_measure
from genaiops.evaluation.records import Run
from genaiops.evaluation.tools import Tools
from genaiops.generation.openai_compatible import Patience
from genaiops.golden_sets import GoldenSet
from genaiops.promotion import judge_run
from genaiops.records import Case, Unscored
from genaiops.testing import Reply, ScriptedModelServer, scripted_verdict
from tests.evaluation.judging_models import ANSWER, CONTEXTS, QUESTION, sample, tools
from tests.promotion.builders import gate_of

GATE = gate_of({"measure": "llm:relevance", "at_least": 0.1})
CASES = tuple(Case(f"c{number}", f"{QUESTION} ({number})", reference="With vinegar.") for number in range(8))
Script = Callable[[dict[str, Any]], Reply | str]


def changed(**changes: Any) -> Script:
    return lambda body: scripted_verdict(body, **changes)


def with_number(text: str) -> Script:
    """A verdict with another text where the mark of relevance stands."""
    return lambda body: scripted_verdict(body, relevance="@").replace('"@"', text)


FAULTS: dict[str, tuple[Script | Reply, str]] = {
    "times out": (Reply("late", delay_s=60), "took longer than"),
    "never ends": (Reply(chunks=["x" * 1000], endless=True, interval_s=0.01), ""),
    "never ends, and fast": (Reply(chunks=["x" * 200_000], endless=True), ""),
    "stalls in the middle": (Reply("x", stall_after=0), "took longer than"),
    "garbage": (Reply("Lovely answer! Ten out of ten."), "holds no JSON object"),
    "half a verdict": (Reply('{"token": "x", "claims": [{"sent'), "holds no JSON object"),
    "nothing": (Reply(""), "without a single word"),
    "no completion": (Reply(body=b'{"answer": 42}'), "sent no chat completion"),
    "no JSON at all": (Reply(body=b"<html>Bad gateway</html>"), "not JSON"),
    "bytes of nothing": (Reply(body=b"\xff\xfe\x00"), "not JSON"),
    "NaN": (with_number("NaN"), "it holds NaN"),
    "infinity": (with_number("Infinity"), "it holds Infinity"),
    "an overflowing number": (with_number("1e999"), "relevance"),
    "above the scale": (changed(relevance=5), "relevance"),
    "below the scale": (changed(relevance=-1), "relevance"),
    "a fraction of a mark": (changed(relevance=2.5), "relevance"),
    "a word for a mark": (changed(relevance="excellent"), "relevance"),
    "no mark": (changed(relevance=None), "relevance"),
    "claims about nothing": (changed(claims=[]), "left out sentence 1"),
    "the verdict of another call": (changed(token="0123456789abcdef"), "does not carry the token"),
    "cut off": (lambda body: Reply(scripted_verdict(body), finish_reason="length"), "did not fit into"),
    "filtered": (Reply("", finish_reason="content_filter"), "content_filter"),
    "429 for ever": (Reply(status=429, text="slow down"), "answered 429"),
    "429 with a long wait": (Reply(status=429, retry_after=3600), "answered 429"),
    "out of credit": (Reply(status=402, text="payment required"), "answered 402: payment required"),
    "a wrong key": (Reply(status=401), "answered 401"),
    "an unknown model": (Reply(status=404), "answered 404"),
    "refuses every request": (Reply(status=400, text="bad temperature"), "answered 400: bad temperature"),
    "broken inside": (Reply(status=500), "answered 500"),
    "hangs up": (Reply(drop_connection=True), "the connection to"),
    "redirects": (Reply(status=302, headers={"Location": "http://127.0.0.1:1/"}), "answered 302"),
    "compressed bombs": (Reply(body=b"x", headers={"Content-Encoding": "gzip"}), "a compressed answer"),
}  # fmt: skip


# Only these are about time; the others get as much as a busy machine may need.
SLOW = ("times out", "never ends", "never ends, and fast", "stalls in the middle")


def impatient(server: ScriptedModelServer, timeout_s: float) -> Tools:
    """The tools of an evaluation whose judge bears with nothing for long."""
    given = tools(server, card={"timeout_s": timeout_s}, concurrency=4)
    llm_judge_of(given, patience=Patience(attempts=2, first_wait_s=0.01, total_s=1.0))
    return given


def measured(given: Tools) -> Run:
    return evaluate(
        lambda query: {"answer": ANSWER, "contexts": list(CONTEXTS)},
        GoldenSet("g", CASES),
        measures=["llm:groundedness", "llm:relevance", "llm:completeness", "llm:utilization"],
        tools=given,
    )


@pytest.mark.parametrize("fault", FAULTS)
def test_a_judge_that_fails_gives_no_number_and_opens_no_gate(fault: str) -> None:
    script, told = FAULTS[fault]
    with ScriptedModelServer(script) as server:
        run = measured(impatient(server, 0.3 if fault in SLOW else 20.0))
        calls = len(server.chats)
    for summary in run.summaries:
        assert (summary.mean, summary.scored, summary.unscored) == (None, 0, len(CASES))
        assert summary.coverage == 0
    for result in run.results:
        for outcome in result.outcomes.values():
            assert isinstance(outcome, Unscored)
            assert told in outcome.reason
    assert run.results[0].verdicts == {}
    assert judge_run(GATE, run, None).verdict == "inconclusive"
    assert calls <= 4 * len(CASES)  # nothing is asked again and again
    json.dumps(run.to_json(), allow_nan=False)


@pytest.mark.parametrize("status", [401, 402, 403, 404])
def test_what_holds_for_all_cases_is_asked_once(status: int) -> None:
    with ScriptedModelServer(Reply(status=status)) as server:
        given = tools(server, concurrency=1)
        outcomes = llm_measure("relevance", given).score([sample(number) for number in range(50)])
    assert len(server.chats) == 1
    assert "not asked, since for another case" in str(outcomes[-1])


def test_a_dead_endpoint_is_given_up_after_five_cases() -> None:
    with ScriptedModelServer(Reply(drop_connection=True)) as server:
        given = tools(server, concurrency=1)
        llm_judge_of(given, patience=Patience(attempts=2, first_wait_s=0.01))
        outcomes = llm_measure("relevance", given).score([sample(number) for number in range(50)])
    assert len(server.chats) == 10
    assert "not asked, since 5 cases failed in a row" in str(outcomes[-1])


def test_a_single_failure_lowers_the_coverage_and_leaves_the_mean() -> None:
    def script(body: dict[str, Any]) -> str:
        return "garbage" if f"{QUESTION} (3)" in body["messages"][1]["content"] else scripted_verdict(body)

    with ScriptedModelServer(script) as server:
        summary = measured(tools(server)).summary("llm:relevance")
    assert summary is not None
    assert (summary.mean, summary.scored, summary.unscored) == (1.0, 7, 1)


def test_a_429_is_waited_for_as_long_as_the_endpoint_asks_and_every_case_is_scored() -> None:
    def script(body: dict[str, Any]) -> Reply:
        return Reply(status=429, retry_after=0.2) if len(server.chats) <= 2 else Reply(scripted_verdict(body))

    with ScriptedModelServer(script) as server:
        summary = measured(tools(server, concurrency=1)).summary("llm:relevance")
        times = [request.at for request in server.chats]
    assert summary is not None
    assert (summary.mean, summary.unscored) == (1.0, 0)
    assert len(times) == len(CASES) + 2
    assert times[1] - times[0] >= 0.2
    assert times[2] - times[1] >= 0.2
