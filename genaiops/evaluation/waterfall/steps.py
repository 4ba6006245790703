"""One quote followed from its source to the prompt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from genaiops.evaluation.records import Failure, Stage
from genaiops.evaluation.waterfall.trace import Passage, Standing, Trace
from genaiops.records import Answer, Evidence, Hit

_NAMES = {"vector": "the vector search", "full_text": "the full-text search", "search": "the search"}


@dataclass(frozen=True, slots=True)
class Step:
    """What became of the needed text at one stage. `held` is None where it cannot be told; `knob` names a setting."""

    stage: Stage
    held: bool | None
    detail: str
    knob: str = ""

    @property
    def failure(self) -> Failure:
        return Failure(self.stage, self.detail, self.knob)


def steps_of_quote(evidence: Evidence, answer: Answer, trace: Trace | None) -> Iterator[Step]:
    """The stages from the corpus to the prompt, up to the first that lost the quote.

    Without a trace only the hits are known: a quote that is in none of them was lost somewhere before.
    """
    if trace is None:
        yield _in_hits(evidence, answer.hits)
        return
    text = trace.text(evidence.document)
    spans = _occurrences(text, evidence.quote)
    if text is None or not spans:
        failure = trace.lost(evidence)
        if failure.stage == "parser":
            yield Step("corpus", True, f"the source of {evidence.document} holds the quote")
        yield Step(failure.stage, False, failure.detail, failure.knob)
        return
    start, end = spans[0]
    yield Step("corpus", True, f"{evidence.document} holds the quote")
    yield Step("parser", True, f"characters {start}-{end} of the clean text")
    retrieved = in_context(evidence, answer.hits, text, spans)
    passages = trace.passages(evidence.document)
    whole = [p for p in passages if any(p.start <= start and end <= p.end for start, end in spans)]
    if whole or retrieved:
        several = "" if whole else "no chunk holds it whole, but the hits do together"
        yield Step("chunker", True, several or f"{len(whole)} of {len(passages)} chunks hold it whole")
    else:
        yield _split(evidence, spans, passages)
        return
    if not retrieved:
        yield from _not_retrieved(trace.standing(answer, whole))
        return
    yield Step("retrieval", True, "found")
    yield Step("ranking", True, _place(evidence, answer.hits))
    yield _in_prompt(evidence, answer, trace, text, spans)


def in_context(evidence: Evidence, hits: Sequence[Hit], text: str, spans: Sequence[tuple[int, int]]) -> bool:
    """Whether some hit holds the quote word for word, or hits of its document cover it together.

    Between two hits only white space may be missing: chunks are cut without it.
    """
    if any(evidence.quote in hit.chunk.text for hit in hits):
        return True
    chunks = [hit.chunk for hit in hits if hit.chunk.document_id == evidence.document]
    pieces = sorted((chunk.start, chunk.end) for chunk in chunks if text[chunk.start : chunk.end] == chunk.text)
    return any(_covered(text, start, end, pieces) for start, end in spans)


def _covered(text: str, start: int, end: int, pieces: Sequence[tuple[int, int]]) -> bool:
    reached = start
    for low, high in pieces:
        if high <= reached or low >= end:
            continue
        if text[reached : max(low, reached)].strip():
            return False
        reached = high
    return not text[reached:end].strip()


def _occurrences(text: str | None, quote: str) -> list[tuple[int, int]]:
    found, at = list[tuple[int, int]](), -1
    while text is not None and (at := text.find(quote, at + 1)) >= 0:
        found.append((at, at + len(quote)))
    return found


def _in_hits(evidence: Evidence, hits: Sequence[Hit]) -> Step:
    if any(evidence.quote in hit.chunk.text for hit in hits):
        return Step("retrieval", True, "a context holds the quote")
    if not hits:
        return Step("unknown", False, "the application does not say which contexts it used", "return contexts")
    return Step(
        "retrieval", False, f"none of {len(hits)} contexts holds the quote; what lost it before cannot be told here",
        "the application's retrieval",
    )  # fmt: skip


def _split(evidence: Evidence, spans: Sequence[tuple[int, int]], passages: Sequence[Passage]) -> Step:
    start, end = spans[0]
    parts = [p for p in passages if p.start < end and p.end > start]
    long = max((p.end - p.start for p in passages), default=0)
    knob = "chunking.size" if len(evidence.quote) > 0.5 * long else "chunking.overlap"
    detail = f"the quote has {end - start} characters and is spread over {len(parts)} chunks; none holds it whole"
    return Step("chunker", False, detail, f"{knob} (or retrieval.expand: neighbours)")


def _not_retrieved(standing: Standing) -> Iterator[Step]:
    """Which of retrieval, ranking and later cuts lost a passage that is in no hit."""
    if not standing.allowed:
        yield Step("retrieval", False, "a filter keeps its chunk from being found", "retrieval.where")
        return
    alone = ", ".join(
        f"{_NAMES.get(name, name)} ranks it {rank}" if rank else f"{_NAMES.get(name, name)} does not find it"
        for name, rank in standing.legs.items()
    )
    if not standing.search:
        detail = f"its chunk is not among the first {standing.depth} of any search: {alone}"
        yield Step("retrieval", False, detail, "retrieval.search, embedding.model, enrichment")
        return
    yield Step("retrieval", True, alone)
    if standing.search > standing.wanted:
        after = "".join(f", {name} {rank or 'drops it'}" for name, rank in standing.steps.items())
        detail = f"rank {standing.search} for {standing.wanted} hits ({alone}{after})"
        yield Step("ranking", False, detail, _ranking_knob(standing))
        return
    yield Step("ranking", True, f"rank {standing.search} of the search")
    cut = next(
        (name for name, rank in standing.steps.items() if not 0 < rank <= standing.wanted),
        "expand",
    )
    place = standing.steps.get(cut, 0)
    became = f"put it at rank {place}" if place else "took it out"
    detail = f"the search ranked it {standing.search} of {standing.wanted} wanted, then retrieval.{cut} {became}"
    yield Step("budget", False, detail, f"retrieval.{cut}")


def _ranking_knob(standing: Standing) -> str:
    good = [name for name, rank in standing.legs.items() if 0 < rank <= standing.wanted]
    if len(standing.legs) > 1 and good:
        return f"retrieval.vector_weight (the {good[0].replace('_', '-')} search alone would have taken it)"
    if standing.search <= 4 * standing.wanted:
        return f"retrieval.top_k (at least {standing.search})"
    return "retrieval.rerank"


def _place(evidence: Evidence, hits: Sequence[Hit]) -> str:
    rank = next((hit.rank for hit in hits if evidence.quote in hit.chunk.text), 0)
    return f"hit {rank} of {len(hits)}" if rank else f"several of {len(hits)} hits hold it together"


def _in_prompt(evidence: Evidence, answer: Answer, trace: Trace, text: str, spans: Sequence[tuple[int, int]]) -> Step:
    shown = trace.shown(answer)
    if in_context(evidence, shown, text, spans):
        return Step("budget", True, f"{len(shown)} of {len(answer.hits)} hits reached the prompt")
    detail = f"retrieved, but only {len(shown)} of {len(answer.hits)} hits reached the prompt"
    return Step("budget", False, detail, "prompt")
