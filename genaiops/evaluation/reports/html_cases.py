"""One case in the HTML report: question, answer, what it cited, what it saw, and every outcome."""

from __future__ import annotations

import json
from collections.abc import Iterable

from genaiops.evaluation.records import Run
from genaiops.evaluation.reports.markup import Child, Markup, h
from genaiops.evaluation.reports.rows import STATES, Row, in_unit_interval
from genaiops.evaluation.reports.text import number, signed
from genaiops.records import Answer, Hit, NotApplicable, Outcome, Unscored


def case_section(run: Run, row: Row) -> Markup:
    """The folded section of one case."""
    case = row.result.case
    title = h(
        "summary",
        h("span", STATES[row.state], class_=f"pill {row.state}"),
        h("span", case.question or case.id, class_="q"),
        h("span", case.kind, class_="pill"),
        [h("span", tag, class_="pill") for tag in case.tags],
    )
    inside = h(
        "div",
        h("p", f"Case {case.id}", class_="soft small"),
        h("h3", "Answer"),
        _answer(row),
        [h("h3", "Reference"), h("p", case.reference, class_="text")] if case.reference else None,
        _evidence(row),
        h("h3", "Outcomes"),
        _outcomes(run, row),
        _citations(row.result.answer),
        _hits(row),
        class_="inside",
    )
    tags = json.dumps(list(case.tags))
    return h("details", title, inside, class_="case", data_kind=case.kind, data_state=row.state, data_tags=tags)


def _answer(row: Row) -> Markup:
    answer = row.result.answer
    if answer is None:
        return h("p", row.result.error or "no answer", class_="text answer down")
    notes = row.result.verdicts.get("groundedness", ())
    weak = [(note.start, note.end, f"{note.label} ({note.value:.2f})") for note in notes if note.label != "supported"]
    parts = [
        h("span", text, class_="unsupported", title=label) if label else text for text, label in cut(answer.text, weak)
    ]
    failed = h("p", row.result.error, class_="text down") if row.result.error else None
    return h("div", h("p", parts or "(empty)", class_="text answer"), failed)


def cut(text: str, spans: Iterable[tuple[int, int, str]]) -> list[tuple[str, str]]:
    """`text` in pieces with the label of each, "" outside every span. Overlapping spans: the first one wins."""
    pieces: list[tuple[str, str]] = []
    done = 0
    for first, last, label in sorted(spans):
        start, end = max(done, first), min(last, len(text))
        if start >= end:
            continue
        pieces += [(text[done:start], ""), (text[start:end], label)]
        done = end
    pieces.append((text[done:], ""))
    return [piece for piece in pieces if piece[0]]


def _evidence(row: Row) -> list[Markup] | None:
    evidence = row.result.case.evidence
    if not evidence:
        return None
    items = [h("li", h("p", item.document, class_="mono soft"), h("p", item.quote, class_="text")) for item in evidence]
    return [h("h3", "Evidence wanted"), h("ol", items, class_="hits")]


def _outcomes(run: Run, row: Row) -> Markup:
    items = [
        h("div", h("dt", name), _outcome(run, row, name, outcome)) for name, outcome in row.result.outcomes.items()
    ]
    return h("dl", items, class_="outcomes") if items else h("p", "nothing was measured", class_="soft")


def _outcome(run: Run, row: Row, name: str, outcome: Outcome) -> Markup:
    if isinstance(outcome, Unscored):
        return h("dd", f"failed: {outcome.reason}", class_="flag")
    if isinstance(outcome, NotApplicable):
        return h("dd", f"n/a: {outcome.reason}", class_="soft")
    shown: Child = number(outcome.value, unit_interval=in_unit_interval(run, name))
    change = row.changes.get(name, 0.0)
    text = signed(change)
    if text == "±0":
        return h("dd", shown)
    return h("dd", shown, " ", h("span", text, class_="up" if change > 0 else "down"))


def _citations(answer: Answer | None) -> list[Markup] | None:
    if answer is None or not answer.citations:
        return None
    items = [
        h(
            "li",
            h("p", f"[{c.marker}] {c.document_id} {c.start}–{c.end}", class_="mono soft"),
            h("p", c.quote, class_="text"),
            class_="cited",
        )
        for c in answer.citations
    ]
    return [h("h3", "Citations"), h("ol", items, class_="hits")]


def _hits(row: Row) -> list[Markup] | None:
    answer = row.result.answer
    if answer is None or not answer.hits:
        return None
    return [h("h3", "Retrieved"), h("ol", [_hit(row, answer, hit) for hit in answer.hits], class_="hits")]


def _hit(row: Row, answer: Answer, hit: Hit) -> Markup:
    chunk = hit.chunk
    cited = [
        (c.start - chunk.start, c.end - chunk.start, "cited")
        for c in answer.citations
        if c.document_id == chunk.document_id and c.start < chunk.end and c.end > chunk.start
    ]
    wanted = [
        (found, found + len(item.quote), "evidence")
        for item in row.result.case.evidence
        if item.document == chunk.document_id and (found := chunk.text.find(item.quote)) >= 0 and item.quote
    ]
    pieces = [h("mark", text, title=label) if label else text for text, label in cut(chunk.text, [*cited, *wanted])]
    place = f"{hit.rank}. {chunk.document_id} {chunk.start}–{chunk.end}, score {number(hit.score, unit_interval=False)}"
    return h("li", h("p", place, class_="mono soft"), h("p", pieces, class_="text"), class_="cited" if cited else None)
