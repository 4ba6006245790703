"""What a judgement that was kept stands for, and when judges are asked again."""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from genaiops.embedding import EmbeddingSettings, load_embedder
from genaiops.embedding.loading import LocalEmbedder
from genaiops.evaluation import evaluate
from genaiops.evaluation.adapters import adapter_measure
from genaiops.evaluation.adapters.adapted import AdaptedMeasure, on_background_loop
from genaiops.evaluation.adapters.mlflow_scorers import _MLflow, _run
from genaiops.evaluation.adapters.variables import VARIABLES
from genaiops.evaluation.judged import KeptOutcomes
from genaiops.evaluation.kept import KeptResults
from genaiops.evaluation.llm_judges import llm_judge_of, llm_measure
from genaiops.evaluation.measures import measure_named
from genaiops.evaluation.records import Measure, Sample
from genaiops.evaluation.repeating import flakiness
from genaiops.evaluation.tools import ModelCatalog, Tools
from genaiops.generation.catalog import ModelCard
from genaiops.golden_sets import GoldenSet
from genaiops.records import Answer, Case, Outcome, Query, Score, Unscored, Usage
from genaiops.testing import ScriptedModelServer, scripted_verdict
from tests.evaluation.judging_models import sample, tools

ITSELF = Unscored("the judge judge is the model under test")


def judge_at(url: str) -> str:
    card = ModelCard(base_url=url, model="m")
    return llm_measure("relevance", Tools(models=ModelCatalog(models={"judge": card}), model="judge")).judge


@pytest.mark.parametrize(
    "other", ["http://127.0.0.1:2/team/v1", "http://127.0.0.1:1/other/v1", "https://127.0.0.1:1/team/v1"]
)
def test_another_address_is_another_judge(other: str) -> None:
    assert judge_at("http://127.0.0.1:1/team/v1") != judge_at(other)


def test_a_written_port_and_a_last_slash_make_no_other_judge() -> None:
    assert judge_at("http://127.0.0.1/v1") == judge_at("http://127.0.0.1:80/v1/")


class Counting:
    """A metric whose value says how many it gave before."""

    version, needs, unit_interval = "1", ("answer",), False

    def __init__(self) -> None:
        self.given = 0

    async def value(self, sample: Sample) -> float:
        self.given += 1
        return float(self.given)


def counting(given: Tools) -> AdaptedMeasure:
    return AdaptedMeasure("library:counting", Counting(), llm_judge_of(given), on_background_loop)


def outcomes(measure: Measure, samples: Sequence[Sample], cache: Path) -> list[Outcome]:
    return KeptOutcomes(KeptResults(cache), "code", active=True).outcomes_of(measure, samples)[0]


def answered_by(model: str) -> Sample:
    one = sample()
    said = Answer(Query(one.question), one.answer, False, (), (), Usage(), None, {"total": 0.1}, model, "p", "i")
    return replace(one, response=said)


def test_what_was_kept_is_no_grade_for_the_same_answer_by_the_judge_itself(tmp_path: Path) -> None:
    cache = tmp_path / "cache.db"
    with ScriptedModelServer(scripted_verdict) as server:
        for measure in (llm_measure("relevance", tools(server, cache)), counting(tools(server, cache))):
            assert outcomes(measure, [answered_by("another")], cache) == [Score(1.0)]
            assert outcomes(measure, [answered_by("judge")], cache) == [ITSELF]


def test_a_library_is_not_looked_up_for_an_answer_by_the_judge_itself(tmp_path: Path) -> None:
    with ScriptedModelServer() as server:
        measure = counting(tools(server, tmp_path / "cache.db"))
        assert measure.score([answered_by("another")]) == [Score(1.0)]
        # Of the same texts, one by the judge and one by another model.
        assert measure.score([answered_by("judge"), answered_by("another")]) == [ITSELF, Score(1.0)]


