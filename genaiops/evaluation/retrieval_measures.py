"""Did retrieval find the evidence? Quotes of the golden set against the chunks that were retrieved.

Evidence is a quote in a document, never a chunk, so these measures compare flows that
cut their documents differently. `covers` says when a chunk covers a quote.

One chunk may cover two quotes, and two overlapping chunks the same one, so the hits
are no list of relevant and irrelevant ids. `recall@k`, `precision@k` and `mrr@k` do not
need one. `ndcg@k` and `map@k` do, and use the *expanded ranking* of the first k hits:
each hit is replaced by the quotes it is the first to cover, one entry each, or by one
irrelevant entry when it covers nothing new. On that list they are the ordinary nDCG
and average precision, and the ideal is all quotes of the case at the top: it never
shrinks to what was found, no quote counts twice, and the values stay in [0, 1].
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from genaiops.evaluation import ranking
from genaiops.evaluation.plain_measure import PlainMeasure
from genaiops.evaluation.records import Sample
from genaiops.records import Case, Chunk, Evidence, Hit, NotApplicable, Outcome, Score, Unscored

Covered = Sequence[frozenset[int]]  # for each of the first k hits: which quotes it covers, by their number


def covers(chunk: Chunk, evidence: Evidence) -> bool:
    """True when the chunk is of the quote's document and holds the quote, lies inside it, or has half of it.

    Half: the chunk's end is the quote's beginning, or its beginning the quote's end,
    for at least half of the quote's characters. So a quote that a cut runs through is
    covered by the larger part, and by both parts when they are equal.
    """
    text, quote = chunk.text, evidence.quote
    if chunk.document_id != evidence.document or not text.strip():
        return False
    if quote in text or text.strip() in quote:
        return True
    half = (len(quote) + 1) // 2
    sizes = range(half, min(len(quote), len(text)) + 1)
    return any(text.endswith(quote[:size]) or text.startswith(quote[-size:]) for size in sizes)


def expanded_ranking(covered: Covered) -> list[int]:
    """The quotes in the order in which the hits cover them; -1, -2, … for hits that cover nothing new."""
    entries: list[int] = []
    seen: set[int] = set()
    for position, quotes in enumerate(covered, start=1):
        new = sorted(quotes - seen)
        entries += new or [-position]
        seen |= quotes
    return entries


def _recall(covered: Covered, quotes: int, _: int) -> float:
    return len(frozenset[int]().union(*covered)) / quotes


def _precision(covered: Covered, _: int, k: int) -> float:
    return sum(bool(found) for found in covered) / k


def _mrr(covered: Covered, *_: int) -> float:
    return next((1 / rank for rank, found in enumerate(covered, start=1) if found), 0.0)


def _ndcg(covered: Covered, quotes: int, _: int) -> float:
    return ranking.ndcg(expanded_ranking(covered), range(quotes))


def _map(covered: Covered, quotes: int, _: int) -> float:
    return ranking.average_precision(expanded_ranking(covered), range(quotes))


# (what the hits cover, number of quotes, k) → value in [0, 1]
FORMULAS: dict[str, Callable[[Covered, int, int], float]] = {
    "recall": _recall,
    "precision": _precision,
    "mrr": _mrr,
    "ndcg": _ndcg,
    "map": _map,
}


@dataclass(frozen=True, slots=True)
class RetrievalMeasure(PlainMeasure):
    """One of FORMULAS over the first `k` hits, for cases that have evidence."""

    formula: str
    k: int

    def __str__(self) -> str:
        return f"{self.formula}@{self.k}"

    def not_applicable(self, case: Case) -> NotApplicable | None:
        return None if case.evidence else NotApplicable("the case has no evidence to find")

    def _one(self, sample: Sample) -> Outcome:
        if sample.case is None:
            return NotApplicable("no golden case says what the evidence is")
        if none := self.not_applicable(sample.case):
            return none
        hits = _retrieved(sample)
        if hits is None:
            return Unscored("the application did not say which documents its contexts come from", lacks="documents")
        evidence = sample.case.evidence
        covered = [
            frozenset(number for number, quote in enumerate(evidence) if covers(hit.chunk, quote))
            for hit in hits[: self.k]
        ]
        return Score(FORMULAS[self.formula](covered, len(evidence), self.k))


def _retrieved(sample: Sample) -> tuple[Hit, ...] | None:
    """The hits, best first; None when an application other than a flow did not report them with their documents."""
    answer = sample.response
    if answer is None or not all(hit.chunk.document_id for hit in answer.hits):
        return None
    if not answer.hits and not answer.index:
        return None
    return answer.hits
