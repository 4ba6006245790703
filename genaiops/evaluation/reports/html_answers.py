"""An answer in the HTML report: each sentence tied to its evidence, and words that changed since the baseline."""

from __future__ import annotations

from dataclasses import dataclass

from genaiops.evaluation.records import CaseResult, SentenceVerdict
from genaiops.evaluation.reports.markup import Child, Markup, h
from genaiops.evaluation.reports.rows import Row
from genaiops.evaluation.reports.spans import Span, segments, word_changes
from genaiops.records import Answer, Chunk, Citation


@dataclass(frozen=True, slots=True)
class Pair:
    """A sentence of the answer and the evidence its judge names, under one number of the case (from 1)."""

    number: int
    said: SentenceVerdict
    has_evidence: bool

    @property
    def words(self) -> str:
        return f"{self.said.label} ({self.said.value:.2f})"


def pairs_of(row: Row) -> list[Pair]:
    """The sentences of the answer that a judge spoke of, in their order."""
    answer = row.result.answer
    if answer is None:
        return []
    _, verdicts = row.told
    ordered = sorted(verdicts, key=lambda said: (said.start, said.end))
    return [Pair(n, said, _has_evidence(answer, said)) for n, said in enumerate(ordered, start=1)]


def _has_evidence(answer: Answer, said: SentenceVerdict) -> bool:
    if not 0 <= said.context < len(answer.hits):
        return False
    return 0 <= said.evidence_start < min(said.evidence_end, len(answer.hits[said.context].chunk.text))


def answers_of(row: Row, place: str, pairs: list[Pair]) -> Markup:
    """The answer, and the baseline's beside it where it said something else. `place` begins the ids of this case."""
    before = row.before
    if before is None:
        return h("div", h("h3", "Answer"), _answer(row.result, place, pairs, []))
    if _text(before) == _text(row.result):
        return h("div", h("h3", "Answer, the same as the baseline's"), _answer(row.result, place, pairs, []))
    changed = word_changes(_text(before), _text(row.result))
    gone, new = changed or ([], [])
    note = None if changed else h("p", "Another answer: hardly a word is the same.", class_="soft small")
    return h(
        "div",
        h("section", h("h3", "Baseline's answer"), _answer(before, "", [], gone, tag="del")),
        h("section", h("h3", "Answer"), _answer(row.result, place, pairs, new)),
        note,
        class_="sides",
    )


def _text(result: CaseResult) -> str:
    return result.answer.text if result.answer is not None else ""


Mark = Pair | str


def _answer(
    result: CaseResult, place: str, pairs: list[Pair], changed: list[tuple[int, int]], *, tag: str = "ins"
) -> Markup:
    failed = h("p", result.error, class_="text down") if result.error else None
    if result.answer is None:
        return h("p", result.error or "no answer", class_="text answer down")
    text = result.answer.text
    marks: list[Span[Mark]] = [Span(pair.said.start, pair.said.end, pair) for pair in pairs]
    marks += [Span(start, end, tag) for start, end in changed]
    pieces: list[Child] = []
    begun: set[int] = set()
    cut = segments(text, marks)
    for position, (piece, found) in enumerate(cut):
        words: Child = h(tag, piece) if tag in found else piece
        pair = next((mark for mark in found if isinstance(mark, Pair)), None)
        if pair is None:
            pieces.append(words)
            continue
        following = cut[position + 1][1] if position + 1 < len(cut) else ()
        pieces.append(_sentence(pair, words, place, first=pair.number not in begun))
        begun.add(pair.number)
        if pair.has_evidence and pair not in following:
            pieces.append(_reference(f"{place}-e{pair.number}", pair.number, f"evidence, {pair.words}"))
    return h("div", h("p", pieces or "(empty)", class_="text answer"), failed)


def _sentence(pair: Pair, words: Child, place: str, *, first: bool) -> Markup:
    return h(
        "span",
        words,
        class_=f"said {pair.said.label}",
        title=pair.words,
        id=f"{place}-s{pair.number}" if first else None,
        data_pair=pair.number,
    )


