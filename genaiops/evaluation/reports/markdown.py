"""The report for a pull request or a step's summary: GitHub's Markdown, where nothing from data is live."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

from genaiops.display import counted, one_line
from genaiops.evaluation.records import Run
from genaiops.evaluation.reports.changes import Change, changes, told_apart
from genaiops.evaluation.reports.circumstances import told_of
from genaiops.evaluation.reports.comparison import differences
from genaiops.evaluation.reports.judges import judge_lines
from genaiops.evaluation.reports.rows import NOTICEABLE, STATES, Row, in_unit_interval, rows_of
from genaiops.evaluation.reports.text import ends, number, share, signed
from genaiops.evaluation.waterfall import STAGES, waterfall
from genaiops.records import Summary, Verdict

COMMENT = 60_000  # bytes; GitHub refuses comments above 64 KB
STEP_SUMMARY = 1_000_000  # bytes; GitHub drops a step's summary above 1 MiB, the whole of it
DIFFERENCES = 30  # shown; the HTML and JSON reports have them all
CASES_IN_COMMENT = 20  # more, and nobody reads the first
# Everything that could begin or end something in Markdown or HTML, as entities: shown as itself, live as nothing.
# ":" keeps `::error::` from being a workflow command and a bare URL from becoming a link; "@" and "#" mention nobody.
_LIVE = re.compile(r"[\\`*_{}\[\]()<>#+!|~&:@$=^\"'-]|(?i:www)(?=\.)|(?<=\d)\.(?=\s|$)")
MARKER = "<!-- genaiops report -->"  # lets CI find its own comment and replace it


def plain(text: object, limit: int = 200) -> str:
    """Text from data on one line, cut after `limit` characters, with every live character as an entity."""
    line = one_line(text, limit) or "(empty)"  # nothing at all would change the shape of a list or table
    return _LIVE.sub(lambda match: "".join(f"&#{ord(c)};" for c in match.group()), line)


def markdown_report(
    run: Run,
    *,
    baseline: Run | None = None,
    verdict: Verdict | None = None,
    notes: Sequence[str] = (),
    limit: int = COMMENT,
) -> str:
    """The run for people who review a change: verdict, measures, what was different, the cases to look at, worst first.

    At most `limit` bytes, COMMENT or STEP_SUMMARY; a comment shows CASES_IN_COMMENT cases at most.
    With a baseline each measure has its change, and each case both answers.
    """
    head = [MARKER, f"## Evaluation of {plain(run.subject.flow or 'an application')}", ""]
    head += _verdict(verdict)
    against = f", compared with run {plain(baseline.id)}" if baseline else ""
    head += [f"{counted(len(run.results), 'case')} of golden set {plain(run.measured_on)}{against}.", ""]
    head += [f"- {plain(note, 400)}" for note in (*notes, *told_apart(run, baseline), *told_of(run))]
    head += [*_measures(run, changes(run, baseline) if baseline else None), *_lost(run)]
    tail = ["", f"Run {plain(run.id)}, {plain(run.created_at)}.", ""]
    shown = CASES_IN_COMMENT if limit <= COMMENT else len(run.results)
    blocks = chain(_differences(run, baseline) if baseline else (), _cases(run, baseline, shown))
    return _within(limit, head, blocks, tail)


def _within(limit: int, head: Sequence[str], blocks: Iterable[str], tail: Sequence[str]) -> str:
    """As many whole blocks as fit; if the head alone is too long, as many of its whole lines as fit.

    Blocks that no longer fit are not even made.
    """
    lines: list[str] = []
    budget = limit - _size(tail)
    for block in chain(head, blocks):
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


def _measures(run: Run, changed: Mapping[str, Change] | None) -> list[str]:
    if not run.summaries:
        return ["This run has no measures."]
    heads = ["measure", "value", f"{share(run.confidence)} interval", "coverage", "scored", "failed", "n/a"]
    rules = ["---", "--:", ":-:", "--:", "--:", "--:", "--:"]
    if changed is not None:
        heads, rules = [*heads, "change", ""], [*rules, "--:", "---"]
    lines = [_measure(run, summary, changed) for summary in run.summaries]
    known = [
        f"- judge of {plain(name)}: {plain(line, 400)}" for name, line in judge_lines(run, compared=changed is not None)
    ]
    return [_line(heads), f"|{'|'.join(rules)}|", *lines, *(["", *known] if known else [])]


def _measure(run: Run, summary: Summary, changed: Mapping[str, Change] | None) -> str:
    unit = in_unit_interval(run, summary.measure)
    cells = [
        plain(summary.measure),
        number(summary.mean, unit_interval=unit),
        "–" if summary.mean is None else ends(summary.low, summary.high, unit_interval=unit),
        share(summary.coverage) if summary.scored + summary.unscored else "–",
        summary.scored,
        summary.unscored,
        summary.not_applicable,
    ]
    if changed is not None:
        found = changed.get(summary.measure)
        word = found.word if found else "not measured in both"
        cells += [str(found) if found else "–", f"{word}, {found.pairs} pairs" if found and found.pairs else word]
    return _line(cells)


def _line(cells: Iterable[object]) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def _lost(run: Run) -> list[str]:
    """Where wrong answers were lost, in one line."""
    found = [f"{count:,} {STAGES[stage]}" for stage, count in waterfall(run).items()]
    return ["", f"Where answers were lost: {', '.join(found)}."] if found else []


def _differences(run: Run, baseline: Run) -> list[str]:
    found = differences(baseline, run)
    if not found:
        return []
    lines = [f"- {plain(d.name, 80)}: {plain(d.before)} → {plain(d.after)}" for d in found[:DIFFERENCES]]
    more = f", the first {DIFFERENCES}" if len(found) > DIFFERENCES else ""
    return ["", f"### What was different ({len(found)}{more})", "", *lines]


def _cases(run: Run, baseline: Run | None, most: int) -> Iterator[str]:
    """One block for each case to look at; none when all are good."""
    notable = [row for row in rows_of(run, baseline) if row.state not in ("good", "improved")]
    if not notable:
        return
    shown = notable[:most]
    more = f", the first {len(shown)}" if len(shown) < len(notable) else ""
    yield from ("", f"### Cases to look at ({len(notable)}{more})", "")
    yield from map(_case, shown)


def _case(row: Row) -> str:
    result, before = row.result, row.before
    fell = [(name, row.changes[name]) for name, gain in row.gains.items() if gain <= -NOTICEABLE]
    told = [f"{plain(name, 60)} {signed(change)}" for name, change in fell]
    told += [f"{plain(name, 60)} {number(value)}" for name, value in row.weak.items()]
    told += [f"{plain(name, 60)} failed: {plain(reason)}" for name, reason in row.unscored.items()]
    if result.failure is not None:
        told.append(f"{STAGES[result.failure.stage]}: {plain(result.failure.detail, 300)}")
    said = f"error: {plain(result.error, 300)}" if result.answer is None else plain(result.answer.text, 300)
    lines = [f"- **{plain(result.case.question)}** ({STATES[row.state]}; case {plain(result.case.id, 80)})"]
    if before is not None and before.answer is not None and row.state == "regressed":
        lines.append(f"  - before: {plain(before.answer.text, 300)}")
        said = f"now: {said}"
    return "\n".join([*lines, f"  - {said}", *(f"  - {item}" for item in told)])
