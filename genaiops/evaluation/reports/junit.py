"""The report for CI servers: JUnit XML."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from genaiops.evaluation.records import CaseResult, Run
from genaiops.evaluation.reports.text import clean, one_line
from genaiops.records import NotApplicable, Score, Unscored, Verdict

MESSAGE = 500  # characters of a message attribute; the element's text holds the whole


def junit_report(run: Run, *, verdict: Verdict | None = None) -> str:
    """Well-formed XML 1.0. One test case for each case and measure, in a suite of its own for the gate.

    A failed measurement is an `<error>`, a measure that does not apply is `<skipped>`;
    a gate that fails is a `<failure>` with every reason, an inconclusive one an `<error>`.
    A low value alone is no failure: the gate decides that.
    """
    root = ET.Element("testsuites", name=_safe(f"genaiops {run.subject.flow}".strip()))
    suite = _suite(root, run, "measures")
    properties = ET.SubElement(suite, "properties")
    for name, value in _properties(run):
        ET.SubElement(properties, "property", name=_safe(name), value=_safe(value))
    for result in run.results:
        _case(suite, run, result)
    if verdict is not None:
        _gate(_suite(root, run, "gate"), verdict)
    _count(root)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _suite(root: ET.Element, run: Run, part: str) -> ET.Element:
    return ET.SubElement(
        root, "testsuite", name=_safe(f"{run.golden_set} {part}".strip()), timestamp=_safe(run.created_at)
    )


def _properties(run: Run) -> list[tuple[str, str]]:
    return [
        ("run", run.id),
        ("golden_set", run.golden_set_digest),
        *((f"digest.{name}", digest) for name, digest in run.subject.digests.items()),
        *((f"judge.{measure}", digest) for measure, digest in run.judges.items()),
        *((f"mean.{summary.measure}", "" if summary.mean is None else repr(summary.mean)) for summary in run.summaries),
    ]


def _case(suite: ET.Element, run: Run, result: CaseResult) -> None:
    seconds = result.answer.seconds.get("total", 0.0) if result.answer else 0.0
    if not result.outcomes:
        test = _test(suite, result.case.id, "answered", seconds)
        if result.error or result.answer is None:
            _trouble(test, "error", "answer", result.error or "no answer")
        return
    for position, (measure, outcome) in enumerate(result.outcomes.items()):
        # The time of a case stands once, so that the sum over its tests is right.
        test = _test(suite, result.case.id, measure, seconds if position == 0 else 0.0)
        if isinstance(outcome, Unscored):
            _trouble(test, "error", "unscored", outcome.reason)
        elif isinstance(outcome, NotApplicable):
            ET.SubElement(test, "skipped", message=one_line(outcome.reason, MESSAGE))
        elif isinstance(outcome, Score):
            properties = ET.SubElement(test, "properties")
            ET.SubElement(properties, "property", name="value", value=repr(outcome.value))


def _gate(suite: ET.Element, verdict: Verdict) -> None:
    test = _test(suite, "gate", "verdict", 0.0)
    if verdict.verdict != "pass":
        kind = "failure" if verdict.verdict == "fail" else "error"
        _trouble(test, kind, verdict.verdict, "\n".join(verdict.reasons) or verdict.verdict)


def _test(suite: ET.Element, classname: str, name: str, seconds: float) -> ET.Element:
    return ET.SubElement(suite, "testcase", classname=_safe(classname), name=_safe(name), time=f"{seconds:.3f}")


def _trouble(test: ET.Element, tag: str, kind: str, reason: str) -> None:
    element = ET.SubElement(test, tag, message=one_line(reason, MESSAGE), type=_safe(kind))
    element.text = clean(reason)


def _count(root: ET.Element) -> None:
    """The counts and seconds of each suite, and of all together."""
    suites = root.findall("testsuite")
    for suite in suites:
        for name, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            suite.set(name, str(len(list(suite.iter(tag)))))
        suite.set("time", f"{sum(float(test.get('time', '0')) for test in suite.iter('testcase')):.3f}")
    for name in ("tests", "failures", "errors", "skipped"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in suites)))
    root.set("time", f"{sum(float(suite.get('time', '0')) for suite in suites):.3f}")


def _safe(text: str) -> str:
    return one_line(text)
