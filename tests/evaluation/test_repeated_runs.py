"""A model that answers differently each time: how much is measured, not declared."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from genaiops.errors import ConfigurationError
from genaiops.evaluation import Run, evaluate
from genaiops.evaluation.plain_measure import PlainMeasure
from genaiops.evaluation.records import Sample
from genaiops.evaluation.repeating import changed, flakiness, told
from genaiops.evaluation.statistics import spread_of
from genaiops.golden_sets import GoldenSet
from genaiops.promotion import judge_run
from genaiops.records import Case, NotApplicable, Outcome, Query, Score, Unscored
from genaiops.testing import Reply, ScriptedModelServer
from tests.promotion.builders import gate_of

GOLDEN = GoldenSet("numbers", tuple(Case(f"c{n:02}", f"{n} + 1?", reference=str(n + 1)) for n in range(20)))


def asking(client: httpx.Client) -> Any:
    """An application that asks the model behind a real endpoint."""

    def ask(query: Query) -> str:
        body = {"model": "scripted", "messages": [{"role": "user", "content": query.text}]}
        reply = client.post("chat/completions", json=body)
        reply.raise_for_status()
        return str(reply.json()["choices"][0]["message"]["content"])

    return ask


def wavering(*, on: set[int], every: int = 2) -> Any:
    """A script that is wrong about the numbers in `on` each time but the first of `every`."""
    seen: Counter[int] = Counter()

    def reply(body: dict[str, Any]) -> Reply:
        number = int(body["messages"][-1]["content"].split()[0])
        seen[number] += 1
        wrong = number in on and seen[number] % every != 1
        return Reply(str(number + (2 if wrong else 1)))

    return reply


def repeated(script: Any, repeats: int) -> Run:
    with ScriptedModelServer(script) as server, httpx.Client(base_url=server.base_url) as client:
        return evaluate(asking(client), GOLDEN, measures=["exact_match"], repeats=repeats)


def test_a_model_that_wavers_on_five_of_twenty_questions_is_flaky_on_five() -> None:
    run = repeated(wavering(on={0, 1, 2, 3, 4}), 4)
    (found,) = flakiness(run)
    assert (found.cases, found.changed) == (20, 5)
    assert found.share.estimate == 0.25
    assert 0.1 < found.share.low < 0.25 < found.share.high < 0.5
    assert [changed(result, "exact_match") for result in run.results] == [True] * 5 + [False] * 15
    assert run.values("exact_match") == {f"c{n:02}": 0.5 if n < 5 else 1.0 for n in range(20)}
    assert run.results[0].texts == 2
    assert "exact_match: flaky in 5 of 20 cases (0.25" in told(run)[1]


def test_repeats_do_not_count_as_cases() -> None:
    once, often = repeated(wavering(on=set()), 1), repeated(wavering(on=set()), 5)
    assert once.summaries == often.summaries
    assert often.summaries[0].scored == 20
    rule = gate_of({"measure": "exact_match", "not_worse_than": "champion", "margin": 0.2})
    assert judge_run(rule, often, once).rules[0].n == 20


def test_a_model_that_does_not_waver_is_measured_as_steady() -> None:
    run = repeated(wavering(on=set()), 3)
    (found,) = flakiness(run)
    assert (found.changed, found.noise) == (0, 0.0)
    assert found.spread is not None and found.spread.within == 0
    assert told(run) == [
        "asked 3 times: 0 of 20 questions got answers that differ",
        "  unchanged in every repeat: exact_match",
    ]


def test_an_outage_in_one_repeat_is_no_grade() -> None:
    seen: Counter[str] = Counter()

    def reply(body: dict[str, Any]) -> Reply:
        question = body["messages"][-1]["content"]
        seen[question] += 1
        number = int(question.split()[0])
        return Reply(status=500) if number == 7 and seen[question] == 2 else Reply(str(number + 1))

    run = repeated(reply, 3)
    outcome = run.results[7].outcomes["exact_match"]
    assert isinstance(outcome, Unscored) and outcome.reason.startswith("1 of 3 repeats: no answer")
    assert run.summaries[0].coverage == pytest.approx(0.95)
    assert changed(run.results[7], "exact_match")


def test_a_repeated_run_is_read_back_as_it_was_and_one_without_repeats_writes_nothing_new(tmp_path: Path) -> None:
    run = repeated(wavering(on={3}), 2)
    assert Run.load(run.save(tmp_path)) == run
    plain = repeated(wavering(on=set()), 1).to_json()
    assert not {"repeats", "not_asked"} & set(plain)
    assert not {"repeated", "texts"} & set(plain["results"][0])


def test_a_gate_that_wants_repeats_cannot_tell_without_them() -> None:
    gate = gate_of({"measure": "exact_match", "at_least": 0.5}, repeats=3)
    decision = judge_run(gate, repeated(wavering(on=set()), 1), None)
    assert decision.verdict == "inconclusive"
    assert decision.reasons == ("each case was asked once, this gate wants 3 times: --repeat 3 asks them so often",)
    assert judge_run(gate, repeated(wavering(on=set()), 3), None).verdict == "pass"


@pytest.mark.parametrize("repeats", [0, 101, -1])
def test_how_often_is_checked_before_anything_is_asked(repeats: int) -> None:
    with pytest.raises(ConfigurationError, match="repeats must be from 1 to 100"):
        evaluate(lambda query: pytest.fail("asked"), GOLDEN, measures=["exact_match"], repeats=repeats)


def test_refusing_in_some_repeats_is_no_way_out_of_a_comparison() -> None:
    from dataclasses import replace

    from tests.promotion.builders import Value, run_of

    fine: list[Value] = [0.9] * 110
    gate = gate_of({"measure": "groundedness", "not_worse_than": "champion", "margin": 0.02})
    champion = run_of({"groundedness": fine})
    refusing = (Score(0.9), NotApplicable("the answer is a refusal"), NotApplicable("the answer is a refusal"))
    run = run_of({"groundedness": fine})
    results = tuple(
        replace(result, repeated={"groundedness": refusing if n < 30 else (Score(0.9),) * 3})
        for n, result in enumerate(run.results)
    )
    decision = judge_run(gate, replace(run, results=results, repeats=3), champion)
    assert decision.verdict == "inconclusive"
    assert "30 were refused in some repeats: q000, q001, q002, …" in decision.reasons[0]


def test_variance_is_taken_apart_as_it_was_put_together() -> None:
    chance = np.random.default_rng(1)
    cases = chance.normal(0.5, 0.2, 2000)
    found = spread_of([(case + chance.normal(0, 0.1, 3)).tolist() for case in cases])
    assert found.within == pytest.approx(0.01, rel=0.05)
    assert found.between == pytest.approx(0.04, rel=0.08)
    assert found.reliability == pytest.approx(0.8, abs=0.02)
    assert found.chance_share(3) == pytest.approx((0.01 / 3) / (0.01 / 3 + 0.04), rel=0.1)


def test_a_spread_needs_a_case_that_was_measured_twice() -> None:
    with pytest.raises(ValueError, match="measured twice"):
        spread_of([[1.0], [0.5]])
    assert spread_of([[0.5, 0.5]]).reliability is None


LOCAL = (
    "groundedness",
    "relevance",
    "completeness",
    "utilization",
    "citation_recall",
    "semantic_similarity",
    "bertscore",
)


def rambling(*, on: set[int]) -> Any:
    """An application with passages that says the same each time, but to the questions in `on`."""
    asked: Counter[str] = Counter()

    def ask(query: Query) -> dict[str, Any]:
        asked[query.id] += 1
        number, times = int(query.id[1:]), asked[query.id]
        tail = " ".join(f"Part {k} was mended in {1900 + k}." for k in range(number % 9))
        answer = f"The crane lifts {number * 3} tonnes [1]. {tail}"
        if number in on:
            answer += "".join(f" Year {k * times} took {'very ' * k * times} long repairs." for k in range(6))
        passages = [f"On pier {number} stands a crane of {1900 + number}.", f"It lifts {number * 3} tonnes. {tail}"]
        return {"answer": answer, "contexts": passages}

    return ask


CRANES = GoldenSet(
    "cranes",
    tuple(
        Case(f"c{n:02}", f"What does the crane of pier {n} lift?", reference=f"It lifts {n * 3} tonnes.")
        for n in range(40)
    ),
)


def test_the_same_answer_is_no_flake_of_a_local_judge_whatever_else_is_judged() -> None:
    run = evaluate(rambling(on={0, 8, 16, 24, 32}), CRANES, measures=LOCAL, repeats=3)
    flaky = {r.case.id for r in run.results if any(changed(r, name) for name in LOCAL)}
    assert flaky == {"c00", "c08", "c16", "c24", "c32"}
    assert [result.texts for result in run.results[:2]] == [3, 1]
    assert all(isinstance(outcome, Score) for outcome in run.results[1].repeated["groundedness"])
    assert run.results[1].verdicts["groundedness"]


@dataclass(frozen=True)
class Seen(PlainMeasure):
    """A judge that keeps which samples it was shown."""

    seen: list[str] = field(default_factory=list)
    steady: bool = True
    name: str = "seen"

    @property
    def judge(self) -> str:
        return "a judge"

    def _one(self, sample: Sample) -> Outcome:
        self.seen.append(sample.id)
        return Score(0.5) if sample.id != "c01" else Unscored("it was not there")


def test_a_steady_judge_is_asked_once_for_one_answer_and_any_other_in_each_repeat() -> None:
    steady, other = Seen(), Seen(steady=False, name="other")
    golden = GoldenSet("three", CRANES.cases[:3])
    run = evaluate(rambling(on={2}), golden, measures=[steady, other], repeats=3)
    # c01 failed, and is tried again; c02 said something else each time.
    assert Counter(steady.seen) == {"c00": 1, "c01": 3, "c02": 3}
    assert Counter(other.seen) == {"c00": 3, "c01": 3, "c02": 3}
    assert run.results[0].repeated["seen"] == (Score(0.5),) * 3
    assert not any("judges" in result.reused for result in run.results)
