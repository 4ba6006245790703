from __future__ import annotations

import base64
import hashlib
import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from bs4 import BeautifulSoup, Tag

from genaiops.evaluation.passports.record import Confusion, Figure, Passport, SourceFigures
from genaiops.evaluation.records import Failure, Run, SentenceVerdict
from genaiops.evaluation.reports import html_report, json_report, markdown_report
from genaiops.evaluation.reports.rows import rows_of
from genaiops.records import Score, Summary, Verdict
from tests.reports.hostile import live_content, poisoned


def parsed(page: str) -> BeautifulSoup:
    return BeautifulSoup(page, "html.parser")


def attribute(tag: Tag, name: str) -> str:
    return str(tag.get(name, ""))


def cases_in(page: str) -> list[Tag]:
    return list(parsed(page).select("details.case"))


def test_the_checker_finds_what_is_live() -> None:
    page = html_report(poisoned("x")).replace(
        "<main>", "<main><img src=x onerror=alert(1)><a href='javascript:1'>x</a>"
    )
    assert live_content(page) == ["<img>", "img src", "img onerror", "a href"]


def test_data_is_shown_as_it_is_written() -> None:
    text = "a < b && c > \"d\" 'e' <i>f</i>"
    page = parsed(html_report(poisoned(text)))
    answers = page.select("p.answer")
    assert answers[0].get_text() == text
    assert all(json.loads(attribute(case, "data-tags")) == [text] for case in page.select("details.case"))


def test_escapes_and_direction_overrides_are_taken_out(run: Run) -> None:
    page = html_report(poisoned("\x1b[31mred\x1b[0m \u202etext\u202c \x00\x07\ud800end"))
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]", page)
    assert "red text end" in page
    page.encode("utf-8")


