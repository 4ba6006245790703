from __future__ import annotations

import html
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from genaiops.evaluation.records import Run
from genaiops.evaluation.reports import (
    NotComparable,
    comparable,
    differences,
    html_report,
    json_report,
    markdown_report,
    terminal_table,
)
from genaiops.evaluation.reports.changes import change, changes
from genaiops.evaluation.reports.rows import rows_of
from genaiops.records import Case, NotApplicable, Score, Verdict, canonical_json


def test_runs_on_one_golden_set_with_one_judge_are_compared_as_they_are(run: Run, baseline: Run) -> None:
    assert comparable(baseline, run) == (baseline, run, ())


def test_a_run_is_not_compared_with_itself(run: Run) -> None:
    with pytest.raises(NotComparable, match="both are run"):
        comparable(run, run)


def fewer(run: Run) -> Run:
    """The run on a golden set with one case less, one more and one reworded."""
    other = replace(run.results[0].case, question="How does one pay?")
    extra = replace(run.results[1], case=Case("new", "Is it new?"))
    results = (replace(run.results[0], case=other), run.results[1], run.results[2], extra)
    return replace(run, golden_set_digest="e" * 64, results=results)


def test_different_golden_sets_are_refused_with_how_many_cases_they_share(run: Run, baseline: Run) -> None:
    with pytest.raises(NotComparable) as refused:
        comparable(baseline, fewer(run))
    assert f"2 cases only in {baseline.id}, 2 cases only in {run.id}" in str(refused.value)
    assert "compare the 2 cases they share with --shared" in str(refused.value)
    assert refused.value.exit_code == 2


def test_shared_cases_are_compared_when_asked_with_summaries_of_their_own(run: Run, baseline: Run) -> None:
    before, after, notes = comparable(baseline, fewer(run), shared=True)
    assert [r.case.id for r in before.results] == [r.case.id for r in after.results] == ["pilot", "crane"]
    summary = after.summary("groundedness")
    assert summary is not None and (summary.mean, summary.scored, summary.unscored) == (0.2, 1, 1)
    found = change(after, before, "groundedness")
    assert found is not None and found.cases == 1 and found.estimate == pytest.approx(-0.6)
    assert notes == (
        f"left out: 2 cases only in {baseline.id}",
        f"left out: 2 cases only in {run.id}",
    )
    assert all(note in html_report(after, baseline=before, notes=notes) for note in notes)


def test_every_report_says_which_cases_no_change_is_about(run: Run, baseline: Run) -> None:
    told = "Changes are over the 2 cases in both runs word for word; left out: "
    told += "2 cases only in this run and 2 cases only in the baseline."
    assert html_report(fewer(run), baseline=baseline).count(told) == 1
    assert html.unescape(markdown_report(fewer(run), baseline=baseline)).count(told) == 1
    assert told in json_report(fewer(run), baseline=baseline)["notes"]
    assert not any("word for word" in html_report(run, baseline=other) for other in (None, baseline))
    strangers = tuple(replace(one, case=replace(one.case, question="Why?")) for one in run.results)
    assert "No case is in both runs" in html_report(replace(run, results=strangers), baseline=baseline)


def test_a_run_that_stopped_early_is_compared_over_what_it_asked(run: Run, baseline: Run) -> None:
    early = replace(run, results=run.results[:3], not_asked={"moon": "d" * 64})
    before, after, notes = comparable(baseline, early)
    assert len(before.results) == len(after.results) == 3
    assert notes == (f"left out: 1 case only in {baseline.id}",)
    assert "stopped early: 1 case not needed" in html_report(early)


def test_what_differed_between_repeats_is_told(run: Run) -> None:
    often = replace(run.results[0], repeated={"groundedness": (Score(0.8), Score(1.0))}, texts=2)
    page = html_report(replace(run, results=(often, *run.results[1:]), repeats=2))
    assert "asked 2 times: 1 of 4 questions got answers that differ" in page
    assert "2 different answers when asked several times" in page and "(0.800 to 1.000)" in page


