"""The HTML report: one file that works offline, in light and dark, with nothing live from data in it."""

from __future__ import annotations

import json
from collections.abc import Sequence

from genaiops.evaluation.records import Run
from genaiops.evaluation.reports.changes import change
from genaiops.evaluation.reports.html_cases import case_section
from genaiops.evaluation.reports.markup import Child, Markup, h
from genaiops.evaluation.reports.page import page
from genaiops.evaluation.reports.plots import axis_for, interval_plot
from genaiops.evaluation.reports.rows import STATES, Row, in_unit_interval, rows_of
from genaiops.evaluation.reports.text import number, share
from genaiops.records import Summary, Verdict

VERDICT_WORDS = {
    "pass": "Pass",
    "fail": "Fail",
    "inconclusive": "Inconclusive: the evidence does not decide",
}


def html_report(
    run: Run,
    *,
    baseline: Run | None = None,
    variants: Sequence[Run] = (),
    verdict: Verdict | None = None,
) -> str:
    """One self-contained HTML page about `run`.

    `baseline` puts regressions first; `variants` are compared measure by measure;
    sentences that a judge found unsupported are marked. Everything from data is escaped, a content
    security policy forbids every load and every script but the page's own filter.
    """
    rows = rows_of(run, baseline)
    flow = run.subject.flow or "an application"
    body = h(
        "main",
        _head(run, flow, baseline),
        _verdict(verdict),
        _cards(run, rows),
        h("h2", "Measures"),
        _measures(run, baseline),
        _variants(run, variants),
        h("h2", "Cases"),
        _filters(rows),
        [case_section(run, row) for row in rows],
        h("h2", "What was evaluated"),
        _facts(run),
    )
    return page(f"{flow}: evaluation {run.id}", body)


def _head(run: Run, flow: str, baseline: Run | None) -> Markup:
    against = f", compared with run {baseline.id}" if baseline else ""
    return h(
        "header",
        h("h1", f"Evaluation of {flow}"),
        h("p", f"Run {run.id} on golden set {run.golden_set}, {run.created_at}{against}", class_="soft"),
    )


def _verdict(verdict: Verdict | None) -> Markup | None:
    if verdict is None:
        return None
    # A gate's decision also tells of the rules that hold; their reasons come first to last, then what else was said.
    told = [f"{rule.verdict}: {rule.reason}" for rule in getattr(verdict, "rules", ())]
    told += [reason for reason in verdict.reasons if not any(reason in line for line in told)]
    reasons = h("ul", [h("li", line) for line in told]) if told else None
    word = VERDICT_WORDS.get(verdict.verdict, verdict.verdict)
    return h("section", h("strong", word), reasons, class_=f"verdict {verdict.verdict}", aria_label="Verdict")


def _cards(run: Run, rows: Sequence[Row]) -> Markup:
    answers = [result.answer for result in run.results if result.answer is not None]
    refused = sum(answer.refused for answer in answers)
    states = [row.state for row in rows]
    worst = min((summary.coverage for summary in run.summaries if summary.scored or summary.unscored), default=None)
    facts: list[tuple[str, str]] = [
        (f"{len(rows):,}", "cases"),
        (f"{len(answers) - refused:,}", "answers"),
        (f"{refused:,}", "refusals"),
        (f"{states.count('error'):,}", "without an answer"),
        ("–" if worst is None else share(worst), "lowest coverage of a measure"),
    ]
    if "regressed" in states or "improved" in states:
        facts.append((f"{states.count('regressed'):,}", "worse than the baseline"))
    return h(
        "section", [h("div", h("b", big), h("span", small), class_="card") for big, small in facts], class_="cards"
    )


def _measures(run: Run, baseline: Run | None) -> Markup:
    if not run.summaries:
        return h("p", "This run has no measures.", class_="soft")
    heads: list[Child] = [
        h("th", "measure"),
        h("th", "value", class_="n"),
        h("th", f"{share(run.confidence)} interval"),
        h("th", "", class_="n"),
        h("th", "coverage", class_="n"),
        h("th", "scored", class_="n"),
        h("th", "failed", class_="n"),
        h("th", "n/a", class_="n"),
        h("th", "change", class_="n") if baseline else None,
    ]
    lines = [_measure(run, summary, baseline) for summary in run.summaries]
    table = h("table", h("thead", h("tr", heads)), h("tbody", lines))
    note = (
        h(
            "p",
            "Hollow dots are the baseline. Changes are paired by question; coloured when the interval leaves out zero.",
            class_="soft small",
        )
        if baseline
        else None
    )
    return h("div", h("div", table, class_="scroll"), note)


