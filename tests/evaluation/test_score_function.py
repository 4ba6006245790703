"""genaiops.score: rows or a callable in, a run out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import genaiops
from genaiops import score
from genaiops.errors import ConfigurationError
from genaiops.evaluation.records import Run
from genaiops.evaluation.reports import html_report
from genaiops.records import Query, Score
from tests.words_embedder import WordsEmbedder

ROW = {"question": "Why?", "answer": "Because [1].", "contexts": ["Because it is."], "reference": "Because."}


def test_rows_become_a_run_that_is_kept_and_reported_like_any_other(tmp_path: Path) -> None:
    run = score([ROW, {**ROW, "answer": "No."}], measures=["exact_match", "rougeL"], name="mine")
    assert genaiops.score is score
    assert (run.golden_set, len(run.results)) == ("mine", 2)
    summary = run.summary("exact_match")
    assert summary is not None and summary.mean == 0.5
    assert Run.load(run.save(tmp_path)) == run
    page = html_report(run)
    assert "Because it is." in page and "exact_match" in page
    assert run.results[0].answer is not None and run.results[0].answer.hits[0].chunk.text == "Because it is."


def test_a_file_and_its_rows_give_the_same_run(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(ROW) + "\n")
    assert [r.outcomes for r in score(path, measures=["rougeL"]).results] == [
        r.outcomes for r in score([ROW], measures=["rougeL"]).results
    ]
    assert score(str(path), measures=["rougeL"]).golden_set == "rows.jsonl"


def test_a_callable_is_asked_every_question() -> None:
    def answer(query: Query) -> dict[str, object]:
        return {"answer": "Paris." if "France" in query.text else "Hm.", "contexts": ["Paris is in France."]}

    run = score(
        answer,
        ["Capital of France?", {"id": "x", "question": "Capital of Peru?", "reference": "Lima."}],
        measures=["exact_match", "latency_s"],
    )
    assert [result.case.id for result in run.results] == ["1", "x"]
    assert run.results[1].outcomes["exact_match"] == Score(0.0)
    assert run.results[0].answer is not None and run.results[0].answer.text == "Paris."


def test_measures_are_chosen_by_the_columns() -> None:
    run = score([ROW], embedder=WordsEmbedder())
    assert [summary.measure for summary in run.summaries] == [
        "groundedness", "relevance", "completeness", "utilization", "citation_precision", "citation_recall",
        "noise_sensitivity", "semantic_similarity", "rougeL",
    ]  # fmt: skip
    bare = score([{"question": "Why?", "answer": "So."}], embedder=WordsEmbedder())
    assert [summary.measure for summary in bare.summaries] == ["relevance"]


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="score needs questions"):
        score(lambda query: "x")
    with pytest.raises(ConfigurationError, match="questions are for a callable"):
        score([ROW], ["Why?"])
    with pytest.raises(ConfigurationError, match="there is no row"):
        score([])
    with pytest.raises(ConfigurationError, match="row 2: answer is missing"):
        score([ROW, {"question": "?"}], measures=["rougeL"])
    with pytest.raises(ConfigurationError, match="row 2: id 1 stands on row 1 already"):
        score([{**ROW, "id": "1"}, {**ROW, "id": 1}], measures=["rougeL"])
