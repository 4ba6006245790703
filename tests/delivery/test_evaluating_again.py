"""What an evaluation takes over from an earlier one: only what could come out otherwise is done again."""

from __future__ import annotations

import itertools
import json
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from genaiops.delivery import clean_up, evaluate_flow, forget
from genaiops.delivery.evaluating import find_evaluation
from genaiops.embedding.loading import LocalEmbedder
from genaiops.errors import ConfigurationError
from genaiops.evaluation.anew import anew, told_anew
from genaiops.evaluation.kept import TABLE, KeptResults, prune_results, result_key
from genaiops.evaluation.records import CaseResult, Run
from genaiops.flow import Flow
from genaiops.project import Project, RetentionSettings
from genaiops.records import Unscored
from genaiops.testing import Reply, ScriptedModelServer, scripted_verdict
from tests.small_project import GOLDEN, SmallProject

CASES = len(GOLDEN)


@pytest.fixture
def project(small_project: SmallProject, embedder: LocalEmbedder) -> SmallProject:
    """The small project, judged and built; `embedder` holds the weights for the whole process."""
    path = small_project.flow / "flow.yaml"
    measures = "[recall@6, groundedness, completeness, refusal, answered, latency_p95_s]"
    path.write_text(path.read_text().replace("[recall@6, refusal, answered, latency_p95_s]", measures))
    load(small_project).build()
    return small_project


@pytest.fixture
def server() -> Iterator[ScriptedModelServer]:
    with ScriptedModelServer("A kettle can be sent back within 30 days of delivery. [1]") as running:
        yield running


def load(project: SmallProject, *settings: str) -> Flow:
    return Flow.load(project.flow, overrides=settings, project=Project.find(project.root))


def evaluated(project: SmallProject, *settings: str) -> Run:
    return evaluate_flow(load(project, *settings)).run


def content(run: Run) -> list[CaseResult]:
    """The results without what says how they came about."""
    return [replace(result, reused=()) for result in run.results]


def timeless(run: Run) -> list[CaseResult]:
    """The results without seconds and what is made of them."""
    return [
        replace(
            result,
            reused=(),
            answer=replace(result.answer, seconds={}) if result.answer else None,
            outcomes={name: outcome for name, outcome in result.outcomes.items() if name != "latency_p95_s"},
        )
        for result in run.results
    ]


def test_with_nothing_changed_nothing_is_searched_asked_or_judged(project: SmallProject) -> None:
    first, again = evaluated(project), evaluated(project)
    assert anew(first) == {"cases": CASES, "searched": CASES, "answered": CASES, "judged": CASES}
    assert anew(again) == {"cases": CASES, "searched": 0, "answered": 0, "judged": 0}
    assert content(again) == content(first)
    assert again.summaries == first.summaries
    assert told_anew(first) == []
    assert told_anew(again)[:2] == [
        f"0 of {CASES} cases answered again; {CASES} unchanged",
        f"0 of {CASES} cases judged again; {CASES} unchanged",
    ]


def test_with_nothing_changed_the_index_is_not_opened(project: SmallProject, monkeypatch: pytest.MonkeyPatch) -> None:
    evaluated(project)

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("opened")

    monkeypatch.setattr("genaiops.flow.flow.open_pipeline", refuse)
    assert anew(evaluated(project))["answered"] == 0


def test_another_prompt_searches_nothing_again(project: SmallProject) -> None:
    evaluated(project)
    run = evaluated(project, "prompt=brief")
    counts = anew(run)
    assert (counts["searched"], counts["answered"]) == (0, CASES)
    assert 0 < counts["judged"] < CASES  # one sentence where there were two, but for the refusals


def test_another_document_asks_only_the_cases_whose_context_changed(project: SmallProject) -> None:
    settings = ("retrieval.top_k=2",)
    first = evaluated(project, *settings)
    page = project.documents / "warranty.md"
    page.write_text(page.read_text().replace("two years", "three years"))
    golden = project.golden.read_text().replace("two years", "three years")
    project.golden.write_text(golden)
    load(project, *settings).build()
    run = evaluated(project, *settings)
    shown = {
        now.case.id
        for now, before in zip(run.results, first.results, strict=True)
        if now.answer and before.answer
        and [hit.chunk.text for hit in now.answer.hits] != [hit.chunk.text for hit in before.answer.hits]
    }  # fmt: skip
    assert "warranty-length" in shown
    assert len(shown) < CASES
    assert {result.case.id for result in run.results if "answer" not in result.reused} == shown
    assert f"{len(shown)} of {CASES} cases answered again; {CASES - len(shown)} unchanged" in told_anew(run)
    fresh = evaluated(project, *settings, "evaluation.reuse=none")
    assert timeless(run) == timeless(fresh)


