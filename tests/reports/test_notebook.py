from __future__ import annotations

from dataclasses import replace

from bs4 import BeautifulSoup

from genaiops.evaluation.records import Failure, Run
from genaiops.promotion import Decision, RuleResult
from genaiops.records import Summary


def rows(part: str) -> list[list[str]]:
    table = BeautifulSoup(part, "html.parser").select("tbody tr")
    return [[cell.get_text() for cell in row.find_all("td")] for row in table]


def test_a_run_at_the_end_of_a_cell_is_its_scorecard(run: Run) -> None:
    shown = run._repr_html_()
    assert rows(shown)[0] == ["groundedness", "0.550", "0.200 to 0.900", "67 % (2/3)", "1"]
    assert "handbook on harbour: 4 cases" in BeautifulSoup(shown, "html.parser").get_text()
    assert len(shown) < 2_000 and "<script" not in shown and "<style" not in shown


def test_an_open_end_and_where_answers_were_lost_are_told(run: Run) -> None:
    lost = replace(run.results[0], failure=Failure("ranking", "at rank 9", "retrieval.top_k"))
    shown = replace(run, results=(lost,), summaries=(Summary("latency_s", 0.25, 0.2, None, 3, 0),))._repr_html_()
    assert rows(shown) == [["latency_s", "0.25", "0.2 to no bound", "100 % (3/3)", ""]]
    assert "wrong answers: 1 ranked out" in shown


def test_a_decision_is_its_verdict_with_every_rule() -> None:
    rules = (
        RuleResult("recall@6 at_least 0.9", "fail", "recall@6: 0.7"),
        RuleResult("answered not_worse_than champion margin 0.1", "pass", "skipped: nothing yet", skipped=True),
    )
    shown = Decision("fail", ("recall@6: 0.7", "and more"), rules)._repr_html_()
    assert rows(shown) == [
        ["recall@6 at_least 0.9", "fail", "recall@6: 0.7"],
        ["answered not_worse_than champion margin 0.1", "skipped", "skipped: nothing yet"],
    ]
    assert "verdict: <b>fail</b>" in shown and "<li>and more</li>" in shown and shown.count("recall@6: 0.7") == 1
