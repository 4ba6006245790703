"""What a run or a verdict looks like at the end of a notebook's cell: small tables, without style or script."""

from __future__ import annotations

from genaiops.evaluation.records import Run
from genaiops.evaluation.reports.markup import Child, Markup, h
from genaiops.evaluation.reports.rows import in_unit_interval
from genaiops.evaluation.reports.text import ends, number, share
from genaiops.evaluation.waterfall import STAGES, waterfall
from genaiops.records import Summary, Verdict


def run_html(run: Run) -> str:
    """The scorecard as an HTML fragment: measure, value, interval, coverage; where answers were lost."""
    heads = ("measure", "value", f"{share(run.confidence)} interval", "coverage", "n/a")
    lost = [f"{count:,} {STAGES[stage]}" for stage, count in waterfall(run).items()]
    return h(
        "div",
        h("p", h("b", run.subject.flow or "an application"), f" on {run.measured_on}: {len(run.results):,} cases"),
        _table(heads, [_measure(run, summary) for summary in run.summaries]),
        h("p", f"wrong answers: {', '.join(lost)}") if lost else None,
        h("p", h("small", f"run {run.id}")),
    )


def _measure(run: Run, summary: Summary) -> list[Child]:
    unit = in_unit_interval(run, summary.measure)
    measured = summary.scored + summary.unscored
    return [
        summary.measure,
        number(summary.mean, unit_interval=unit),
        "–" if summary.mean is None else ends(summary.low, summary.high, unit_interval=unit),
        f"{share(summary.coverage)} ({summary.scored:,}/{measured:,})" if measured else "–",
        summary.not_applicable or "",
    ]


def verdict_html(verdict: Verdict) -> str:
    """The verdict as an HTML fragment: each rule with its own, then every other reason."""
    rules = getattr(verdict, "rules", ())
    told = {rule.reason for rule in rules}
    other = [reason for reason in verdict.reasons if reason not in told]
    return h(
        "div",
        h("p", "verdict: ", h("b", verdict.verdict)),
        _table(("rule", "verdict", "why"), [[r.rule, "skipped" if r.skipped else r.verdict, r.reason] for r in rules])
        if rules
        else None,
        h("ul", [h("li", reason) for reason in other]) if other else None,
    )


def _table(heads: tuple[str, ...], rows: list[list[Child]]) -> Markup:
    lines = [h("tr", [h("td", cell) for cell in row]) for row in rows]
    return h("table", h("thead", h("tr", [h("th", head) for head in heads])), h("tbody", lines))