def _reference(target: str, number: int, spoken: str) -> Markup:
    """A small number that leads to the other half of a pair. The target is made of our own counts alone."""
    return h("a", number, href=f"#{target}", class_="ref", data_pair=number, aria_label=f"{number}: {spoken}")


def held_against(row: Row, pairs: list[Pair], place: str) -> Markup | None:
    """Every sentence that is not supported, with the passage nearest to it below: the pair at one glance."""
    answer = row.result.answer
    weak = [pair for pair in pairs if pair.said.label != "supported"]
    if answer is None or not weak:
        return None
    items = []
    for pair in weak:
        said = pair.said
        lines: list[Child] = [
            h("p", h("span", pair.words, class_=f"label {said.label}"), " ", answer.text[said.start : said.end])
        ]
        if pair.has_evidence:
            chunk = answer.hits[said.context].chunk
            quote = chunk.text[said.evidence_start : said.evidence_end]
            where = h("span", f"nearest passage, {chunk.document_id}: ", class_="soft")
            lines.append(h("p", where, quote, " ", _reference(f"{place}-e{pair.number}", pair.number, "the passage")))
        else:
            lines.append(h("p", "no passage comes near", class_="soft"))
        items.append(h("li", lines))
    return h("ul", items, class_="against small")


def cited_in(answer: Answer, chunk: Chunk) -> list[Citation]:
    """The citations whose span reaches into a chunk."""
    return [
        c
        for c in answer.citations
        if c.document_id == chunk.document_id and c.start < chunk.end and c.end > chunk.start
    ]


def context_of(row: Row, position: int, place: str, pairs: list[Pair]) -> list[Child]:
    """The text of hit number `position` (from 0), with what was cited, wanted, and named as evidence of a sentence."""
    answer = row.result.answer
    assert answer is not None
    chunk = answer.hits[position].chunk
    marks: list[Span[Mark]] = [
        Span(c.start - chunk.start, c.end - chunk.start, "cited") for c in cited_in(answer, chunk)
    ]
    marks += [
        Span(found, found + len(item.quote), "evidence wanted")
        for item in row.result.case.evidence
        if item.document == chunk.document_id and item.quote and (found := chunk.text.find(item.quote)) >= 0
    ]
    marks += [
        Span(pair.said.evidence_start, pair.said.evidence_end, pair)
        for pair in pairs
        if pair.has_evidence and pair.said.context == position
    ]
    pieces: list[Child] = []
    begun: set[int] = set()
    cut = segments(chunk.text, marks)
    for index, (piece, on_it) in enumerate(cut):
        if not on_it:
            pieces.append(piece)
            continue
        following = cut[index + 1][1] if index + 1 < len(cut) else ()
        pieces += _evidence(piece, on_it, following, place, begun)
    return pieces


def _evidence(
    piece: str, marks: tuple[Mark, ...], following: tuple[Mark, ...], place: str, begun: set[int]
) -> list[Child]:
    words = [mark for mark in marks if isinstance(mark, str)]
    paired = [mark for mark in marks if isinstance(mark, Pair)]
    told = [*dict.fromkeys(words), *(f"evidence of sentence {pair.number}: {pair.words}" for pair in paired)]
    # Places to go to stand before the mark, each of its own: one piece may be evidence of several sentences.
    places = [h("span", id=f"{place}-e{pair.number}") for pair in paired if pair.number not in begun]
    begun.update(pair.number for pair in paired)
    worst = min((("contradicted", "unsupported", "supported").index(pair.said.label) for pair in paired), default=None)
    label = "" if worst is None else f"ev {('contradicted', 'unsupported', 'supported')[worst]}"
    mark = h(
        "mark",
        piece,
        title="; ".join(told),
        class_=label or None,
        data_pair=" ".join(str(pair.number) for pair in paired) or None,
    )
    references = [
        _reference(f"{place}-s{pair.number}", pair.number, "the sentence it was held against")
        for pair in paired
        if pair not in following
    ]
    return [*places, mark, *references]
