from __future__ import annotations

import io
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from rich.console import Console

from genaiops.display import clean
from genaiops.evaluation.records import CaseResult, Failure, Run
from genaiops.evaluation.reports import changed_cases, junit_report, terminal_table
from genaiops.evaluation.reports.text import ends, number, share, signed
from genaiops.evaluation.scale import Scale
from genaiops.promotion import Decision, RuleResult
from genaiops.records import NotApplicable, Outcome, Score, Summary, Unscored, Verdict

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
    cases, gate = suites(report)
    assert len(cases.findall("testcase")) == 2 and len(gate.findall("testcase")) == 1
    assert_shape(report)


SHAPE = {  # element: (attributes it must have, attributes it may have, children in their order)
    "testsuites": ({"name", "tests", "failures", "errors", "skipped", "time"}, set(), ["testsuite"]),
    "testsuite": (
        {"name", "tests", "failures", "errors", "skipped", "time", "timestamp"}, set(), ["properties", "testcase"],
    ),
    "testcase": ({"classname", "name", "time"}, {"file", "line"}, ["properties", "skipped", "error", "failure"]),
    "properties": (set(), set(), ["property"]),
    "property": ({"name", "value"}, set(), []),
    "skipped": ({"message"}, set(), []),
    "error": ({"message", "type"}, set(), []),
    "failure": ({"message", "type"}, set(), []),
}  # fmt: skip


def assert_shape(report: str) -> None:
    """The report has only the elements and attributes of JUnit's shape, in its order, and counts itself right."""
    root = ET.fromstring(report.encode())
    assert root.tag == "testsuites"
    for element in root.iter():
        must, may, inside = SHAPE[element.tag]
        assert must <= set(element.attrib) <= must | may, element.tag
        order = [inside.index(child.tag) for child in element]
        assert order == sorted(order)
        assert element.tag != "properties" or len(element)  # the schema wants one at least
    for suite in root:
        for name, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(suite.get(name, "")) == len(list(suite.iter(tag)))


def decision(*rules: RuleResult, other: tuple[str, ...] = ()) -> Decision:
    worst = next((v for v in ("fail", "inconclusive") if any(r.verdict == v for r in rules)), "pass")
    reasons = (*(rule.reason for rule in rules if rule.verdict != "pass"), *other)
    return Decision(worst, reasons, rules)  # type: ignore[arg-type]


def test_junit_has_a_test_for_each_case_and_for_each_rule(run: Run) -> None:
    rules = (
        RuleResult("groundedness at_least 0.8", "fail", "groundedness: 0.55 below the floor 0.8"),
        RuleResult("recall@6 at_least 0.5", "inconclusive", "recall@6: too few cases"),
        RuleResult("latency_s at_most 2", "pass", "latency_s: 0.25"),
        RuleResult("groundedness not_worse_than champion margin 0.02", "pass", "skipped: nothing yet", skipped=True),
    )
    report = junit_report(run, verdict=decision(*rules))
    assert_shape(report)
    root = ET.fromstring(report.encode())
    cases, gate = root.findall("testsuite")
    assert [(test.get("classname"), test.get("name")) for test in cases.findall("testcase")] == [
        ("answerable", "fees"), ("answerable", "pilot"), ("adversarial", "crane"), ("unanswerable", "moon"),
    ]  # fmt: skip
    assert [[child.tag for child in test] for test in gate.findall("testcase")] == [
        ["failure"], ["error"], [], ["skipped"],
    ]  # fmt: skip
    assert {name: root.get(name) for name in ("tests", "failures", "errors", "skipped", "time")} == {
        "tests": "8", "failures": "1", "errors": "3", "skipped": "1", "time": "0.750",
    }  # fmt: skip


def test_a_case_tells_its_values_and_where_it_was_lost(run: Run) -> None:
    lost = replace(run.results[1], failure=Failure("ranking", "at rank 9", "retrieval.top_k"))
    (test,) = suites(junit_report(replace(run, results=(lost,))))[0].findall("testcase")
    facts = {item.get("name"): item.get("value") for item in test.iter("property")}
    assert facts == {"groundedness": "0.2", "latency_s": "0.25", "lost_at": "ranking", "lost_at.detail": "at rank 9"}


def test_a_low_value_is_no_failure_and_a_failed_measurement_an_error(run: Run) -> None:
    cases = {test.get("name"): test for test in suites(junit_report(run))[0].findall("testcase")}
    assert [child.tag for child in cases["pilot"]] == ["properties"]
    (error,) = cases["crane"].iter("error")
    assert (error.get("type"), error.text) == ("unscored", "groundedness: the judge is down")
    (error,) = cases["moon"].iter("error")
    assert (error.get("type"), error.text) == ("no answer", "ModelError: no answer in 30 s")


def test_a_case_to_which_no_measure_applies_is_skipped(run: Run) -> None:
    none = replace(run.results[0], outcomes={"recall@6": NotApplicable("nothing to find")})
    (test,) = suites(junit_report(replace(run, results=(none,))))[0].findall("testcase")
    assert [child.tag for child in test] == ["skipped"]


