"""A language model as a judge: one call for the whole group, values that rest on quotes, nothing paid twice."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from genaiops.errors import ConfigurationError
from genaiops.evaluation.llm_judges import limiter as limiting
from genaiops.evaluation.llm_judges import llm_measure
from genaiops.evaluation.llm_judges.budget import Budget, Exhausted, Took
from genaiops.evaluation.llm_judges.limiter import Limiter
from genaiops.evaluation.llm_judges.planning import plan_judging
from genaiops.evaluation.records import CaseResult, Explaining, Measure, Run, Sample
from genaiops.evaluation.tools import JudgeSettings
from genaiops.generation.catalog import ModelCard
from genaiops.records import Case, NotApplicable, Score, Unscored
from genaiops.testing import Reply, ScriptedModelServer, scripted_verdict
from tests.contracts.measure_contract import MeasureContract
from tests.evaluation.judging_models import ANSWER, CONTEXTS, claim, measures, sample, tools

TRUE = claim(1, "supported", "descaled with vinegar", 1)
FALSE = claim(2, "contradicted", "It is rinsed twice", 1)


class TestContract(MeasureContract):
    @pytest.fixture
    def measure(self) -> Any:
        with ScriptedModelServer(scripted_verdict) as server:
            yield llm_measure("groundedness", tools(server))

    @pytest.fixture
    def samples(self) -> list[Sample]:
        return [sample(1), sample(2, contexts=()), sample(3, "I cannot say.", refused=True)]


def test_one_call_per_case_gives_all_four_values() -> None:
    with ScriptedModelServer(lambda body: scripted_verdict(body, claims=[TRUE, FALSE], relevance=3)) as server:
        made = measures(tools(server))
        found = {part: measure.score([sample(1), sample(2)]) for part, measure in made.items()}
    assert len(server.chats) == 2
    # One of two claims is supported: not grounded, so below the threshold.
    assert found["groundedness"] == [Score(0.25)] * 2
    assert found["relevance"] == [Score(0.75)] * 2
    assert found["completeness"] == found["utilization"] == [Score(1.0)] * 2


def test_verdicts_are_spans_of_the_answer_and_of_the_contexts() -> None:
    with ScriptedModelServer(lambda body: scripted_verdict(body, claims=[TRUE, FALSE])) as server:
        measure = llm_measure("groundedness", tools(server))
        assert isinstance(measure, Explaining)
        ((outcome, (first, second)),) = measure.explained([sample()])
    assert outcome == Score(0.25)
    assert ANSWER[first.start : first.end] == "A kettle is descaled with vinegar [1]."
    assert (first.label, first.value) == ("supported", 1.0)
    assert CONTEXTS[first.context][first.evidence_start : first.evidence_end] == "descaled with vinegar"
    assert ANSWER[second.start : second.end] == "It is rinsed three times."
    assert second.label == "contradicted"
    assert second.value < 0.5
    assert CONTEXTS[second.context][second.evidence_start : second.evidence_end] == "It is rinsed twice"


@pytest.mark.parametrize(
    ("quote", "label"),
    [
        ("descaled with vinegar", "supported"),
        ("DESCALED   with\nvinegar", "supported"),  # case and spacing are no difference
        ("A kettle is … rinsed twice", "supported"),  # an omission
        ("“descaled with vinegar”", "supported"),
        ("possible within 30 days", "supported"),  # of the other context than the model said
        ("descaled with lemon juice", "unsupported"),
        ("rinsed twice … A kettle", "unsupported"),  # in another order
        ("vinegar. Returns are possible", "unsupported"),  # across two contexts
        ("is", "unsupported"),  # stands everywhere and decides nothing
        ("", "unsupported"),
        (" … ", "unsupported"),
    ],
)
def test_a_claim_whose_quote_is_in_no_context_is_not_supported(quote: str, label: str) -> None:
    claims = [claim(1, "supported", quote, 1), claim(2, "none")]
    with ScriptedModelServer(lambda body: scripted_verdict(body, claims=claims)) as server:
        measure = llm_measure("groundedness", tools(server))
        assert isinstance(measure, Explaining)
        ((outcome, (verdict,)),) = measure.explained([sample()])
    assert verdict.label == label
    assert outcome == Score(1.0 if label == "supported" else 0.0)


def test_an_answer_that_claims_nothing_has_no_groundedness_and_refusals_are_not_sent() -> None:
    with ScriptedModelServer(lambda body: scripted_verdict(body, claims=[claim(1, "none")])) as server:
        made = measures(tools(server))
        assert made["groundedness"].score([sample(1, "Hello there.")]) == [
            NotApplicable("the judge found no claim in the answer")
        ]
        asked = len(server.chats)
        refused = sample(2, "I cannot answer that.", refused=True)
        assert [type(measure.score([refused])[0]).__name__ for measure in made.values()] == [
            "NotApplicable", "Score", "Score", "NotApplicable",
        ]  # fmt: skip
        assert isinstance(made["groundedness"].score([sample(3, contexts=(" ",))])[0], Unscored)
        assert isinstance(made["completeness"].score([sample(4, reference="")])[0], NotApplicable)
    assert len(server.chats) == asked


def test_what_never_changes_comes_first_and_the_token_is_fresh_each_time() -> None:
    with ScriptedModelServer(scripted_verdict) as server:
        llm_measure("relevance", tools(server)).score([sample(1), sample(2)])
    (one, two) = (request.body for request in server.chats)
    assert one["messages"][0] == two["messages"][0]
    assert one["messages"][0]["role"] == "system"
    assert one["response_format"]["json_schema"]["strict"] is True
    assert one["temperature"] == 0
    assert token_of(one) != token_of(two)
    assert token_of(one) not in one["messages"][0]["content"]


def token_of(body: Mapping[str, Any]) -> str:
    return str(body["messages"][1]["content"]).split("\n")[0].removeprefix("token: ")


# --- votes -----------------------------------------------------------------------


def test_several_votes_give_their_median_and_the_record_keeps_them(tmp_path: Path) -> None:
    marks = iter([0, 4, 3])
    with ScriptedModelServer(lambda body: scripted_verdict(body, relevance=next(marks))) as server:
        measure = llm_measure("relevance", tools(server, votes=3, concurrency=1))
        (outcome,) = measure.score([sample()])
        assert server.chats[0].body["temperature"] > 0
    assert isinstance(outcome, Score)
    assert outcome.value == 0.75
    assert sorted(outcome.votes) == [0.0, 0.75, 1.0]
    assert outcome.spread == 1.0
    result = CaseResult(Case("c", "q"), None, "", {"llm:relevance": outcome})
    run = Run("", "2026-11-21T00:00:00Z", None, "g", "d", (result,), ())  # type: ignore[arg-type]
    written = json.loads(json.dumps(run.to_json()["results"][0]["outcomes"]))
    assert written == {"llm:relevance": {"value": 0.75, "votes": list(outcome.votes)}}


def test_a_missing_vote_leaves_the_case_unscored_and_only_it_is_asked_for_again(tmp_path: Path) -> None:
    replies = iter([None, "garbage", None, None])

    def script(body: dict[str, Any]) -> str:
        return next(replies) or scripted_verdict(body)

    cache = tmp_path / "cache.db"
    with ScriptedModelServer(script) as server:
        first = llm_measure("relevance", tools(server, cache, votes=3, concurrency=1))
        assert isinstance(first.score([sample()])[0], Unscored)
        again = llm_measure("relevance", tools(server, cache, votes=3, concurrency=1))
        assert isinstance(again.score([sample()])[0], Score)
    assert len(server.chats) == 4


# --- bounds ----------------------------------------------------------------------


def test_a_bound_on_tokens_is_kept_and_what_is_over_it_is_unscored() -> None:
    def script(body: dict[str, Any]) -> Reply:
        return Reply(scripted_verdict(body), usage=(500, 100))

    with ScriptedModelServer(script) as server:
        given = tools(server, max_tokens=5_000, max_output_tokens=200, concurrency=8)
        made = measures(given)
        outcomes = made["relevance"].score([sample(number) for number in range(20)])
        scored = [outcome for outcome in outcomes if isinstance(outcome, Score)]
        spent = given.shared["llm"].caller.budget.spent
        assert made["groundedness"].score([sample(99)])[0] == outcomes[-1]  # the bound holds for all measures
    assert len(scored) == len(server.chats)
    assert 4 <= len(scored) < 20
    assert spent.tokens <= 5_000
    assert outcomes[-1] == Unscored("the judge's budget of 5,000 tokens (evaluation.judge.max_tokens) is used up")


def test_a_bound_on_money_is_kept_and_needs_prices() -> None:
    prices = {"input_usd_per_million": 1.0, "output_usd_per_million": 4.0}
    with ScriptedModelServer(lambda body: Reply(scripted_verdict(body), usage=(1000, 250))) as server:
        given = tools(server, max_cost_usd=0.016, max_output_tokens=500, card=prices, concurrency=8)
        outcomes = llm_measure("relevance", given).score([sample(number) for number in range(20)])
        cost = given.shared["llm"].caller.budget.spent.cost_usd(given.shared["llm"].card)
        assert cost <= 0.016
        assert 5 <= sum(isinstance(outcome, Score) for outcome in outcomes) <= 8
        with pytest.raises(ConfigurationError, match="the prices of model 'judge' are unknown"):
            llm_measure("relevance", tools(server, max_cost_usd=1.0))


def test_a_bound_on_time_ends_calls_and_leaves_the_rest_unscored() -> None:
    with ScriptedModelServer(Reply("x", delay_s=30)) as server:
        outcomes = llm_measure("relevance", tools(server, max_seconds=0.3, concurrency=2)).score(
            [sample(number) for number in range(6)]
        )
        assert len(server.chats) <= 2
    assert {type(outcome) for outcome in outcomes} == {Unscored}
    assert "0.3 s (evaluation.judge.max_seconds) is used up" in str(outcomes[-1])


def test_a_budget_waits_for_what_is_under_way_before_it_refuses() -> None:
    async def spend() -> list[str]:
        budget = Budget(JudgeSettings(max_tokens=100), ModelCard(), name="m")
        await budget.reserve(Took(50, 40))
        waiting = asyncio.create_task(budget.reserve(Took(50, 10)))
        await asyncio.sleep(0)
        told = [str(waiting.done())]
        budget.settle(Took(50, 40), Took(20, 10))
        await waiting
        budget.settle(Took(50, 10), Took(50, 10))
        with pytest.raises(Exhausted):
            await budget.reserve(Took(10, 1))
        return [*told, str(budget.spent.tokens)]

    assert asyncio.run(spend()) == ["False", "90"]


def test_the_plan_tells_what_is_left_to_ask_and_asks_nothing(tmp_path: Path) -> None:
    cache = tmp_path / "cache.db"
    prices = {"input_usd_per_million": 1.0, "output_usd_per_million": 4.0}
    with ScriptedModelServer(scripted_verdict) as server:
        llm_measure("relevance", tools(server, cache, card=prices)).score([sample(1), sample(2)])
        asked = len(server.chats)
        made = measures(tools(server, cache, card=prices, max_tokens=100))
        wanted = [sample(1), sample(2), sample(3), sample(4, refused=True)]
        (plan,) = plan_judging(list(made.values()), wanted)
        assert len(server.chats) == asked
    assert (plan.calls, plan.cached) == (1, 2)
    assert plan.input_tokens and plan.output_tokens and plan.input_tokens > 300
    assert plan.cost_usd == pytest.approx((plan.input_tokens + 4 * plan.output_tokens) / 1e6)
    assert any("max_tokens 100 is less than" in note for note in plan.notes)
    assert plan_judging([], wanted) == ()


def test_the_plan_counts_every_round_and_holds_the_sum_against_the_bounds(tmp_path: Path) -> None:
    prices = {"input_usd_per_million": 1.0, "output_usd_per_million": 4.0}
    with ScriptedModelServer(scripted_verdict) as server:
        given = tools(server, tmp_path / "cache.db", card=prices)
        wanted = [sample(1), sample(2)]
        (once,) = plan_judging(list(measures(given).values()), wanted)
        assert once.input_tokens and once.output_tokens and once.cost_usd
        bound = int(2 * (once.input_tokens + once.output_tokens))
        bounded = tools(server, tmp_path / "cache.db", card=prices, max_tokens=bound)
        (thrice,) = plan_judging(list(measures(bounded).values()), wanted, repeats=3)
        assert server.chats == []
    assert (once.calls, thrice.calls) == (2, 6)
    assert (thrice.input_tokens, thrice.output_tokens) == (3 * once.input_tokens, 3 * once.output_tokens)
    assert thrice.cost_usd == pytest.approx(3 * once.cost_usd)
    assert any(f"max_tokens {bound} is less than" in note for note in thrice.notes)


# --- how many at once ------------------------------------------------------------


def test_the_number_at_once_halves_when_refused_and_grows_by_one_a_round() -> None:
    limiter = Limiter(16)
    limiter.overloaded(asked_at=0.0, retry_after_s=None)
    assert limiter.limit == 8
    limiter.overloaded(asked_at=0.0, retry_after_s=None)  # began together with the first: not counted twice
    assert limiter.limit == 8
    for _ in range(8):
        limiter.succeeded()
    assert 8.5 < limiter.limit <= 9
    limiter.overloaded(asked_at=float("inf"), retry_after_s=60)
    assert limiter.limit < 5
    assert 55 < limiter.held_back_s() <= 60


def test_calls_start_one_after_another_and_a_cancelled_start_gives_its_place_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limiting, "SPACING_S", 0.05)

    async def started() -> tuple[list[float], int]:
        limiter, at = Limiter(4), []

        async def start() -> None:
            await limiter.start()
            at.append(time.monotonic())

        tasks = [asyncio.create_task(start()) for _ in range(4)]
        await asyncio.sleep(0)
        tasks[3].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return at, limiter.running

    at, running = asyncio.run(started())
    assert running == len(at) == 3
    assert at[2] - at[0] > 0.09


def test_it_works_inside_a_running_event_loop() -> None:
    async def inside() -> list[Any]:
        return llm_measure("relevance", given).score([sample()])

    with ScriptedModelServer(scripted_verdict) as server:
        given = tools(server)
        assert asyncio.run(inside()) == [Score(1.0)]


def test_no_more_run_at_once_than_were_allowed() -> None:
    together = []

    def script(body: dict[str, Any]) -> str:
        together.append(server.open_connections)
        return scripted_verdict(body)

    with ScriptedModelServer(script, latency_s=0.01) as server:
        llm_measure("relevance", tools(server, concurrency=3)).score([sample(number) for number in range(12)])
    assert max(together) <= 3
    assert len(server.chats) == 12


def test_a_measure_is_a_measure() -> None:
    with ScriptedModelServer() as server:
        measure: Measure = llm_measure("utilization", tools(server))
    assert (str(measure), measure.unit_interval, measure.statistic) == ("llm:utilization", True, "mean")
