"""The report for CI servers: JUnit XML."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from genaiops.display import clean, one_line
from genaiops.evaluation.records import CaseResult, Run
from genaiops.records import NotApplicable, Score, Unscored, Verdict

MESSAGE = 500  # characters of a message attribute; the element's text holds the whole


def junit_report(run: Run, *, verdict: Verdict | None = None) -> str:
    """Well-formed XML 1.0. One test for each case of the golden set, and in a suite of its own one for each gate rule.

    A case without an answer, or with a measurement that failed, is an `<error>`, one that no measure
    applies to is `<skipped>`; its values are properties. A rule that fails is a `<failure>`, an
    inconclusive one an `<error>`. A low value alone is no failure: the gate decides that.
    """
    root = ET.Element("testsuites", name=_safe(f"genaiops {run.subject.flow}".strip()))
    suite = _suite(root, run, "cases")
    _properties(suite, _facts(run))
    for result in run.results:
        _case(suite, result)
    if verdict is not None:
        _gate(_suite(root, run, "gate"), verdict)
    _count(root)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _suite(root: ET.Element, run: Run, part: str) -> ET.Element:
    return ET.SubElement(
        root, "testsuite", name=_safe(f"{run.golden_set} {part}".strip()), timestamp=_safe(run.created_at)
    )


def _facts(run: Run) -> list[tuple[str, str]]:
    return [
        ("run", run.id),
        ("golden_set", run.golden_set_digest),
        *((f"digest.{name}", digest) for name, digest in run.subject.digests.items()),
        *((f"judge.{measure}", digest) for measure, digest in run.judges.items()),
        *((f"mean.{summary.measure}", "" if summary.mean is None else repr(summary.mean)) for summary in run.summaries),
    ]


def _properties(parent: ET.Element, facts: list[tuple[str, str]]) -> None:
    if not facts:  # the element may not be empty
        return
    properties = ET.SubElement(parent, "properties")
    for name, value in facts:
        ET.SubElement(properties, "property", name=_safe(name), value=_safe(value))


def _case(suite: ET.Element, result: CaseResult) -> None:
    answer, outcomes = result.answer, result.outcomes
    seconds = answer.seconds.get("total", 0.0) if answer else 0.0
    test = _test(suite, result.case.kind, result.case.id, seconds)
    facts = [(name, repr(outcome.value)) for name, outcome in outcomes.items() if isinstance(outcome, Score)]
    if result.failure is not None:
        facts += [("lost_at", result.failure.stage), ("lost_at.detail", result.failure.detail)]
    _properties(test, facts)
    failed = [f"{name}: {outcome.reason}" for name, outcome in outcomes.items() if isinstance(outcome, Unscored)]
    if result.error or answer is None:
        _trouble(test, "error", "no answer", result.error or "no answer")
    elif failed:
        _trouble(test, "error", "unscored", "\n".join(failed))
    elif outcomes and all(isinstance(outcome, NotApplicable) for outcome in outcomes.values()):
        ET.SubElement(test, "skipped", message="no measure applies to this case")


def _gate(suite: ET.Element, verdict: Verdict) -> None:
    """A test for each rule; one for the verdict where it has reasons that are no rule's, or none at all.

    A remark beside rules that failed is no failure of its own.
    """
    rules = getattr(verdict, "rules", ())
    for rule in rules:
        test = _test(suite, "gate", rule.rule, 0.0)
        if rule.skipped:
            ET.SubElement(test, "skipped", message=one_line(rule.reason, MESSAGE))
        else:
            _judged(test, rule.verdict, rule.reason)
    told = {rule.reason for rule in rules}
    other = [reason for reason in verdict.reasons if reason not in told]
    settled = verdict.verdict != "pass" and any(rule.verdict == verdict.verdict for rule in rules)
    if (other and not settled) or not rules:
        _judged(_test(suite, "gate", "verdict", 0.0), verdict.verdict, "\n".join(other) or verdict.verdict)


def _judged(test: ET.Element, verdict: str, reason: str) -> None:
    if verdict != "pass":
        _trouble(test, "failure" if verdict == "fail" else "error", verdict, reason)


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
