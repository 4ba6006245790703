"""Rows with the column names of other tools, as JSON lines and as tables."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from genaiops.errors import ConfigurationError
from genaiops.evaluation import read_rows
from genaiops.evaluation.row_formats import FORMATS, format_of
from genaiops.evaluation.rows import AnswerRow

ASKED, SAID, TOLD, WANTED = "Who won?", "The Packers won [1].", ["Green Bay won 35-10.", "It rained."], "Green Bay."
WANT = AnswerRow(1, ASKED, SAID, tuple(TOLD), WANTED)
RAGAS = {"user_input": ASKED, "response": SAID, "retrieved_contexts": TOLD, "reference": WANTED}
DEEPEVAL = {"input": ASKED, "actual_output": SAID, "retrieval_context": TOLD, "expected_output": WANTED,
            "context": ["the ideal one"]}  # fmt: skip
MLFLOW = {"inputs": {"question": ASKED}, "outputs": {"response": SAID, "contexts": TOLD},
          "expectations": {"expected_response": WANTED, "guidelines": ["be brief"]}}  # fmt: skip
LANGSMITH = {"inputs": {"q": ASKED}, "outputs": {"answer": SAID, "documents": [{"page_content": t} for t in TOLD]},
             "reference_outputs": {"answer": WANTED}}  # fmt: skip
AZURE = {"query": ASKED, "response": SAID, "context": "\n".join(TOLD), "ground_truth": WANTED}
OURS = {"question": ASKED, "answer": SAID, "contexts": TOLD, "reference": WANTED}
EVERY = [("ragas", RAGAS), ("deepeval", DEEPEVAL), ("mlflow", MLFLOW), ("langsmith", LANGSMITH), ("azure", AZURE),
         ("genaiops", OURS)]  # fmt: skip


def lines(folder: Path, *rows: object) -> Path:
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def table(folder: Path, *rows: dict[str, Any], name: str = "rows.csv", python: bool = False) -> Path:
    path = folder / name
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter="\t" if name.endswith(".tsv") else ",")
        writer.writeheader()
        for row in rows:
            cells = {key: value if isinstance(value, str) else repr(value) if python else json.dumps(value)
                     for key, value in row.items()}  # fmt: skip
            writer.writerow(cells)
    return path


def expected(name: str) -> AnswerRow:
    return AnswerRow(1, ASKED, SAID, ("\n".join(TOLD),) if name == "azure" else tuple(TOLD), WANTED)


@pytest.mark.parametrize(("name", "row"), EVERY)
def test_a_format_is_told_by_its_columns_and_read(tmp_path: Path, name: str, row: dict[str, Any]) -> None:
    assert format_of(row).name == name
    assert read_rows(lines(tmp_path, row)) == [expected(name)]
    assert read_rows(lines(tmp_path, row), format=name) == [expected(name)]


@pytest.mark.parametrize("python", [False, True], ids=["json cells", "cells as pandas writes them"])
@pytest.mark.parametrize(("name", "row"), EVERY)
def test_tables_hold_lists_and_objects_in_their_cells(
    tmp_path: Path, name: str, row: dict[str, Any], python: bool
) -> None:
    for file in ("rows.csv", "rows.tsv"):
        (read,) = read_rows(table(tmp_path, row, name=file, python=python))
        assert (read.question, read.answer, read.contexts, read.reference) == (
            ASKED, SAID, expected(name).contexts, WANTED,
        )  # fmt: skip
        assert read.id == 2  # the line of the file


def test_missing_ids_are_the_lines(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(f"{json.dumps(RAGAS)}\n\n{json.dumps({**RAGAS, 'id': 'x'})}\n{json.dumps(RAGAS)}\n")
    assert [row.id for row in read_rows(path)] == [1, "x", 4]


def test_a_deepeval_row_without_retrieval_context_is_judged_by_its_context(tmp_path: Path) -> None:
    row = {key: value for key, value in DEEPEVAL.items() if key != "retrieval_context"}
    assert read_rows(lines(tmp_path, row))[0].contexts == ("the ideal one",)


def test_conversations_give_the_last_question_and_answer(tmp_path: Path) -> None:
    chat = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"},
            {"role": "user", "content": ASKED}]  # fmt: skip
    choices = {"choices": [{"message": {"role": "assistant", "content": SAID}}]}
    (row,) = read_rows(lines(tmp_path, {"inputs": {"messages": chat}, "outputs": choices, "expectations": None}))
    assert (row.question, row.answer, row.reference) == (ASKED, SAID, "")
    (ragas,) = read_rows(lines(tmp_path, {**RAGAS, "user_input": [{"type": "human", "content": ASKED}]}))
    assert ragas.question == ASKED


def test_expected_facts_are_a_reference_a_line_each(tmp_path: Path) -> None:
    row = {**MLFLOW, "expectations": {"expected_facts": ["It was Green Bay.", "By 25 points."]}}
    assert read_rows(lines(tmp_path, row))[0].reference == "It was Green Bay.\nBy 25 points."


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"inputs": {"question": "?"}, "outputs": "x"}, "fit mlflow and langsmith equally well\n  say which: --format"),
        ({"user_input": "?", "response": "x", "query": "?"}, "fit ragas and azure equally well"),
        ({"foo": 1, "bar": 2}, "no known format has these columns: bar, foo\n  known:\n    genaiops: question"),
        ({"user_input": "?", "retrieved_contexts": []}, "response is missing"),
        ({"user_input": "?", "response": 3}, "response must be a text, got 3"),
        ({"user_input": "?", "response": "x", "retrieved_contexts": "y"}, "retrieved_contexts must be a list of texts"),
        ({"inputs": {"a": "1", "b": "2"}, "outputs": "x", "expectations": {}}, "inputs holds 2 texts and none is"),
        ({"user_input": [{"role": "system", "content": "x"}], "response": "x"}, "conversation without a message"),
        ({**OURS, "latency_s": -1}, "latency_s must be a number from 0, got -1"),
        ({**OURS, "forbidden": "x"}, "forbidden must be a list of texts, got 'x'"),
    ],
)
def test_what_cannot_be_read_says_why(tmp_path: Path, row: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        read_rows(lines(tmp_path, row))
    assert says in str(raised.value)


def test_a_named_format_settles_what_columns_leave_open(tmp_path: Path) -> None:
    path = lines(tmp_path, {"inputs": {"question": ASKED}, "outputs": SAID})
    assert read_rows(path, format="langsmith") == [AnswerRow(1, ASKED, SAID)]
    with pytest.raises(ConfigurationError, match="unknown format 'ragsa'; did you mean 'ragas'") as raised:
        read_rows(path, format="ragsa")
    assert all(name in raised.value.remedy for name in FORMATS)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("question,answer,question\na,b,c\n", "rows.csv:1: column 'question' is there twice"),
        ("question,answer\na,b,c\n", "rows.csv:2: 3 cells under 2 columns"),
        ('question,answer\na,b\n"a,b\n', "rows.csv:3: not a table"),
        ("question,answer,contexts\na,b,[1\n", "rows.csv:2: contexts is no JSON list"),
        ("question,answer,latency_s\na,b,fast\n", "rows.csv:2: latency_s must be a number, got 'fast'"),
        ("question,answer\na\n", "rows.csv:2: 1 cell under 2 columns"),
        ("question,answer,contexts\na,b,__import__('os')\n", ""),
    ],
)
def test_a_broken_table_names_its_line(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(text)
    if not says:  # no list, so one text: never run
        assert read_rows(path)[0].contexts == ("__import__('os')",)
        return
    with pytest.raises(ConfigurationError) as raised:
        read_rows(path)
    assert says in str(raised.value)


def test_a_spreadsheets_byte_order_mark_and_line_breaks_in_cells_are_fine(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(b'\xef\xbb\xbfquestion,answer\r\n"two\nlines",b\r\nc,d\r\n')
    assert [(row.id, row.question) for row in read_rows(path)] == [(2, "two\nlines"), (4, "c")]


def test_a_guard_of_ours_before_a_formula_is_no_part_of_an_answer(tmp_path: Path) -> None:
    path = tmp_path / "report.csv"
    path.write_text(
        "id,kind,tags,state,lost_at,question,answer,error,relevance\n"
        "a,answerable,,ok,,'=1+1,\"'- one\n- two\",,0.5\nb,answerable,,ok,,'quoted' word,it's,,0.5\n"
    )
    read = [(row.question, row.answer) for row in read_rows(path)]
    assert read == [("=1+1", "- one\n- two"), ("'quoted' word", "it's")]
    # An exported golden set to which somebody added answers: the questions are ours, the answers are not.
    path.write_text("id,question,kind,reference,evidence,tags,forbidden,answer\na,'=1?,answerable,,,,,'=' is equals\n")
    assert [(row.question, row.answer) for row in read_rows(path)] == [("=1?", "'=' is equals")]


@pytest.mark.parametrize("answer", ["'=' means equals", "'-v' is verbose", "'@' sign", "'=1+1"])
def test_an_apostrophe_in_a_table_of_somebody_else_is_part_of_the_answer(tmp_path: Path, answer: str) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(f"question,answer\nWhat?,{answer}\n")
    assert [row.answer for row in read_rows(path)] == [answer]


def test_reading_a_table_leaves_the_limit_of_other_readers_alone(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(f"question,answer\na,{'b' * 200_000}\n")
    before = csv.field_size_limit()
    assert len(read_rows(path)[0].answer) == 200_000
    assert csv.field_size_limit() == before


def test_questions_need_no_answer(tmp_path: Path) -> None:
    path = lines(tmp_path, {"user_input": ASKED, "reference": WANTED})
    assert read_rows(path, answered=False) == [AnswerRow(1, ASKED, "", (), WANTED)]


def test_lines_of_two_formats_are_told_as_such_with_what_was_taken(tmp_path: Path) -> None:
    path = tmp_path / "mixed.jsonl"
    ours, theirs = {"question": "q", "answer": "a"}, {"user_input": "q", "response": "a"}
    for first, second, name in ((theirs, ours, "ragas"), (ours, theirs, "genaiops")):
        path.write_text("".join(json.dumps(row) + "\n" for row in (first, second, second)))
        with pytest.raises(ConfigurationError) as refused:
            read_rows(path)
        told = str(refused.value)
        assert "mixed.jsonl:2" in told and "mixed.jsonl:1" not in told and "mixed.jsonl:3" not in told
        assert f"two formats: this one of {'genaiops' if name == 'ragas' else 'ragas'}" in told
        assert f"line 1 of {name} (" in told and f"--format {name}" in told
        assert "--format" in told and "is missing" not in told
    path.write_text(json.dumps({**ours, "response": "x"}) + "\n" + json.dumps(ours) + "\n")
    assert len(read_rows(path)) == 2