def test_different_judges_are_refused_and_left_out_when_asked(run: Run, baseline: Run) -> None:
    rejudged = replace(run, judges={"groundedness": "d" * 64})
    with pytest.raises(NotComparable, match="different judges decided groundedness"):
        comparable(baseline, rejudged)
    before, after, notes = comparable(baseline, rejudged, shared=True)
    assert [s.measure for s in before.summaries] == [s.measure for s in after.summaries] == ["latency_s"]
    assert notes == ("left out: groundedness, decided by different judges",)
    assert (
        "groundedness" not in html_report(after, baseline=before).split("Go to the cases")[1].split("<h2>What was")[0]
    )


def test_no_report_compares_what_different_judges_decided(run: Run, baseline: Run) -> None:
    """A champion that another judge measured may still be the baseline of a report."""
    rejudged = replace(baseline, judges={"groundedness": "d" * 64})
    assert "groundedness" not in changes(run, rejudged)
    assert {row.state for row in rows_of(run, rejudged)} == {"error", "unscored", "weak", "good"}
    assert "judge of groundedness" in html_report(run, baseline=rejudged)


def test_runs_that_share_nothing_are_refused_even_when_asked(run: Run, baseline: Run) -> None:
    strangers = tuple(replace(r, case=replace(r.case, id=f"x{r.case.id}")) for r in run.results)
    with pytest.raises(NotComparable, match="share no case"):
        comparable(baseline, replace(run, results=strangers), shared=True)
    only = replace(run, judges={"groundedness": "d" * 64}, summaries=run.summaries[:1])
    with pytest.raises(NotComparable, match="share no measure"):
        comparable(baseline, only, shared=True)


def test_a_measure_that_only_one_run_has_is_no_obstacle(run: Run, baseline: Run) -> None:
    one = replace(run, judges={}, summaries=run.summaries[1:])
    assert comparable(baseline, one)[2] == ()


def test_what_was_different_is_named_by_its_place_in_the_settings(run: Run) -> None:
    old = replace(run, subject=replace(run.subject, settings={
        "prompt": {"template": [{"role": "system", "content": "Be brief."}]}, "retrieval": {"top_k": 4}, "same": [1],
    }, digests={"index": "a" * 64}), seed=0)  # fmt: skip
    new = replace(run, subject=replace(run.subject, settings={
        "prompt": {"template": [{"role": "system", "content": "Be long."}]}, "same": [1],
        "retrieval": {"top_k": 4, "where": {"a": 1}},
    }, digests={"index": "b" * 64}), seed=1, versions={"genaiops": "0.2.0"})  # fmt: skip
    assert [(d.name, d.before, d.after) for d in differences(old, new)] == [
        ("index", "a" * 12, "b" * 12),
        ("prompt.template.1.content", "Be brief.", "Be long."),
        ("seed", "0", "1"),
        ("version of genaiops", "0.1.0", "0.2.0"),
        ("retrieval.where.a", "", "1"),
    ]
    assert differences(old, old) == ()


def test_a_change_is_only_over_cases_that_are_the_same_word_for_word(run: Run, baseline: Run) -> None:
    found = change(fewer(run), baseline, "groundedness")
    assert found is not None and found.cases == 1


def test_each_change_has_a_word_for_it(run: Run) -> None:
    def scored(value: float, step: float = 0.0) -> Run:
        results = tuple(
            replace(run.results[0], case=replace(run.results[0].case, id=str(n)),
                    outcomes={"groundedness": Score(value + step * (n % 2))}) for n in range(60)
        )  # fmt: skip
        return replace(run, results=results, summaries=run.summaries[:1])

    assert changes(scored(0.9), scored(0.5))["groundedness"].word == "better"
    assert changes(scored(0.5), scored(0.9))["groundedness"].word == "worse"
    assert changes(scored(0.5), scored(0.5))["groundedness"].word == "same"
    assert changes(scored(0.5, 0.04), scored(0.52))["groundedness"].word == "not shown"


@pytest.mark.parametrize(
    ("judge", "moved", "word"),
    [("j", 1e-6, "same"), ("j", 0.008, "same"), ("j", 0.02, "not shown"), ("", 1e-6, "not shown"), ("", 0.0, "same")],
)
def test_what_rounding_moves_of_a_judge_is_the_same_and_of_nothing_else(
    run: Run, judge: str, moved: float, word: str
) -> None:
    def scored(step: float) -> Run:
        outcomes = [{"groundedness": Score(0.5 + step * (-1) ** n)} for n in range(60)]
        results = tuple(
            replace(run.results[0], case=replace(run.results[0].case, id=str(n)), outcomes=found)
            for n, found in enumerate(outcomes)
        )
        judges = {"groundedness": judge} if judge else {}
        return replace(run, results=results, summaries=run.summaries[:1], judges=judges)

    found = changes(scored(moved), scored(0.0))["groundedness"]
    assert found.word == word
    assert (found.low < 0 < found.high) is True


