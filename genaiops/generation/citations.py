"""Citation markers `[n]` in a text become spans of documents."""

from __future__ import annotations

import re
from collections.abc import Sequence

from genaiops.records import Citation, Hit

_MARKER = re.compile(r"\[(\d{1,3})\]")


def cite_markers(text: str, hits: Sequence[Hit]) -> tuple[Citation, ...]:
    """A citation for each different marker `[n]` that names a hit (`n` from 1), in order of appearance.

    A model points at whole passages, so the span is the whole chunk. Markers that
    name no hit are left out: a citation nobody can follow is not one.
    """
    numbers = dict.fromkeys(int(found) for found in _MARKER.findall(text))
    return tuple(
        sentence_citation(n, hits[n - 1], 0, len(hits[n - 1].chunk.text)) for n in numbers if 1 <= n <= len(hits)
    )


def sentence_citation(marker: int, hit: Hit, start: int, end: int) -> Citation:
    """The citation of characters `[start, end)` of a hit's chunk, as a span of its document."""
    chunk = hit.chunk
    return Citation(marker, chunk.id, chunk.document_id, chunk.start + start, chunk.start + end, chunk.text[start:end])