def test_a_text_that_moved_in_its_document_is_cited_where_it_is_now(project: SmallProject) -> None:
    evaluated(project)
    page = project.documents / "warranty.md"
    page.write_text(page.read_text().replace("# Warranty\n", "# Warranty\n\n## News\n\nNothing new.\n\n## Terms\n"))
    load(project).build()
    run = evaluated(project)
    text = page.read_text()
    cited = [c for r in run.results if r.answer for c in r.answer.citations if c.document_id == "warranty.md"]
    assert cited
    assert all(text[citation.start : citation.end] == citation.quote for citation in cited)


def test_reuse_none_does_everything_again_and_leaves_nothing(project: SmallProject) -> None:
    for _ in range(2):
        assert anew(evaluated(project, "evaluation.reuse=none"))["answered"] == CASES
    with sqlite3.connect(Project.find(project.root).cache) as db:
        assert db.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (TABLE,)).fetchone() is None


# --- models ------------------------------------------------------------------------


def of_model(server: ScriptedModelServer, *settings: str) -> tuple[str, ...]:
    return ("generation.model=house", f"generation.base_url={server.base_url}", *settings)


def judged_by(server: ScriptedModelServer, project: SmallProject) -> tuple[str, ...]:
    """Settings with which the server judges."""
    card = {"base_url": server.base_url, "timeout_s": 30}
    (project.root / "models.yaml").write_text(json.dumps({"models": {"judging": card}}))
    return ("evaluation.judge.model=judging", 'evaluation.measures=["recall@6", "llm:relevance"]')


def test_a_judging_model_is_asked_again_where_nothing_is_taken_over(project: SmallProject) -> None:
    with ScriptedModelServer(scripted_verdict) as server:
        settings = judged_by(server, project)
        evaluated(project, *settings)
        calls = len(server.chats)
        evaluated(project, *settings)
        assert len(server.chats) == calls > 0
        evaluated(project, *settings, "evaluation.reuse=none")
        assert len(server.chats) == 2 * calls
        evaluated(project, *settings, "evaluation.repeats=2")
        assert len(server.chats) == 4 * calls


def test_a_run_in_which_the_judge_failed_is_not_the_run_of_this_state(project: SmallProject) -> None:
    turn = itertools.count()

    def judging(body: dict[str, Any]) -> str | Reply:
        return Reply(status=402, text="no credit") if next(turn) == 0 else scripted_verdict(body)

    with ScriptedModelServer(judging) as server:
        flow = load(project, *judged_by(server, project))
        failed = evaluate_flow(flow).run
        assert any(isinstance(result.outcomes["llm:relevance"], Unscored) for result in failed.results)
        assert find_evaluation(flow, flow.served) is None
        sound = evaluate_flow(flow).run
        found = find_evaluation(flow, flow.served)
    assert found is not None
    assert found.id == sound.id


def test_a_run_in_which_one_repeat_got_no_answer_is_not_the_run_of_this_state(project: SmallProject) -> None:
    turn = itertools.count()

    def says(body: dict[str, Any]) -> str | Reply:
        return Reply(status=400) if next(turn) == CASES + 1 else "Two years. [1]"

    with ScriptedModelServer(says) as server:
        flow = load(project, *of_model(server))
        run = evaluate_flow(flow, repeats=2).run
        assert not any(result.error for result in run.results)  # the other repeat answered
        assert find_evaluation(flow, flow.served, repeats=2) is None
        evaluate_flow(flow, repeats=2)
        assert find_evaluation(flow, flow.served, repeats=2) is not None


def test_a_model_is_asked_again_but_its_same_answers_are_not_judged_again(
    project: SmallProject, server: ScriptedModelServer
) -> None:
    evaluated(project, *of_model(server))
    again = evaluated(project, *of_model(server))
    assert len(server.chats) == 2 * CASES
    assert anew(again) == {"cases": CASES, "searched": 0, "answered": CASES, "judged": 0}


def test_a_model_at_temperature_0_is_not_asked_again_where_that_is_wanted(
    project: SmallProject, server: ScriptedModelServer
) -> None:
    settings = of_model(server, "evaluation.reuse=models")
    first, again = evaluated(project, *settings), evaluated(project, *settings)
    assert len(server.chats) == CASES
    assert content(again) == content(first)
    prompt = project.flow / "prompts" / "cited.prompty"
    prompt.write_text(prompt.read_text().replace("temperature: 0\n", "temperature: 0.7\n"))
    with pytest.raises(ConfigurationError, match=r"temperature 0\.7"):
        evaluated(project, *settings)
    assert anew(evaluated(project, *of_model(server)))["answered"] == CASES


