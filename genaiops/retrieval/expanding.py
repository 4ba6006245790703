"""A small chunk is good to find, more text around it is good to read: hits grow to exact spans of their documents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Literal, Protocol

from genaiops.indexing.snapshot import Index
from genaiops.records import Chunk
from genaiops.retrieval.searching import Candidate

Expand = Literal["none", "parent", "neighbours"]
Span = tuple[int, int]


class Window(Protocol):
    """The span of characters that a chunk grows to; it holds the chunk."""

    def __call__(self, index: Index, position: int) -> Span: ...


def parent(index: Index, position: int) -> Span:
    """The span in `metadata["parent"]`; the chunk itself where there is none, or none that holds it."""
    chunk = index.chunk(position)
    span = chunk.metadata.get("parent")
    if isinstance(span, (list, tuple)) and len(span) == 2 and all(type(number) is int for number in span):
        start, end = span
        if 0 <= start <= chunk.start and chunk.end <= end <= len(index.document_text(chunk.document_id)):
            return start, end
    return chunk.start, chunk.end


def neighbours(index: Index, position: int) -> Span:
    """From the chunk before to the chunk after, of the same document."""
    chunk = index.chunk(position)
    start, end = chunk.start, chunk.end
    for other in (position - 1, position + 1):
        if 0 <= other < len(index.chunks) and index.document_numbers[other] == index.document_numbers[position]:
            beside = index.chunk(other)
            start, end = min(start, beside.start), max(end, beside.end)
    return start, end


WINDOWS: dict[Expand, Window] = {"parent": parent, "neighbours": neighbours}


def expanded(index: Index, candidates: Iterable[Candidate], window: Window) -> Iterator[tuple[Candidate, Chunk]]:
    """Each candidate with the text it grows to, in order.

    A candidate that a better one's text holds already is left out. Where two texts would overlap, the worse one gives
    way up to its own chunk. So a hit does not depend on worse ones, and hardly a character is shown twice.
    """
    taken: dict[str, list[Span]] = {}
    for candidate in candidates:
        chunk = index.chunk(candidate.position)
        spans = taken.setdefault(chunk.document_id, [])
        if any(start <= chunk.start and chunk.end <= end for start, end in spans):
            continue
        start, end = window(index, candidate.position)
        for low, high in spans:
            if low < chunk.start:
                start = max(start, min(high, chunk.start))
            if high > chunk.end:
                end = min(end, max(low, chunk.end))
        spans.append((start, end))
        yield candidate, _grown(index, chunk, (start, end))


def _grown(index: Index, chunk: Chunk, span: Span) -> Chunk:
    """The text at `span`; `metadata["found"]` names the chunk of the index that was found."""
    if span == (chunk.start, chunk.end):
        return chunk
    start, end = span
    text = index.document_text(chunk.document_id)[start:end]
    found = {"chunk": chunk.id, "start": chunk.start, "end": chunk.end}
    metadata = {**chunk.metadata, "found": found}
    return replace(chunk, start=start, end=end, text=text, indexed_text=text, metadata=metadata)
