from __future__ import annotations

import io
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from rich.console import Console

from genaiops.evaluation.records import CaseResult, Run, Scale
from genaiops.evaluation.reports import junit_report, terminal_table
from genaiops.evaluation.reports.text import clean, number, share, signed
from genaiops.records import Outcome, Score, Summary, Unscored, Verdict

ODD = [
    "\x00\x01\x08\x0b\x0c\x0e\x1f",
    "\x1b[31mred\x1b[0m",
    "]]>",
    "<![CDATA[",
    "</testcase><failure/>",
    "<!DOCTYPE x [<!ENTITY y 'z'>]>&y;",
    "\ud800",
    "\ufffe\uffff",
    "&amp; & <",
    "\"'",
    "a\r\nb\u2028c\x85d",
    "\U0001f600",
    "::error::x",
    "[red]x[/red]",
    "[link=evil]x[/link]",
]


def poisoned(run: Run, text: str) -> Run:
    case = replace(run.results[0].case, id=text, question=text)
    outcomes: dict[str, Outcome] = {text or "m": Score(0.5), "other": Unscored(text)}
    results = (replace(run.results[0], case=case, outcomes=outcomes), CaseResult(case, None, text, {}))
    subject = replace(run.subject, flow=text, digests={text: text})
    summaries = (Summary(text, 0.5, 0.4, 0.6, 1, 0),)
    return replace(
        run, id=text, golden_set=text, created_at=text, subject=subject, results=results, summaries=summaries
    )


def suites(text: str) -> list[ET.Element]:
    return ET.fromstring(text.encode()).findall("testsuite")


@pytest.mark.parametrize("text", ODD)
@pytest.mark.parametrize("kind", ["pass", "fail", "inconclusive"])
def test_junit_is_well_formed_whatever_the_data_holds(run: Run, text: str, kind: str) -> None:
    report = junit_report(poisoned(run, text), verdict=Verdict(kind, (text,)))  # type: ignore[arg-type]
    measures, gate = suites(report)
    assert len(measures.findall("testcase")) == 3 and len(gate.findall("testcase")) == 1


def test_junit_counts_what_it_holds(run: Run) -> None:
    root = ET.fromstring(junit_report(run, verdict=Verdict("fail", ("a", "b"))).encode())
    measures, gate = root.findall("testsuite")
    assert {name: measures.get(name) for name in ("tests", "failures", "errors", "skipped", "time")} == {
        "tests": "7", "failures": "0", "errors": "1", "skipped": "1", "time": "0.750",
    }  # fmt: skip
    assert (gate.get("tests"), gate.get("failures"), gate.get("errors")) == ("1", "1", "0")
    assert {name: root.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "8", "failures": "1", "errors": "1", "skipped": "1",
    }  # fmt: skip


def test_a_failed_measurement_is_an_error_and_a_failed_gate_a_failure(run: Run) -> None:
    measures, gate = suites(junit_report(run, verdict=Verdict("fail", ("groundedness too low", "coverage too low"))))
    (error,) = measures.iter("error")
    assert (error.get("type"), error.get("message"), error.text) == (
        "unscored",
        "the judge is down",
        "the judge is down",
    )
    (failure,) = gate.iter("failure")
    assert failure.text == "groundedness too low\ncoverage too low"


def test_an_inconclusive_gate_is_an_error_and_a_passed_one_neither(run: Run) -> None:
    gate = suites(junit_report(run, verdict=Verdict("inconclusive", ("too few cases",))))[1]
    assert not list(gate.iter("failure")) and [e.text for e in gate.iter("error")] == ["too few cases"]
    gate = suites(junit_report(run, verdict=Verdict("pass", ())))[1]
    assert not list(gate.iter("failure")) and not list(gate.iter("error"))


def test_an_unanswered_case_without_outcomes_is_an_error(run: Run) -> None:
    bare = replace(run, results=(replace(run.results[3], outcomes={}),))
    (error,) = suites(junit_report(bare))[0].iter("error")
    assert error.text == "ModelError: no answer in 30 s"


