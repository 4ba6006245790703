from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from genaiops.errors import ConfigurationError, NotFound
from genaiops.evaluation import read_rows, score_rows
from genaiops.evaluation.rows import AnswerRow

GOOD = {"id": "a", "question": "What colour?", "answer": "The blue.", "contexts": ["It is blue."], "reference": "Blue"}


def write(folder: Path, *rows: object) -> Path:
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_rows_are_read_with_their_optional_fields(tmp_path: Path) -> None:
    bare = {"id": 7, "question": "Why?", "answer": "", "model": "x", "contexts": None}
    assert read_rows(write(tmp_path, GOOD, bare)) == [
        AnswerRow("a", "What colour?", "The blue.", ("It is blue.",), "Blue"),
        AnswerRow(7, "Why?", ""),
    ]


def test_each_row_and_measure_gives_a_value_or_a_reason() -> None:
    bare = {"id": 7, "question": "Why?", "answer": "I cannot answer that from the documents."}
    assert score_rows([GOOD, bare], ["exact_match", "latency_s"]) == [
        {"id": "a", "measure": "exact_match", "value": 1.0, "unscored": None},
        {
            "id": "a",
            "measure": "latency_s",
            "value": None,
            "unscored": "only an answer that was asked for here has this",
        },
        {"id": 7, "measure": "exact_match", "value": None, "unscored": "not applicable: there is no reference answer"},
        {"id": 7, "measure": "latency_s", "value": None, "unscored": "only an answer that was asked for here has this"},
    ]


def test_a_sample_of_a_row_knows_a_refusal() -> None:
    assert AnswerRow(1, "Why?", "I don't know.").sample.refused
    assert not AnswerRow(1, "Why?", "Because.").sample.refused


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"id": ""}, "id must be a text or a whole number, got ''"),
        ({"id": True}, "id must be"),
        ({"id": 1.5}, "id must be"),
        ({"question": None}, "question must be a text, got None"),
        ({"answer": ["x"]}, "answer must be a text"),
        ({"contexts": "one"}, "contexts must be a list of texts, got 'one'"),
        ({"contexts": [1]}, "contexts must be a list of texts"),
        ({"reference": 1}, "reference must be a text"),
        ({"id": "a"}, "id 'a' stands on line 1 already"),
    ],
)
def test_a_broken_row_says_what_and_where(tmp_path: Path, change: dict[str, Any], says: str) -> None:
    path = write(tmp_path, GOOD, {**GOOD, "id": "b", **change})
    with pytest.raises(ConfigurationError) as raised:
        read_rows(path)
    assert raised.value.where == f"{path}:2"
    assert says in raised.value.what


def test_a_missing_or_misspelt_field_is_an_error_not_an_empty_one(tmp_path: Path) -> None:
    misspelt = {"id": "b", "question": "q", "answer": "a", "context": ["x"]}
    path = write(tmp_path, {"id": "a", "anwser": "x"}, misspelt)
    with pytest.raises(ConfigurationError) as raised:
        read_rows(path)
    text = str(raised.value)
    assert f"{path}:1: question is missing" in text
    assert "answer is missing; is it 'anwser'?" in text
    assert f"{path}:2: unknown key 'context'; did you mean 'contexts'?" in text


def test_rows_given_in_python_are_checked_too() -> None:
    with pytest.raises(ConfigurationError, match="answer is missing") as raised:
        score_rows([GOOD, {"id": "b", "question": "q"}], ["exact_match"])
    assert raised.value.where == "row 2"


def test_a_missing_file_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        read_rows(tmp_path / "none.jsonl")
