"""What makes two judges the same: kept verdicts are used again, no model judges itself."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from genaiops.errors import ConfigurationError
from genaiops.evaluation import evaluate
from genaiops.evaluation.llm_judges import llm_measure
from genaiops.evaluation.tools import JudgeSettings, ModelCatalog, Tools
from genaiops.generation.catalog import ModelCard
from genaiops.golden_sets import GoldenSet
from genaiops.records import Case, Score, Unscored
from genaiops.testing import ScriptedModelServer, scripted_verdict
from tests.evaluation.judging_models import CONTEXTS, measures, sample, tools

# --- the cache -------------------------------------------------------------------


def test_nothing_changed_nothing_called_and_a_change_calls_for_its_case_alone(tmp_path: Path) -> None:
    cache = tmp_path / "cache.db"
    with ScriptedModelServer(scripted_verdict) as server:
        cases = [sample(number) for number in range(3)]
        before = llm_measure("groundedness", tools(server, cache)).score(cases)
        assert len(server.chats) == 3
        assert llm_measure("groundedness", tools(server, cache)).score(cases) == before
        assert llm_measure("relevance", tools(server, cache)).score(cases) == [Score(1.0)] * 3
        assert len(server.chats) == 3
        changed = [*cases[:2], sample(2, contexts=(CONTEXTS[0],))]
        llm_measure("groundedness", tools(server, cache)).score(changed)
        assert len(server.chats) == 4
        llm_measure("groundedness", tools(server, cache, temperature=0.5)).score(cases)
        assert len(server.chats) == 7
        llm_measure("groundedness", tools(server, cache, card={"model": "other"})).score(cases)
        assert len(server.chats) == 10


def test_failures_are_not_kept_beyond_the_evaluation(tmp_path: Path) -> None:
    replies = iter(["no verdict", None])
    with ScriptedModelServer(lambda body: next(replies) or scripted_verdict(body)) as server:
        given = tools(server, tmp_path / "cache.db")
        made = measures(given)
        outcomes = [measure.score([sample()])[0] for measure in made.values()]
        assert all(isinstance(outcome, Unscored) for outcome in outcomes)
        assert len(server.chats) == 1  # the other measures do not ask again
        assert measures(tools(server, tmp_path / "cache.db"))["relevance"].score([sample()]) == [Score(1.0)]


def test_the_cache_holds_no_text_and_a_damaged_row_is_no_judgement(tmp_path: Path) -> None:
    cache = tmp_path / "cache.db"
    with ScriptedModelServer(scripted_verdict) as server:
        llm_measure("groundedness", tools(server, cache)).score([sample()])
        with sqlite3.connect(cache) as db:
            (row,) = db.execute("SELECT judgement FROM judgements").fetchall()
            assert "vinegar" not in row[0]
            db.execute("UPDATE judgements SET judgement = replace(judgement, '1.0', '0.0')")
        db.close()
        assert llm_measure("groundedness", tools(server, cache)).score([sample()]) == [Score(1.0)]
    assert len(server.chats) == 2


# --- which model -----------------------------------------------------------------


def test_the_digest_of_the_judge_covers_all_that_decides_a_verdict() -> None:
    with ScriptedModelServer() as server:
        usual = llm_measure("relevance", tools(server)).judge
        others = [
            llm_measure("completeness", tools(server)).judge,
            llm_measure("relevance", tools(server, votes=3)).judge,
            llm_measure("relevance", tools(server, temperature=0.3)).judge,
            llm_measure("relevance", tools(server, card={"model": "another"})).judge,
        ]
        bounds = tools(server, max_tokens=10, max_seconds=1.0, concurrency=2)
        assert llm_measure("relevance", bounds).judge == usual
    assert len({usual, *others}) == 5


@pytest.mark.parametrize("tested", ["judge", "gpt-x", "GPT-X"])
def test_no_model_judges_itself(tested: str) -> None:
    card = ModelCard(base_url="http://127.0.0.1:9/v1", model="gpt-x")
    given = Tools(models=ModelCatalog(models={"judge": card}), model="judge", tested=("", tested))
    with pytest.raises(ConfigurationError, match="the judge 'judge' is the model under test"):
        llm_measure("groundedness", given)


def test_an_answer_that_the_judge_itself_gave_is_unscored_wherever_it_comes_from() -> None:
    golden = GoldenSet("g", (Case("a", "Why?", reference="Because."),))
    with ScriptedModelServer(scripted_verdict) as server:
        given = tools(server)
        run = evaluate(lambda query: _answered(query.text), golden, measures=["llm:relevance"], tools=given)
    assert server.chats == []
    assert run.results[0].outcomes["llm:relevance"] == Unscored("the judge judge is the model under test")


def _answered(question: str) -> Any:
    from genaiops.records import Answer, Query, Usage

    return Answer(Query(question), "Because.", False, (), (), Usage(), None, {"total": 0.1}, "judge", "p", "i")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (Tools(), "none is configured"),
        (Tools(judge=JudgeSettings(model="x")), "no judging model 'x' in models.yaml"),
        (Tools(model="extractive"), "no judging model 'extractive'"),
    ],
)
def test_a_missing_judge_is_an_error_with_its_remedy(given: Tools, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told) as caught:
        llm_measure("relevance", given)
    assert caught.value.remedy


def test_an_unknown_measure_names_the_nearest() -> None:
    with pytest.raises(ConfigurationError, match="did you mean 'llm:groundedness'"):
        llm_measure("groundednes", Tools())
