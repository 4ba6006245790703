"""The measures in the HTML report: values with their intervals, changes in one picture, judges, and where answers
were lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from genaiops.evaluation.records import Run
from genaiops.evaluation.reports.changes import PARTLY, Change
from genaiops.evaluation.reports.judges import judge_lines
from genaiops.evaluation.reports.markup import Child, Markup, h
from genaiops.evaluation.reports.plots import axis_for, forest_plot, interval_plot, share_bar
from genaiops.evaluation.reports.rows import in_unit_interval
from genaiops.evaluation.reports.text import ends, number, share
from genaiops.evaluation.waterfall import STAGES, waterfall
from genaiops.records import Summary


def measures_section(run: Run, baseline: Run | None, changes: Mapping[str, Change]) -> Markup:
    """The table of measures, with the baseline's values and the changes where there is one."""
    if not run.summaries:
        return h("p", "This run has no measures.", class_="soft")
    heads: list[Child] = [
        h("th", "measure"),
        h("th", "value", class_="n"),
        h("th", f"{share(run.confidence)} interval"),
        h("th", "", class_="n"),
        h("th", "coverage", class_="n", title="cases with a value, of those the measure applies to"),
        h("th", "n/a", class_="n"),
        h("th", "change", class_="n") if baseline else None,
    ]
    lines = [_measure(run, summary, baseline, changes) for summary in run.summaries]
    table = h("table", h("thead", h("tr", heads)), h("tbody", lines), class_="measures")
    note = "Hollow dots are the baseline. A change is paired by question, coloured where its interval leaves out zero."
    if any(found.pairs for found in changes.values()):
        note += f" {PARTLY}"
    return h(
        "div",
        h("div", table, class_="scroll"),
        h("p", note, class_="soft small") if baseline else None,
        _judges(run, compared=baseline is not None),
    )


def _measure(run: Run, summary: Summary, baseline: Run | None, changes: Mapping[str, Change]) -> Markup:
    unit = in_unit_interval(run, summary.measure)
    before = baseline.summary(summary.measure) if baseline else None
    axis = axis_for(summary, before, unit_interval=unit)
    measured = summary.mean is not None
    interval = ends(summary.low, summary.high, unit_interval=unit) if measured else "–"
    spoken = f"{summary.measure}: {number(summary.mean, unit_interval=unit)}, interval {interval}"
    applicable = summary.scored + summary.unscored
    coverage = f"{share(summary.coverage)} ({summary.scored:,}/{applicable:,})" if applicable else "–"
    cells: list[Child] = [
        h("th", summary.measure, scope="row"),
        h("td", number(summary.mean, unit_interval=unit), class_="n"),
        h("td", interval_plot(summary, before, axis, spoken) if measured else "nothing was scored"),
        h("td", interval, class_="n soft"),
        h("td", coverage, class_="n flag" if summary.unscored else "n"),
        h("td", summary.not_applicable or "", class_="n soft"),
    ]
    return h("tr", cells, _change(changes.get(summary.measure)) if baseline else None)


def _change(found: Change | None) -> Markup:
    if found is None:
        return h("td", "–", class_="n soft")
    colour = {"better": "n up", "worse": "n down"}.get(found.direction, "n soft")
    pairs = h("span", f" {found.pairs} pairs", class_="soft small") if found.pairs else None
    return h("td", str(found), pairs, class_=colour, title=f"{found.cases} cases that both runs scored: {found.word}")


def _judges(run: Run, *, compared: bool) -> Markup | None:
    lines = judge_lines(run, compared=compared)
    if not lines:
        return None
    items = [h("li", h("span", measure, class_="mono"), f" {line}") for measure, line in lines]
    return h("div", h("h3", "What the judges are worth, by human labels"), h("ul", items, class_="small judges"))


def forest_section(baseline: Run, changes: Mapping[str, Change]) -> list[Markup]:
    """Every change against zero: measures in [0, 1] on one axis, the others in percent of the baseline's value."""
    bounded = [change for change in changes.values() if change.unit_interval]
    others = [change for change in changes.values() if not change.unit_interval]
    values = {change.measure: summary.mean if (summary := baseline.summary(change.measure)) else None
              for change in others}  # fmt: skip
    others = [change for change in others if (values[change.measure] or 0) > 0]
    plots = []
    if bounded:
        plots.append(forest_plot(bounded, "change of the value, this run minus the baseline"))
    if others:
        percent = [values[change.measure] or 1.0 for change in others]
        plots.append(forest_plot(others, "change in percent of the baseline's value", percent_of=percent))
    if not plots:
        return []
    shown = [h("div", plot, class_="scroll pad") for plot in plots]
    return [h("h2", "Changes"), *shown]


def waterfall_section(run: Run, baseline: Run | None) -> list[Markup]:
    """Where wrong answers were lost, as one bar and as a table; nothing where no answer is attributed."""
    found = waterfall(run)
    before = waterfall(baseline) if baseline else {}
    if not found and not before:
        return []
    stages = [stage for stage in STAGES if stage in found or stage in before]
    whole = sum(found.values())
    heads: list[Child] = [h("th", "lost at"), h("th", "answers", class_="n"), h("th", "share", class_="n")]
    heads += [h("th", "baseline", class_="n") if before else None, h("th", "what to turn")]
    lines = []
    for stage in stages:
        count = found.get(stage, 0)
        name = h("th", h("span", class_=f"key {stage}"), STAGES[stage], scope="row", class_="words")
        cells: list[Child] = [name, h("td", count, class_="n"), h("td", share(count / whole) if whole else "–",
                                                                  class_="n")]  # fmt: skip
        cells += [h("td", before.get(stage, 0), class_="n") if before else None, h("td", _knobs(run, stage))]
        lines.append(h("tr", cells))
    bar = share_bar([(stage, STAGES[stage], count) for stage, count in found.items()]) if found else None
    table = h("table", h("thead", h("tr", heads)), h("tbody", lines))
    said = f"{whole:,} of {len(run.results):,} answers are wrong. Each is counted where it was lost first."
    return [h("h2", "Where answers were lost"), h("p", said), h("div", bar), h("div", table, class_="scroll")]


def _knobs(run: Run, stage: str) -> str:
    """The settings that the failures of a stage name, the most frequent first, three at most."""
    knobs: dict[str, int] = {}
    for result in run.results:
        if result.failure is not None and result.failure.stage == stage and result.failure.knob:
            knobs[result.failure.knob] = knobs.get(result.failure.knob, 0) + 1
    return "; ".join(sorted(knobs, key=lambda knob: -knobs[knob])[:3])


def variants_section(run: Run, variants: Sequence[Run]) -> list[Markup]:
    """Every measure's value, one column for each variant."""
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
