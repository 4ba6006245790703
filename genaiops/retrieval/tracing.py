"""Where retrieval ranked a chunk that did not become a hit: by each search alone, joined, and after every step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from genaiops.indexing.snapshot import Index
from genaiops.records import Query
from genaiops.retrieval.expanding import WINDOWS, Span
from genaiops.retrieval.fusion import DEPTH
from genaiops.retrieval.retrievers import StagedRetriever
from genaiops.retrieval.rewriting import searched_as
from genaiops.retrieval.searching import Asked, Candidate, FullTextLeg, HybridSearch, Search, VectorLeg

DEEPEST = 1000  # candidates that are looked at to tell how far away a chunk was


@dataclass(frozen=True, slots=True)
class Ranks:
    """Ranks of one chunk for one question, from 1; 0 where it is not among the candidates.

    `legs` are those of each search alone, looked at `DEEPEST` deep; `depth` is how deep a question looks. `steps` are
    `search` (both joined), then each step that the settings ask for. `allowed`: the filters let it be found.
    """

    legs: Mapping[str, int]
    steps: Mapping[str, int]
    depth: int
    allowed: bool = True


def ranks_of(
    retriever: StagedRetriever, query: Query, k: int, positions: Sequence[int], *, searched: str = ""
) -> dict[int, Ranks]:
    """The ranks of the chunks at `positions`, by position, for a question that takes `k` hits.

    `searched` is what a model made of the question when it was asked (Answer.searched): no model is called here.
    """
    as_searched = searched_as(query.text, searched, retriever.settings)
    asked = retriever.asked(query, as_searched)
    _, candidates = retriever.looked(query, k, as_searched)
    depth = max(DEPTH, len(candidates))
    legs = {name: _order(found) for name, found in _alone(retriever.search, asked).items()}
    steps = {name: _order(found) for name, found in retriever.steps(query.text, candidates)}
    steps["search"] = _order(_joined(retriever.search, asked, depth))  # also what lay too deep for the steps after it
    within = asked.within
    return {
        position: Ranks(
            {name: order.get(position, 0) for name, order in legs.items()},
            {name: order.get(position, 0) for name, order in steps.items()},
            depth,
            within is None or bool(within.mask[position]),
        )
        for position in positions
    }


def windows_of(retriever: StagedRetriever, positions: Sequence[int]) -> dict[int, Span]:
    """Position → the span of its document's text that the chunk there becomes as a hit, if it stands alone."""
    index, expand = retriever.index, retriever.settings.expand
    found = {}
    for position in positions:
        chunk = index.chunk(position)
        found[position] = (chunk.start, chunk.end) if expand == "none" else WINDOWS[expand](index, position)
    return found


def positions_by_document(index: Index) -> dict[str, range]:
    """Document id → the positions of its chunks, which lie together. Parses one chunk of each document."""
    numbers = index.document_numbers
    if not len(numbers):
        return {}
    starts = [0, *(np.flatnonzero(np.diff(numbers)) + 1).tolist(), len(numbers)]
    return {index.chunk(first).document_id: range(first, last) for first, last in pairwise(starts)}


def _joined(search: Search, asked: Asked, depth: int) -> list[Candidate]:
    """Everything the search looked at, best first."""
    if isinstance(search, HybridSearch):
        return search.fused(*search.legs(asked, depth), search.weight)
    return search.candidates(asked, depth)


def _alone(search: Search, asked: Asked) -> dict[str, list[Candidate]]:
    if isinstance(search, HybridSearch):
        return {
            "vector": search.vector.candidates(asked, DEEPEST),
            "full_text": search.full_text.candidates(asked, DEEPEST),
        }
    name = "vector" if isinstance(search, VectorLeg) else "full_text" if isinstance(search, FullTextLeg) else "search"
    return {name: search.candidates(asked, DEEPEST)}


def _order(candidates: Sequence[Candidate]) -> dict[int, int]:
    return {candidate.position: rank for rank, candidate in enumerate(candidates, start=1)}
