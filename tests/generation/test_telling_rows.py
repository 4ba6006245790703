"""Rows of tables in answers: said with the names of their columns, cited as they stand in the document."""

from __future__ import annotations

import pytest

from genaiops.generation.telling import tellings
from genaiops.sentences import sentences
from tests.generation.test_extractive import answered

PLANS = """\
# Plans and prices

Every plan is paid monthly.

| Plan | Storage | Monthly price |
| --- | --- | --- |
| Basic | 10 GB | 4 euros |
| Team | 200 GB | 19 euros |
| Enterprise | unlimited | |
"""
METALS = "plan: Gold\nstorage: 500 GB\nprice: 99 euros\n\nplan: Silver\nstorage: 50 GB\nprice: 9 euros\n"


def said(text: str) -> list[str]:
    return [told.said for told in tellings(text) if not told.names_columns]


def test_a_row_is_answered_with_the_names_of_its_columns_and_cited_as_it_stands() -> None:
    made = answered("What is the monthly price of the Team plan?", PLANS)
    assert made.text == "Plan: Team; Storage: 200 GB; Monthly price: 19 euros. [1]"
    (citation,) = made.citations
    assert citation.quote == "| Team | 200 GB | 19 euros |"
    assert (citation.start, citation.end) == (100 + PLANS.index("| Team"), 100 + PLANS.index("\n| Enterprise"))


def test_a_row_is_found_by_the_name_of_a_column_and_the_row_of_names_answers_nothing() -> None:
    made = answered("What is the storage of Enterprise?", PLANS)
    assert made.text == "Plan: Enterprise; Storage: unlimited. [1]"
    both = answered("Which plans and storage are there?", PLANS, support=0.0)
    assert "| Plan" not in both.text and len(both.citations) == 2


def test_a_row_of_a_csv_file_is_said_on_one_line() -> None:
    made = answered("What is the price of the plan Gold?", METALS)
    assert made.text == "plan: Gold; storage: 500 GB; price: 99 euros. [1]"
    assert made.citations[0].quote == METALS.partition("\n\n")[0]


@pytest.mark.parametrize(
    ("table", "rows"),
    [
        ("| Team | 200 GB |\n| Basic | 10 GB |", ["Team, 200 GB.", "Basic, 10 GB."]),  # a chunk that begins in a table
        ("| Opened | 12.5 |\n| --- | --- |\n| Closed | 7 |", ["Opened, 12.5.", "Closed, 7."]),  # names no column
        ("| Sales | 2025 |\n|---|---|\n| Tea | 7 t |", ["Sales: Tea; 2025: 7 t."]),
        ("a | b\n--- | ---\n1 | x\n", ["a: 1; b: x."]),
        ("| a | b |\n|---|---|\n| only one |\n", ["only one."]),  # does not fit
        ("| a | b |\n|---|---|\n| x \\| y | z! |\n", ["a: x | y; b: z!"]),
        ("| a | b |\n|---|---|\n| x | y |\n\n| c | d |\n| e | f |\n", ["a: x; b: y.", "c, d.", "e, f."]),
        ("| | b |\n|---|---|\n| x | y |\n", ["x; b: y."]),
        ("Note: this.\nIt stands alone.", ["Note: this.", "It stands alone."]),
    ],
)
def test_rows_are_said_readably_whatever_their_table_looks_like(table: str, rows: list[str]) -> None:
    assert said(table) == rows


def test_every_sentence_but_headings_keeps_its_place() -> None:
    text = PLANS + METALS
    assert [(told.start, told.end) for told in tellings(text)] == [
        (span.start, span.end) for span in sentences(text) if span.kind != "heading"
    ]