def printed(run: Run, baseline: Run | None = None, *, terminal: bool = False) -> str:
    out = io.StringIO()
    Console(file=out, width=140, force_terminal=terminal, color_system="truecolor" if terminal else None).print(
        terminal_table(run, baseline=baseline)
    )
    return out.getvalue()


def test_the_scorecard_shows_value_interval_coverage_and_not_applicable(run: Run) -> None:
    text = printed(run)
    line = next(line for line in text.splitlines() if "groundedness" in line)
    assert line.split() == ["groundedness", "0.550", "0.200", "–", "0.900", "67", "%", "(2/3)", "1"]
    assert "handbook on harbour: 4 cases" in text


def many(run: Run, groundedness: float, seconds: float) -> Run:
    """Forty scored cases, nearly alike."""
    results = tuple(
        replace(
            run.results[0],
            case=replace(run.results[0].case, id=str(n)),
            outcomes={"groundedness": Score(groundedness - n % 3 / 100), "latency_s": Score(seconds + n / 1000)},
        )
        for n in range(40)
    )
    return replace(run, results=results)


def test_the_change_from_a_baseline_is_paired_and_knows_which_way_is_up(run: Run) -> None:
    text = printed(many(run, 0.6, 0.2), many(run, 0.9, 0.4), terminal=True)
    lines = {name: line for line in text.splitlines() for name in ("groundedness", "latency_s") if name in line}
    assert "−0.300 (" in lines["groundedness"] and "\x1b[31m" in lines["groundedness"]
    assert "−0.2 (" in lines["latency_s"] and "\x1b[32m" in lines["latency_s"]


def test_a_change_that_two_cases_cannot_prove_has_no_colour(run: Run, baseline: Run) -> None:
    line = next(line for line in printed(run, baseline, terminal=True).splitlines() if "groundedness" in line)
    assert "−0.100 (" in line and "\x1b[31m" not in line and "\x1b[32m" not in line


def test_a_quantile_of_few_cases_may_have_changed_by_anything(run: Run, baseline: Run) -> None:
    scales = {**run.scales, "latency_s": Scale(False, "p95", lower_is_better=True)}
    line = next(line for line in printed(replace(run, scales=scales), baseline).splitlines() if "latency_s" in line)
    assert line.rstrip().endswith("±0 (−∞ to +∞)")


def test_without_a_case_in_common_there_is_no_change(run: Run) -> None:
    other = replace(many(run, 0.5, 0.1), results=many(run, 0.5, 0.1).results[:1])
    line = next(line for line in printed(run, other).splitlines() if "groundedness" in line)
    assert line.split()[-1] == "–"


@pytest.mark.parametrize("text", ODD)
def test_data_reaches_the_terminal_without_escapes_or_markup(run: Run, text: str) -> None:
    shown = printed(poisoned(run, text))
    assert "\x1b" not in shown and "\x00" not in shown
    if text.startswith("["):
        assert text in shown


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]8;;https://evil.example\x07link\x1b]8;;\x07", "link"),
        ("\x1b]0;title\x1b\\x", "x"),
        ("\x9b31mx", "x"),
        ("\x1bPq\x1b\\x", "x"),
        ("\x1b", ""),
        ("a\tb\nc\r\nd\re", "a\tb\nc\nd\ne"),
        ("a\u202eb", "ab"),
        ("naïve – “ok” 漢字 \U0001f600", "naïve – “ok” 漢字 \U0001f600"),
    ],
)
def test_cleaning_takes_whole_sequences_and_nothing_else(text: str, left: str) -> None:
    assert clean(text) == left


def test_numbers_read_well() -> None:
    assert [number(v) for v in (None, 0.0, 1.0, 0.91249)] == ["–", "0.000", "1.000", "0.912"]
    assert [number(v, unit_interval=False) for v in (0.01234567, 12.5, 12345.6)] == ["0.01235", "12.5", "12,346"]
    assert [signed(v) for v in (0.1, -0.1, 0.0001)] == ["+0.100", "−0.100", "±0"]
    assert [share(v) for v in (0.0, 0.001, 0.5, 0.999, 1.0)] == ["0 %", "<1 %", "50 %", ">99 %", "100 %"]
