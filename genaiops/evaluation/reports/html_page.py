"""The HTML report: one file that works offline, in light and dark, with nothing live from data in it."""

from __future__ import annotations

import json
from collections.abc import Sequence

from genaiops.evaluation.records import Run
from genaiops.evaluation.reports.changes import changes, told_apart
from genaiops.evaluation.reports.circumstances import told_of
from genaiops.evaluation.reports.comparison import Difference, differences
from genaiops.evaluation.reports.html_cases import case_section
from genaiops.evaluation.reports.html_measures import (
    forest_section,
    measures_section,
    variants_section,
    waterfall_section,
)
from genaiops.evaluation.reports.markup import Child, Markup, h
from genaiops.evaluation.reports.page import page
from genaiops.evaluation.reports.rows import STATES, Row, rows_of
from genaiops.evaluation.reports.spans import Span, segments, word_changes
from genaiops.evaluation.reports.text import share
from genaiops.evaluation.waterfall import STAGES
from genaiops.records import Verdict

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
    notes: Sequence[str] = (),
) -> str:
    """One self-contained HTML page about `run`.

    `baseline` puts regressions first, both answers side by side, and says what else was different;
    `variants` are compared measure by measure; `notes` stand below the heading. Each sentence that a
    judge spoke of is tied to the passage it was held against. Everything from data is escaped, a
    content security policy forbids every load and every script but the page's own.
    """
    rows = rows_of(run, baseline)
    changed = changes(run, baseline) if baseline else {}
    flow = run.subject.flow or "an application"
    body = h(
        "main",
        _head(run, flow, baseline, notes),
        _verdict(verdict),
        _cards(run, rows),
        h("h2", "Measures"),
        measures_section(run, baseline, changed),
        forest_section(baseline, changed) if baseline else None,
        waterfall_section(run, baseline),
        variants_section(run, variants),
        _differences(differences(baseline, run)) if baseline else None,
        h("h2", "Cases", id="cases"),
        _filters(rows),
        [case_section(run, row, number) for number, row in enumerate(rows, start=1)],
        h("h2", "What was evaluated"),
        _facts(run),
    )
    return page(f"{flow}: evaluation {run.id}", body)


def _head(run: Run, flow: str, baseline: Run | None, notes: Sequence[str]) -> Markup:
    against = f", compared with run {baseline.id}" if baseline else ""
    return h(
        "header",
        h("h1", f"Evaluation of {flow}"),
        h("p", f"Run {run.id} on golden set {run.measured_on}, {run.created_at}{against}", class_="soft"),
        [h("p", note, class_="flag") for note in (*notes, *told_apart(run, baseline))],
        [h("p", line, class_="soft small") for line in told_of(run)],
        h("p", h("a", "Go to the cases", href="#cases"), class_="small skip"),
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


def _differences(found: Sequence[Difference]) -> list[Markup]:
    """What was not the same in settings, prompt, index, judges and code; words that changed are marked."""
    if not found:
        return [h("h2", "What was different"), h("p", "Settings, prompt, index, judges and code were the same.")]
    heads = [h("th", "what"), h("th", "baseline"), h("th", "this run")]
    lines = [h("tr", h("th", item.name, scope="row"), *_both(item)) for item in found]
    table = h("table", h("thead", h("tr", heads)), h("tbody", lines), class_="differences")
    return [h("h2", "What was different"), h("div", table, class_="scroll")]


def _both(item: Difference) -> list[Markup]:
    changed = word_changes(item.before, item.after) if " " in item.before and " " in item.after else None
    cells = []
    for text, spans, tag in zip((item.before, item.after), changed or ((), ()), ("del", "ins"), strict=True):
        cut = segments(text, [Span(start, end, tag) for start, end in spans])
        pieces: list[Child] = [h(tag, piece) if marks else piece for piece, marks in cut]
        cells.append(h("td", pieces or "–", class_="text mono"))
    return cells


def _filters(rows: Sequence[Row]) -> Markup:
    """The filter form; hidden until the script runs, so it never stands there without working."""
    kinds = sorted({row.result.case.kind for row in rows})
    tags = sorted({tag for row in rows for tag in row.result.case.tags})
    states = [state for state in STATES if any(row.state == state for row in rows)]
    lost = {row.result.failure.stage for row in rows if row.result.failure}
    stages = [stage for stage in STAGES if stage in lost]
    return h(
        "form",
        h("input", type="search", name="text", placeholder="Find in cases ( / )", aria_label="Find in cases"),
        _choice("state", "every outcome", [(state, STATES[state]) for state in states]),
        _choice("kind", "every kind", [(kind, kind) for kind in kinds]),
        _choice("tag", "every tag", [(tag, tag) for tag in tags]),
        _choice("stage", "lost anywhere", [(stage, STAGES[stage]) for stage in stages]) if stages else None,
        h("button", "Open all shown", type="button", id="open"),
        h("button", "Close all", type="button", id="close"),
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
