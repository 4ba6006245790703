"""The report as a comment on a pull request: GitHub's Markdown, where nothing from data is live, within 60 KB."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from genaiops.evaluation.records import Run
from genaiops.evaluation.reports.rows import STATES, Row, in_unit_interval, rows_of
from genaiops.evaluation.reports.text import number, one_line, share
from genaiops.records import Summary, Verdict

LIMIT = 60_000  # bytes; GitHub refuses comments above 64 KB
SHOWN_CASES = 20
# Everything that could begin or end something in Markdown or HTML, as entities: shown as itself, live as nothing.
# ":" keeps `::error::` from being a workflow command and a bare URL from becoming a link; "@" and "#" mention nobody.
_LIVE = re.compile(r"[\\`*_{}\[\]()<>#+!|~&:@$=^\"'-]|(?i:www)(?=\.)|(?<=\d)\.(?=\s|$)")
MARKER = "<!-- genaiops report -->"  # lets CI find its own comment and replace it


def plain(text: object, limit: int = 200) -> str:
    """Text from data on one line, cut after `limit` characters, with every live character as an entity."""
    line = one_line(text, limit) or "(empty)"  # nothing at all would change the shape of a list or table
    return _LIVE.sub(lambda match: "".join(f"&#{ord(c)};" for c in match.group()), line)


def markdown_report(run: Run, *, verdict: Verdict | None = None) -> str:
    """The run for people who review a change: verdict, measures, the cases to look at. At most 60 KB."""
    head = [MARKER, f"## Evaluation of {plain(run.subject.flow or 'an application')}", ""]
    head += _verdict(verdict)
    head += [f"{len(run.results):,} cases of golden set {plain(run.golden_set)}.", "", *_measures(run)]
    tail = ["", f"Run {plain(run.id)}, {plain(run.created_at)}.", ""]
    return _within(LIMIT, head, _cases(run), tail)


def _within(limit: int, head: Sequence[str], blocks: Sequence[str], tail: Sequence[str]) -> str:
    """As many whole blocks as fit; if the head alone is too long, as many of its whole lines as fit."""
    lines: list[str] = []
    budget = limit - _size(tail)
    for block in (*head, *blocks):
        budget -= _size([block])
        if budget < 0:
            break
        lines.append(block)
    return "\n".join([*lines, *tail])


def _size(lines: Iterable[str]) -> int:
    return sum(len(line.encode()) + 1 for line in lines)


def _verdict(verdict: Verdict | None) -> list[str]:
    if verdict is None:
        return []
    reasons = [f"- {plain(reason, 400)}" for reason in verdict.reasons]
    return [f"**Verdict: {plain(verdict.verdict)}**", "", *reasons, ""]


def _measures(run: Run) -> list[str]:
    if not run.summaries:
        return ["This run has no measures."]
    head = f"| measure | value | {share(run.confidence)} interval | coverage | scored | failed | n/a |"
    return [head, "|---|--:|:-:|--:|--:|--:|--:|", *(_measure(run, summary) for summary in run.summaries)]


def _measure(run: Run, summary: Summary) -> str:
    unit = in_unit_interval(run, summary.measure)
    low, high = (number(end, unit_interval=unit) for end in (summary.low, summary.high))
    cells = [
        plain(summary.measure),
        number(summary.mean, unit_interval=unit),
        f"{low} to {high}" if summary.low is not None else "–",
        share(summary.coverage) if summary.scored + summary.unscored else "–",
        summary.scored,
        summary.unscored,
        summary.not_applicable,
    ]
    return f"| {' | '.join(map(str, cells))} |"


def _cases(run: Run) -> list[str]:
    """One block for each case to look at; none when all are good."""
    notable = [row for row in rows_of(run) if row.state not in ("good", "improved")]
    if not notable:
        return []
    shown = notable[:SHOWN_CASES]
    more = f", the first {len(shown)}" if len(shown) < len(notable) else ""
    return ["", f"### Cases to look at ({len(notable)}{more})", "", *(_case(row) for row in shown)]


def _case(row: Row) -> str:
    result = row.result
    weak = [f"{plain(name, 60)} {number(value)}" for name, value in row.weak.items()]
    failed = [f"{plain(name, 60)} failed: {plain(reason)}" for name, reason in row.unscored.items()]
    said = f"error: {plain(result.error, 300)}" if result.answer is None else plain(result.answer.text, 300)
    lines = [
        f"- **{plain(result.case.question)}** ({STATES[row.state]}; case {plain(result.case.id, 80)})",
        f"  - {said}",
    ]
    return "\n".join([*lines, *(f"  - {item}" for item in (*weak, *failed))])