@pytest.mark.parametrize("name", ["groundedness", "semantic_similarity", "citation_recall", "noise_sensitivity"])
def test_another_precision_of_the_vectors_is_judged_again(name: str, embedder: LocalEmbedder, tmp_path: Path) -> None:
    other = load_embedder(EmbeddingSettings(precision="bf16"))
    kept = KeptOutcomes(KeptResults(tmp_path / "cache.db"), "code", active=True)
    samples = [sample()]
    before, after = (measure_named(name, embedder=one) for one in (embedder, other))
    assert before.judge == after.judge  # a passport holds for both
    looked = [kept.outcomes_of(measure, samples)[2] for measure in (before, after, before, after)]
    assert isinstance(kept.outcomes_of(before, samples)[0][0], Score)
    assert looked == [{"c0"}, {"c0"}, set(), set()]


def test_a_metric_of_ragas_that_compares_vectors_is_named_with_its_embedder(embedder: LocalEmbedder) -> None:
    pytest.importorskip("ragas")
    other = load_embedder(EmbeddingSettings(precision="bf16"))
    with ScriptedModelServer() as server:
        given = [replace(tools(server), embedder=one) for one in (embedder, other)]
        relevancy, faithfulness = (
            {adapter_measure("ragas", name, one).judge for one in given}
            for name in ("answer_relevancy", "faithfulness")
        )
    assert len(relevancy) == 2
    assert len(faithfulness) == 1  # it is given no embedder


def test_a_call_of_mlflow_that_outlives_its_time_keeps_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("mlflow")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-user")
    monkeypatch.delenv("OPENAI_API_BASE", raising=False)
    go_on, found, done = threading.Event(), [], threading.Event()

    def slow(fields: object) -> None:
        go_on.wait()  # as a library that loads what it needs before it reads the address
        found.append((os.environ.get("OPENAI_API_BASE"), os.environ.get("OPENAI_API_KEY")))
        done.set()

    with ScriptedModelServer() as server:
        judge = llm_judge_of(tools(server, max_seconds=0.2))
        measure = AdaptedMeasure(
            "mlflow:slow", _MLflow(("answer",), slow, judge), judge, lambda work: _run(work, judge)
        )
        (outcome,) = measure.score([sample()])
        assert isinstance(outcome, Unscored)
        go_on.set()
        assert done.wait(60)
        assert found == [(server.base_url, "none")]
        with VARIABLES.set_to({}):  # waits until the call has left
            assert os.environ["OPENAI_API_KEY"] == "sk-of-the-user"
            assert "OPENAI_API_BASE" not in os.environ


def test_every_repeat_is_judged_anew_once_for_all_measures_of_the_judge(tmp_path: Path) -> None:
    golden = GoldenSet("g", tuple(Case(f"c{number}", f"Why {number}?", reference="Because.") for number in range(3)))
    marks = itertools.count()
    wanted = ["llm:relevance", "llm:completeness"]
    with ScriptedModelServer(lambda body: scripted_verdict(body, relevance=next(marks) // 3 % 5)) as server:
        given = tools(server, tmp_path / "cache.db", concurrency=1)
        measures = [*(llm_measure(name.partition(":")[2], given) for name in wanted), counting(given)]
        run = evaluate(lambda query: "It is.", golden, measures=measures, repeats=3)
        assert len(server.chats) == 9
    relevance = {one.value for r in run.results for one in r.repeated["llm:relevance"] if isinstance(one, Score)}
    assert relevance == {0.0, 0.25, 0.5}
    assert {found.measure: found.changed for found in flakiness(run)} == {
        "llm:relevance": 3, "llm:completeness": 0, "library:counting": 3,
    }  # fmt: skip


def test_fresh_tools_take_no_judgement_over_and_leave_theirs(tmp_path: Path) -> None:
    with ScriptedModelServer(scripted_verdict) as server:
        cache = tmp_path / "cache.db"
        for calls, given in enumerate([replace(tools(server, cache), fresh=True) for _ in range(2)], start=1):
            assert llm_measure("relevance", given).score([sample()]) == [Score(1.0)]
            counted = counting(given)
            assert [counted.score([sample()]) for _ in range(2)] == [[Score(1.0)], [Score(2.0)]]
            assert len(server.chats) == calls
        llm_measure("relevance", tools(server, cache)).score([sample()])
        assert len(server.chats) == 2