def _measure(run: Run, summary: Summary, baseline: Run | None) -> Markup:
    unit = in_unit_interval(run, summary.measure)
    before = baseline.summary(summary.measure) if baseline else None
    axis = axis_for(summary, before, unit_interval=unit)
    low, high = number(summary.low, unit_interval=unit), number(summary.high, unit_interval=unit)
    spoken = f"{summary.measure}: {number(summary.mean, unit_interval=unit)}, interval {low} to {high}"
    incomplete = "n flag" if summary.unscored else "n"
    cells: list[Child] = [
        h("th", summary.measure, scope="row"),
        h("td", number(summary.mean, unit_interval=unit), class_="n"),
        h("td", interval_plot(summary, before, axis, spoken) if summary.mean is not None else "nothing was scored"),
        h("td", f"{low} – {high}" if summary.low is not None else "–", class_="n soft"),
        h("td", share(summary.coverage) if summary.scored + summary.unscored else "–", class_=incomplete),
        h("td", summary.scored, class_="n"),
        h("td", summary.unscored, class_=incomplete),
        h("td", summary.not_applicable, class_="n"),
    ]
    return h("tr", cells, _change(run, summary.measure, baseline) if baseline else None)


def _change(run: Run, measure: str, baseline: Run) -> Markup:
    found = change(run, baseline, measure)
    if found is None:
        return h("td", "–", class_="n soft")
    colour = {"better": "n up", "worse": "n down", "": "n soft"}[found.direction]
    return h("td", str(found), class_=colour, title=f"{found.cases} cases that both runs scored")


def _variants(run: Run, variants: Sequence[Run]) -> list[Markup]:
    if not variants:
        return []
    runs = [run, *variants]
    heads = [h("th", "measure"), [h("th", _variant_name(other), class_="n") for other in runs]]
    lines = []
    for summary in run.summaries:
        unit = in_unit_interval(run, summary.measure)
        found = [other.summary(summary.measure) for other in runs]
        cells = [h("td", number(s.mean if s else None, unit_interval=unit), class_="n") for s in found]
        lines.append(h("tr", h("th", summary.measure, scope="row"), cells))
    table = h("table", h("thead", h("tr", heads)), h("tbody", lines))
    return [h("h2", "Variants"), h("div", table, class_="scroll")]


def _variant_name(run: Run) -> str:
    """The prompt that answered, where the answers say it; the run's id otherwise."""
    prompts = {result.answer.prompt for result in run.results if result.answer is not None} - {""}
    return prompts.pop() if len(prompts) == 1 else run.id


def _filters(rows: Sequence[Row]) -> Markup:
    """The filter form; hidden until the script runs, so it never stands there without working."""
    kinds = sorted({row.result.case.kind for row in rows})
    tags = sorted({tag for row in rows for tag in row.result.case.tags})
    states = [state for state in STATES if any(row.state == state for row in rows)]
    return h(
        "form",
        h("input", type="search", name="text", placeholder="Find in cases", aria_label="Find in cases"),
        _choice("state", "every outcome", [(state, STATES[state]) for state in states]),
        _choice("kind", "every kind", [(kind, kind) for kind in kinds]),
        _choice("tag", "every tag", [(tag, tag) for tag in tags]),
        h("span", id="shown", class_="soft small", aria_live="polite"),
        id="filters",
        class_="filters",
        hidden="",
    )


def _choice(name: str, everything: str, options: Sequence[tuple[str, str]]) -> Markup:
    choices = [h("option", everything, value=""), [h("option", shown, value=value) for value, shown in options]]
    return h("select", choices, name=name, aria_label=f"Filter by {name}")


def _facts(run: Run) -> Markup:
    dirty = " with uncommitted changes" if run.git.dirty else ""
    facts: list[tuple[str, str]] = [
        ("golden set", f"{run.golden_set} {run.golden_set_digest}"),
        *((f"digest of {name}", digest) for name, digest in run.subject.digests.items()),
        *((f"judge of {measure}", digest) for measure, digest in run.judges.items()),
        ("commit", f"{run.git.commit}{dirty}" if run.git.commit else "none"),
        ("seed", str(run.seed)),
        ("confidence", str(run.confidence)),
        *((f"version of {name}", version) for name, version in sorted(run.versions.items())),
    ]
    settings = json.dumps(run.subject.settings, indent=2, sort_keys=True, ensure_ascii=False, default=str)
    return h(
        "section",
        h("dl", [[h("dt", name), h("dd", value)] for name, value in facts], class_="facts"),
        h("h3", "Settings"),
        h("pre", settings),
    )