def test_the_policy_allows_no_load_and_one_script_by_its_digest(run: Run) -> None:
    page = parsed(html_report(run))
    (policy,) = page.find_all("meta", attrs={"http-equiv": "Content-Security-Policy"})
    (script,) = page.find_all("script")
    digest = base64.b64encode(hashlib.sha256(script.get_text().encode()).digest()).decode()
    rules = dict(rule.strip().split(" ", 1) for rule in attribute(policy, "content").split(";"))
    assert rules == {
        "default-src": "'none'",
        "style-src": "'unsafe-inline'",
        "script-src": f"'sha256-{digest}'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    assert "innerHTML" not in script.get_text() and "eval" not in script.get_text()
    assert not re.search(r"https?://|@import|url\(", str(page))


def test_cases_without_an_answer_come_first_then_failures_then_the_weakest(run: Run) -> None:
    assert [row.result.case.id for row in rows_of(run)] == ["moon", "crane", "pilot", "fees"]
    assert [attribute(case, "data-state") for case in cases_in(html_report(run))] == [
        "error",
        "unscored",
        "weak",
        "good",
    ]


def test_against_a_baseline_regressions_come_before_all_but_missing_answers(run: Run, baseline: Run) -> None:
    states = [(row.result.case.id, row.state) for row in rows_of(run, baseline)]
    assert states == [("moon", "error"), ("pilot", "regressed"), ("crane", "unscored"), ("fees", "improved")]
    page = html_report(run, baseline=baseline)
    assert "−0.600" in page and "+0.400" in page
    change = parsed(page).select("table.measures tbody tr")[0].find_all("td")[-1]
    assert change.get_text().startswith("−0.100 (−")
    assert attribute(change, "title") == "2 cases that both runs scored: not shown"


def test_a_measurement_that_got_lost_is_a_regression(run: Run) -> None:
    better = replace(run.results[2], outcomes={"groundedness": Score(0.9)})
    before = replace(run, results=(*run.results[:2], better, run.results[3]))
    assert {row.result.case.id: row.state for row in rows_of(run, before)}["crane"] == "regressed"


def test_a_failed_measurement_shows_its_reason_and_no_number(run: Run) -> None:
    text = cases_in(html_report(run))[1].get_text(" ")
    assert "failed: the judge is down" in text
    row = parsed(html_report(run)).select("tbody tr")[0].get_text(" ")
    assert "67 %" in row  # coverage 2 of 3: not in the mean, and not hidden


def test_citations_and_evidence_are_marked_in_the_hits(run: Run) -> None:
    page = parsed(html_report(run))
    marks = {mark.get_text(): attribute(mark, "title") for mark in page.find_all("mark")}
    assert marks["Fees are paid in cash."] == "cited"
    assert marks["Boats over 12 m need one."] == "evidence wanted"


def judged(run: Run, *verdicts: SentenceVerdict, case: str = "pilot") -> Run:
    """The run with the verdicts of groundedness on one case."""
    results = tuple(
        replace(result, verdicts={"groundedness": verdicts}) if result.case.id == case else result
        for result in run.results
    )
    return replace(run, results=results)


def test_each_sentence_is_marked_and_leads_to_the_passage_it_was_held_against(run: Run) -> None:
    # "Cats. Boats over 12 m [1]." against "Fees are paid in cash. Boats over 12 m need one."
    notes = (
        SentenceVerdict(0, 5, 0.03, "contradicted", 0, 0, 22),
        SentenceVerdict(6, 21, 0.31, "unsupported", 0, 23, 48),
    )
    page = parsed(html_report(judged(run, *notes)))
    cats, boats = page.select(".answer .said")
    assert (cats.get_text(), attribute(cats, "title")) == ("Cats.", "contradicted (0.03)")
    assert (boats.get_text(), attribute(boats, "title")) == ("Boats over 12 m", "unsupported (0.31)")
    assert cats["class"] != boats["class"]  # a contradiction is worse than a gap, and looks otherwise
    for number, evidence in ((1, "Fees are paid in cash."), (2, "Boats over 12 m need one.")):
        link = next(a for a in page.select(".answer a.ref") if a.get_text() == str(number))
        target = page.find(id=attribute(link, "href").removeprefix("#"))
        assert target is not None
        mark = target.find_next("mark")
        assert isinstance(mark, Tag) and mark.get_text() == evidence
        assert attribute(mark, "data-pair") == str(number)
        back = mark.find_next("a")
        assert isinstance(back, Tag)
        assert page.find(id=attribute(back, "href").removeprefix("#")) is (cats, boats)[number - 1]


def test_a_sentence_that_is_not_supported_stands_with_its_nearest_passage(run: Run) -> None:
    notes = (SentenceVerdict(0, 5, 0.03, "unsupported", 0, 0, 22), SentenceVerdict(6, 22, 0.9, "supported", 0, 23, 48))
    (item,) = parsed(html_report(judged(run, *notes))).select(".against li")
    assert item.get_text(" ", strip=True).startswith("unsupported (0.03) Cats.")
    assert "port/fees.md: Fees are paid in cash." in item.get_text()


@pytest.mark.parametrize(
    "verdict",
    [
        SentenceVerdict(0, 5, 0.0, "unsupported", 7, 0, 5),
        SentenceVerdict(0, 5, 0.0, "unsupported", 0, 900, 950),
        SentenceVerdict(0, 5, 0.0, "unsupported", 0, 3, 3),
        SentenceVerdict(0, 5, 0.0, "unsupported", -1, 0, 5),
    ],
)
def test_a_verdict_that_names_no_passage_marks_only_the_sentence(run: Run, verdict: SentenceVerdict) -> None:
    page = parsed(html_report(judged(run, verdict)))
    assert [said.get_text() for said in page.select(".answer .said")] == ["Cats."]
    assert page.select("a.ref") == [] and "no passage comes near" in page.get_text()


def test_sentences_that_share_evidence_each_find_it(run: Run) -> None:
    notes = (
        SentenceVerdict(0, 5, 0.1, "unsupported", 0, 0, 30),
        SentenceVerdict(6, 21, 0.2, "unsupported", 0, 10, 48),
    )
    page = parsed(html_report(judged(run, *notes)))
    chunk = page.select("#c3 ol.hits li")[-1]  # the pilot comes third
    text = chunk.find_all("p")[-1]
    assert "".join(mark.get_text() for mark in text.select("mark[data-pair~='1']")) == "Fees are paid in cash. Boats o"
    assert (
        "".join(mark.get_text() for mark in text.select("mark[data-pair~='2']"))
        == "aid in cash. Boats over 12 m need one."
    )
    assert {attribute(link, "href") for link in text.select("a.ref")} == {"#c3-s1", "#c3-s2"}


def test_judges_of_another_name_explain_too(run: Run) -> None:
    said = (SentenceVerdict(0, 5, 0.03, "unsupported", 0, 0, 5),)
    results = tuple(replace(r, verdicts={"llm:groundedness": said}) if r.answer else r for r in run.results)
    page = parsed(html_report(replace(run, results=results)))
    assert len(page.select(".answer .said")) == 3
    assert "as judged by llm:groundedness" in page.get_text()


def test_against_a_baseline_both_answers_stand_side_by_side_with_their_words_compared(run: Run, baseline: Run) -> None:
    fees = baseline.results[0]
    assert fees.answer is not None
    other = replace(fees, answer=replace(fees.answer, text="Fees are paid by card [1]."))
    page = parsed(html_report(run, baseline=replace(baseline, results=(other, *baseline.results[1:]))))
    (sides,) = page.select("details[data-state=improved] .sides")
    before, after = sides.select("section")
    assert before.get_text().startswith("Baseline's answer") and "by card" in before.get_text()
    assert [x.get_text() for x in before.find_all("del")] == ["by card"]
    assert [x.get_text() for x in after.find_all("ins")] == ["in cash"]
    assert "the same as the baseline's" in page.get_text()  # of the others


def test_a_case_that_was_reworded_has_no_earlier_answer(run: Run, baseline: Run) -> None:
    reworded = replace(baseline.results[1], case=replace(baseline.results[1].case, question="Who needs pilots?"))
    rows = rows_of(run, replace(baseline, results=(baseline.results[0], reworded)))
    assert {row.result.case.id: row.before is not None for row in rows} == {
        "fees": True, "pilot": False, "crane": False, "moon": False,
    }  # fmt: skip


def test_where_answers_were_lost_is_told_for_each_and_in_total(run: Run) -> None:
    lost = Failure("ranking", "the quote stands at rank 9 of 50", "retrieval.top_k")
    results = tuple(replace(r, failure=lost) if r.case.id in ("pilot", "fees") else r for r in run.results)
    results = (*results[:2], replace(results[2], failure=Failure("corpus", "", "")), results[3])
    page = parsed(html_report(replace(run, results=results)))
    heading = next(h2 for h2 in page.find_all("h2") if h2.get_text() == "Where answers were lost")
    table = heading.find_next("table")
    assert isinstance(table, Tag)
    rows = [[cell.get_text() for cell in row.find_all(["th", "td"])] for row in table.select("tbody tr")]
    assert rows == [["not in the documents", "1", "33 %", ""], ["ranked out", "2", "67 %", "retrieval.top_k"]]
    widths = [float(attribute(part, "width")) for part in page.select("svg.shares rect")]
    assert widths[1] == pytest.approx(2 * widths[0], rel=0.02)
    pilot = next(case for case in page.select("details.case") if "pilot" in case.get_text())
    assert attribute(pilot, "data-stage") == "ranking"
    assert "rank 9 of 50" in pilot.get_text() and "To turn: retrieval.top_k" in pilot.get_text()
    assert [option["value"] for option in page.select("select[name=stage] option")] == ["", "corpus", "ranking"]


def test_a_run_without_failures_has_no_waterfall(run: Run) -> None:
    page = html_report(run)
    assert "Where answers were lost" not in page and 'name="stage"' not in page


def test_what_was_different_is_told_with_its_words(run: Run, baseline: Run) -> None:
    old = replace(
        baseline, subject=replace(run.subject, settings={"retrieval": {"top_k": 4}, "prompt": "Be very brief"})
    )
    new = replace(run, subject=replace(run.subject, settings={"retrieval": {"top_k": 6}, "prompt": "Be brief"}))
    rows = parsed(html_report(new, baseline=old)).select("table.differences tbody tr")
    assert [[cell.get_text() for cell in row.find_all(["th", "td"])] for row in rows] == [
        ["retrieval.top_k", "4", "6"], ["prompt", "Be very brief", "Be brief"],
    ]  # fmt: skip
    assert [x.get_text() for x in rows[1].find_all("del")] == ["very"]
    assert "Settings, prompt, index, judges and code were the same." in html_report(new, baseline=new)


def test_an_open_end_of_an_interval_is_told_in_words(run: Run) -> None:
    open_ended = replace(run, summaries=(Summary("latency_s", 0.25, 0.2, None, 3, 0),))
    assert "0.2 to no bound" in parsed(html_report(open_ended)).get_text()
    (bar,) = parsed(html_report(open_ended)).select("svg.plot .bar")
    assert "open" in attribute(bar, "class").split() or "open" in bar["class"]


def test_the_forest_draws_every_change_against_zero_with_its_axis(run: Run, baseline: Run) -> None:
    many = replace(run, results=tuple(
        replace(run.results[0], case=replace(run.results[0].case, id=str(n)), outcomes={"groundedness": Score(0.9),
                "latency_s": Score(0.4 + n / 1000)}) for n in range(40)))  # fmt: skip
    before = replace(many, id="b", results=tuple(
        replace(r, outcomes={"groundedness": Score(0.5), "latency_s": Score(0.2)}) for r in many.results))  # fmt: skip
    page = parsed(html_report(many, baseline=before))
    bounded, others = page.select("svg.forest")
    texts = [text.get_text() for text in bounded.find_all("text")]
    assert "groundedness" in texts and "0" in texts and "+0.6" in texts
    assert any(text.startswith("better: +0.400 (") for text in texts)
    assert any(text.startswith("worse: +0.2") for text in (t.get_text() for t in others.find_all("text")))
    assert any("%" in text.get_text() for text in others.select("text.tick"))
    zero, dot = bounded.select_one("line.zero"), bounded.select_one("circle")
    assert zero is not None and dot is not None
    assert float(attribute(dot, "cx")) > float(attribute(zero, "x1"))


@pytest.mark.parametrize("kind", ["pass", "fail", "inconclusive"])
def test_the_verdict_stands_first_with_every_reason(run: Run, kind: str) -> None:
    verdict = Verdict(kind, ("groundedness 0.55 < 0.80", "coverage 0.67 < 1.00"))  # type: ignore[arg-type]
    section = parsed(html_report(run, verdict=verdict)).select_one(f"section.verdict.{kind}")
    assert section is not None
    assert [item.get_text() for item in section.find_all("li")] == list(verdict.reasons)


def test_everything_needed_to_run_it_again_is_told(run: Run) -> None:
    text = parsed(html_report(run)).get_text(" ")
    for fact in (
        run.id,
        "d" * 64,
        "f" * 64,
        "e" * 64,
        "c" * 64,
        "abc1234 with uncommitted changes",
        "0.1.0",
        '"top_k": 6',
    ):
        assert fact in text


def test_variants_stand_side_by_side(run: Run, baseline: Run) -> None:
    page = parsed(html_report(run, variants=[baseline]))
    heading = next(h2 for h2 in page.find_all("h2") if h2.get_text() == "Variants")
    table = heading.find_next("table")
    assert table is not None and "0.550" in table.get_text(" ") and "0.650" in table.get_text(" ")


def test_plots_are_well_formed_pictures_inside_their_frame_with_their_axis_written_on(run: Run, baseline: Run) -> None:
    pages = html_report(run, baseline=baseline)
    plots = [ET.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", pages, re.S) if 'class="plot"' in svg]
    assert len(plots) == len(run.summaries)
    for plot in plots:
        # Not one inside the other: a browser would draw only the outermost.
        assert [mark.tag for mark in plot] == ["line"] * 3 + ["rect", "circle"] * 2 + ["text"] * 3
        assert all(0 <= float(mark.get("cx", 0)) <= float(plot.get("width", 0)) for mark in plot)
    bar, dot = plots[0][5], plots[0][6]
    assert float(bar.get("x", 0)) < float(dot.get("cx", 0)) < float(bar.get("x", 0)) + float(bar.get("width", 0))
    assert [mark.text for mark in plots[0] if mark.tag == "text"] == ["0", "0.5", "1"]
    assert [mark.text for mark in plots[1] if mark.tag == "text"] == ["0", "0.2", "0.4"]


def test_low_precision_alone_is_no_weakness(run: Run) -> None:
    fees = replace(run.results[0], outcomes={"groundedness": Score(0.9), "precision@6": Score(0.17)})
    assert [row.state for row in rows_of(replace(run, results=(fees,)))] == ["good"]


def test_an_empty_run_is_a_report_too(run: Run) -> None:
    page = html_report(replace(run, results=(), summaries=(), scales={}))
    assert "This run has no measures." in page and cases_in(page) == []


def test_what_is_known_of_each_judge_is_told(run: Run) -> None:
    figures = SourceFigures("bench", Confusion(40, 5, 45, 10), Figure(0.7, 0.5, 0.8), Figure(0.91, 0.8, 0.97))
    passport = Passport("groundedness", "c" * 64, "2026-11-01", "9999-11-01", (figures,))
    known = replace(run, passports={"groundedness": passport})
    for report in (html_report(known), markdown_report(known)):
        assert "AUROC 0.91" in report and "n 100" in report and "until 9999" in re.sub(r"&#45;", "-", report)
        assert "does not hold" not in report
    other = replace(known, judges={"groundedness": "d" * 64})
    assert "does not hold: the passport is of judge cccccccccccc" in html_report(other)
    assert "no passport: not compared with people" in html_report(run)
    assert json_report(known)["passports"]["groundedness"]["expires_at"] == "9999-11-01"


def test_what_was_taken_over_is_told_for_the_run_and_for_each_case(run: Run) -> None:
    results = (replace(run.results[0], reused=("retrieval", "answer")), *run.results[1:])
    page = parsed(html_report(replace(run, results=results)))
    assert "2 of 4 cases answered again" in page.get_text()
    fees = next(case for case in page.select("details.case") if "Case fees" in case.get_text())
    assert "taken over from an earlier evaluation: retrieval, answer" in fees.get_text()
    assert page.get_text().count("taken over from") == 1