def test_a_remark_beside_a_rule_that_failed_is_no_second_failure(run: Run) -> None:
    rule = RuleResult("groundedness at_least 0.8", "fail", "groundedness: 0.55 below the floor 0.8")
    given = decision(rule, other=("the golden set is divided: measured on g (dev)",))
    assert suites(junit_report(run, verdict=given))[1].get("failures") == "1"


def test_what_is_no_rules_reason_has_a_test_of_its_own(run: Run) -> None:
    gate = suites(junit_report(run, verdict=Verdict("inconclusive", ("the golden set has changed",))))[1]
    (test,) = gate.findall("testcase")
    (error,) = test.iter("error")
    assert (test.get("name"), error.text) == ("verdict", "the golden set has changed")


def test_an_inconclusive_gate_is_an_error_and_a_passed_one_neither(run: Run) -> None:
    gate = suites(junit_report(run, verdict=Verdict("inconclusive", ("too few cases",))))[1]
    assert not list(gate.iter("failure")) and [e.text for e in gate.iter("error")] == ["too few cases"]
    gate = suites(junit_report(run, verdict=Verdict("pass", ())))[1]
    assert not list(gate.iter("failure")) and not list(gate.iter("error"))


def printed(run: Run, baseline: Run | None = None, *, terminal: bool = False) -> str:
    out = io.StringIO()
    Console(file=out, width=140, force_terminal=terminal, color_system="truecolor" if terminal else None).print(
        terminal_table(run, baseline=baseline)
    )
    return out.getvalue()


def test_the_scorecard_shows_value_interval_coverage_and_not_applicable(run: Run) -> None:
    text = printed(run)
    line = next(line for line in text.splitlines() if "groundedness" in line)
    assert line.split() == ["groundedness", "0.550", "0.200", "to", "0.900", "67", "%", "(2/3)", "1"]
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
    assert "±0 (no bound)" in line and "same" in line


def test_without_a_case_in_common_there_is_no_change(run: Run) -> None:
    other = replace(many(run, 0.5, 0.1), results=many(run, 0.5, 0.1).results[:1])
    line = next(line for line in printed(run, other).splitlines() if "groundedness" in line)
    assert line.split()[3] == "–"


def test_a_comparison_fits_a_narrow_terminal(run: Run, baseline: Run) -> None:
    out = io.StringIO()
    names = ("groundedness", "latency_s")
    Console(file=out, width=80).print(terminal_table(many(run, 0.6, 0.2), baseline=many(run, 0.9, 0.4)))
    assert all(any(name in line for line in out.getvalue().splitlines()) for name in names)
    assert "…" not in out.getvalue()


def test_the_cases_that_changed_most_come_with_both_answers_and_their_words(run: Run, baseline: Run) -> None:
    pilot = baseline.results[1]
    assert pilot.answer is not None
    before = replace(pilot, answer=replace(pilot.answer, text="Dogs. Boats over 12 m [1]."))
    worse, better = changed_cases(run, replace(baseline, results=(baseline.results[0], before)))
    assert worse.plain.startswith("worse  Who needs a pilot?")
    assert "case pilot: groundedness −0.600" in worse.plain
    assert "before [-Dogs.-] Boats over 12 m [1]." in worse.plain
    assert "   now {+Cats.+} Boats over 12 m [1]." in worse.plain
    assert better.plain.startswith("better How are fees paid?") and "both Fees are paid in cash" in better.plain
    assert len(changed_cases(run, baseline, most=0)) == 0


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
        ("a\u061cb\u200bc\xadd\u2060e\ufefff", "abcdef"),
        ("pay\U000e0049\U000e0067\U000e007f", "pay"),
        ("\u0646\u200c\u0647 \U0001f469\u200d\U0001f4bb", "\u0646\u200c\u0647 \U0001f469\u200d\U0001f4bb"),
        ("one \x1b]0;two\nthree", "one 0;two\nthree"),
        ("one \x1b]two\u2028three\x07", "one two\nthree"),
        ("one \x1bPtwo three", "one two three"),
        ("\x1b]0;a\x1b]0;b\x07c", "0;ac"),
        ("naïve – “ok” 漢字 \U0001f600", "naïve – “ok” 漢字 \U0001f600"),
    ],
)
def test_cleaning_takes_whole_sequences_and_nothing_else(text: str, left: str) -> None:
    assert clean(text) == left


def test_an_open_end_is_said_in_words() -> None:
    assert ends(0.2, 0.9) == "0.200 to 0.900"
    assert ends(0.2, None, unit_interval=False) == ends(0.2, float("inf"), unit_interval=False) == "0.2 to no bound"
    assert ends(None, 0.9) == "no bound to 0.900"
    assert ends(None, None) == "no bound"


def test_numbers_read_well() -> None:
    assert [number(v) for v in (None, 0.0, 1.0, 0.91249)] == ["–", "0.000", "1.000", "0.912"]
    assert [number(v, unit_interval=False) for v in (0.01234567, 12.5, 12345.6)] == ["0.01235", "12.5", "12,346"]
    assert [signed(v) for v in (0.1, -0.1, 0.0001)] == ["+0.100", "−0.100", "±0"]
    assert [share(v) for v in (0.0, 0.001, 0.5, 0.999, 1.0)] == ["0 %", "<1 %", "50 %", ">99 %", "100 %"]