def test_a_change_on_part_of_the_pairs_says_on_how_many_in_every_report(run: Run, baseline: Run) -> None:
    gone = replace(run.results[1], outcomes={"groundedness": NotApplicable("refused"), "latency_s": Score(0.25)})
    refused = replace(run, results=(run.results[0], gone, *run.results[2:]))
    assert (changes(refused, baseline)["groundedness"].pairs, changes(run, baseline)["groundedness"].pairs) == (
        "1 of 2",
        "",
    )
    assert json_report(refused, baseline=baseline)["changes"]["groundedness"]["of"] == 2
    for page in (html_report(refused, baseline=baseline), markdown_report(refused, baseline=baseline)):
        assert "1 of 2 pairs" in page
    for one in (html_report(run, baseline=baseline), markdown_report(run, baseline=baseline)):
        assert "of 2 pairs" not in one
    out = Console(file=io.StringIO(), width=120)
    out.print(terminal_table(refused, baseline=baseline))
    lines = out.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert "1 of 2" in next(line for line in lines if "groundedness" in line)
    assert "pairs" in next(line for line in lines if "before" in line)


def test_the_content_of_an_index_is_named_and_short(run: Run) -> None:
    old, new = (replace(run, subject=replace(run.subject, settings={"content": digit * 64})) for digit in ("a", "b"))
    (found,) = differences(old, new)
    assert found.name.startswith("content of the index") and (found.before, found.after) == ("a" * 12, "b" * 12)


def test_json_has_the_fields_its_page_promises(run: Run, baseline: Run) -> None:
    data = json_report(run, baseline=baseline, notes=("n",))
    assert set(data) == {
        "schema", "run", "created_at", "flow", "digests", "golden_set", "confidence", "judges", "passports",
        "corrected", "notes", "measures", "waterfall", "cases", "baseline", "changes", "differences",
    }  # fmt: skip
    assert data["schema"] == "genaiops.report/1"
    assert [case["id"] for case in data["cases"]] == ["moon", "pilot", "crane", "fees"]
    pilot = data["cases"][1]
    assert set(pilot) == {
        "id", "question", "kind", "tags", "reference", "state", "answer", "refused", "error", "outcomes", "sentences",
        "failure", "reused", "changes", "before",
    }  # fmt: skip
    assert pilot["state"] == "regressed" and pilot["changes"]["groundedness"] == pytest.approx(-0.6)
    assert pilot["before"]["outcomes"]["groundedness"] == {"value": 0.8}
    assert data["measures"]["groundedness"]["coverage"] == pytest.approx(2 / 3)
    assert data["changes"]["groundedness"]["verdict"] == "not shown"
    assert json.loads(canonical_json(data)) == data
    assert not {"baseline", "changes", "differences"} & set(json_report(run))
    assert "before" not in json_report(run)["cases"][0]


def test_the_page_about_reports_names_every_field_of_the_json(run: Run, baseline: Run) -> None:
    page = (Path(__file__).parents[2] / "docs" / "reports.md").read_text(encoding="utf-8")
    data = json_report(run, baseline=baseline, verdict=Verdict("pass", ()))
    parts = (data, data["measures"]["groundedness"], data["cases"][1], data["changes"]["groundedness"])
    fields = {field for part in parts for field in part} - {"measure"}  # a measure's name is its key
    assert {field for field in fields if f"`{field}`" not in page} == set()


def test_an_open_end_of_a_change_is_null_in_json(run: Run, baseline: Run) -> None:
    scales = {**run.scales, "latency_s": replace(run.scales["latency_s"], statistic="p95")}
    found = json_report(replace(run, scales=scales), baseline=baseline)["changes"]["latency_s"]
    assert (found["low"], found["high"], found["verdict"]) == (None, None, "same")
