"""One case in the HTML report: question, answer, what it cited, what it saw, and every outcome."""

from __future__ import annotations

import json

from genaiops.evaluation.records import Failure, Run
from genaiops.evaluation.reports.circumstances import spread_of, told_of_case
from genaiops.evaluation.reports.html_answers import Pair, answers_of, cited_in, context_of, held_against, pairs_of
from genaiops.evaluation.reports.markup import Child, Markup, h
from genaiops.evaluation.reports.rows import STATES, Row, in_unit_interval
from genaiops.evaluation.reports.text import number, signed
from genaiops.evaluation.waterfall import STAGES
from genaiops.records import Answer, NotApplicable, Outcome, Unscored


def case_section(run: Run, row: Row, number_of_case: int) -> Markup:
    """The folded section of one case; its number (from 1) is what ids in the page are made of."""
    case, failure = row.result.case, row.result.failure
    place = f"c{number_of_case}"
    pairs = pairs_of(row)
    title = h(
        "summary",
        h("span", STATES[row.state], class_=f"pill {row.state}"),
        h("span", case.question or case.id, class_="q"),
        h("span", STAGES[failure.stage], class_="pill stage") if failure else None,
        h("span", case.kind, class_="pill"),
        [h("span", tag, class_="pill") for tag in case.tags],
    )
    inside = h(
        "div",
        h("p", f"Case {case.id}", class_="soft small"),
        h("p", told, class_="soft small") if (told := told_of_case(row.result)) else None,
        _failure(failure) if failure else None,
        answers_of(row, place, pairs),
        _legend(row, pairs),
        held_against(row, pairs, place),
        [h("h3", "Reference"), h("p", case.reference, class_="text")] if case.reference else None,
        _wanted(row),
        h("h3", "Outcomes"),
        _outcomes(run, row),
        _citations(row.result.answer),
        _hits(row, place, pairs),
        class_="inside",
    )
    return h(
        "details",
        title,
        inside,
        class_="case",
        id=place,
        data_kind=case.kind,
        data_state=row.state,
        data_stage=failure.stage if failure else "",
        data_tags=json.dumps(list(case.tags)),
    )


def _failure(failure: Failure) -> Markup:
    what = h("p", h("strong", STAGES[failure.stage]), f": {failure.detail}" if failure.detail else None)
    return h("div", what, h("p", f"To turn: {failure.knob}") if failure.knob else None, class_="failure")


def _legend(row: Row, pairs: list[Pair]) -> Markup | None:
    """What the marks mean, for the marks that are there."""
    labels = dict.fromkeys(pair.said.label for pair in pairs)
    if not labels:
        return None
    shown = [[h("span", label, class_=f"said {label}"), " "] for label in labels]
    text = f"Sentences as judged by {row.told[0]}; a number leads to the passage each was held against."
    return h("p", shown, text, class_="soft small legend")


def _wanted(row: Row) -> list[Markup] | None:
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
    spread = spread_of(row.result, name, unit_interval=in_unit_interval(run, name))
    text = signed(row.changes.get(name, 0.0))
    return h(
        "dd",
        shown,
        [" ", h("span", f"({spread})", class_="soft")] if spread else None,
        [" ", h("span", text, class_="up" if row.gains[name] > 0 else "down")] if text != "±0" else None,
    )


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


def _hits(row: Row, place: str, pairs: list[Pair]) -> list[Markup] | None:
    answer = row.result.answer
    if answer is None or not answer.hits:
        return None
    items = []
    for position, hit in enumerate(answer.hits):
        chunk = hit.chunk
        where = f"{hit.rank}. {chunk.document_id} {chunk.start}–{chunk.end}, score"
        text = h("p", context_of(row, position, place, pairs), class_="text")
        head = h("p", f"{where} {number(hit.score, unit_interval=False)}", class_="mono soft")
        items.append(h("li", head, text, class_="cited" if cited_in(answer, chunk) else None))
    return [h("h3", "Retrieved"), h("ol", items, class_="hits")]