def test_a_case_that_got_no_answer_is_asked_again(project: SmallProject) -> None:
    turn = iter(range(1000))

    def says(body: dict[str, Any]) -> str | Reply:
        return Reply(status=400) if next(turn) == 2 else "Two years. [1]"

    with ScriptedModelServer(says) as server:
        settings = of_model(server, "evaluation.reuse=models")
        first = evaluated(project, *settings)
        assert [result.failure.stage for result in first.results if result.error and result.failure] == ["error"]
        again = evaluated(project, *settings)
        assert len(server.chats) == CASES + 1
    assert [result.error for result in again.results] == [""] * CASES
    assert anew(again)["answered"] == 1


# --- faults --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data[:-1] + bytes([data[-1] ^ 1]),
        lambda data: b"",
        lambda data: b"not ours",
    ],
)
def test_a_damaged_row_is_computed_again(project: SmallProject, spoil: Callable[[bytes], bytes]) -> None:
    first = evaluated(project)
    with sqlite3.connect(Project.find(project.root).cache) as db:
        rows = db.execute(f"SELECT key, data FROM {TABLE}").fetchall()
        db.executemany(f"UPDATE {TABLE} SET data = ? WHERE key = ?", [(spoil(data), key) for key, data in rows])
    again = evaluated(project)
    assert anew(again)["answered"] == CASES
    assert timeless(again) == timeless(first)


def test_a_row_of_another_shape_is_computed_again(project: SmallProject) -> None:
    first = evaluated(project)
    cache = Project.find(project.root).cache
    with sqlite3.connect(cache) as db:
        keys = [key for (key,) in db.execute(f"SELECT key FROM {TABLE}")]
    KeptResults(cache).put({key: {"hits": [{"chunk": 1}], "citations": [[99, 0, 1]], "outcome": {}} for key in keys})
    assert timeless(evaluated(project)) == timeless(first)


def test_an_interrupted_evaluation_goes_on_where_it_was(project: SmallProject) -> None:
    class Stop(BaseException):
        pass

    def until_five(what: str, done: int, total: int) -> None:
        if (what, done) == ("ask", 5):
            raise Stop

    with pytest.raises(Stop):
        evaluate_flow(load(project), progress=until_five)
    run = evaluated(project)
    assert [("answer" in result.reused) for result in run.results] == [True] * 5 + [False] * (CASES - 5)
    assert timeless(run) == timeless(evaluated(project, "evaluation.reuse=none"))


# --- what may stay ----------------------------------------------------------------------


def test_an_erased_document_is_in_no_result(project: SmallProject) -> None:
    evaluated(project)
    flow = load(project)
    forget(flow, document="warranty.md")
    assert b"limescale is not covered" not in flow.project.cache.read_bytes()


def test_results_are_bounded_the_longest_unused_first(project: SmallProject) -> None:
    evaluated(project)
    found = Project.find(project.root)
    kept = KeptResults(found.cache)
    old, new = result_key("old"), result_key("new")
    kept.put({old: "x" * 1000, new: "y" * 1000})
    with sqlite3.connect(found.cache) as db:
        db.execute(f"UPDATE {TABLE} SET used = used - 9 WHERE key = ?", (old,))
        total = db.execute(f"SELECT SUM(LENGTH(data)) FROM {TABLE}").fetchone()[0]
    assert prune_results(found.cache, total / 1e6) == 0
    assert prune_results(found.cache, (total - 500) / 1e6, dry_run=True) == 1
    assert prune_results(found.cache, (total - 500) / 1e6) == 1
    assert set(kept.get([old, new])) == {new}
    cleaned = clean_up(found, retention=RetentionSettings(evaluation_results_mb=0))
    assert cleaned.results > 0
    assert kept.get([new]) == {}


def test_the_key_of_a_result_depends_on_every_part() -> None:
    parts: list[Any] = ["answer", {"b": 1, "a": (1, 2)}, None, 1.5]
    assert result_key(*parts) == result_key(*json.loads(json.dumps(parts)))
    assert (
        len({result_key(*parts), result_key(*parts[1:]), result_key("answer", {"a": (2, 1), "b": 1}, None, 1.5)}) == 3
    )
