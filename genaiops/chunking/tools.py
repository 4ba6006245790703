"""What a strategy or an enricher may need from outside, as plain callables; and the shape of both."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from genaiops.records import Chunk, Document, Message, Metadata

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LACKS = "not_enriched"  # metadata key: the enrichers whose model failed for this chunk
Embed = Callable[[Sequence[str]], "NDArray[np.float32]"]  # texts → unit vectors, float32 [len(texts), dimension]
TokenSpans = Callable[[str], Sequence[tuple[int, int]]]  # a text → the span of each of its tokens, in order
Complete = Callable[[Sequence[Message]], str]  # messages → what the model says; raises ModelError


class TextCache(Protocol):
    """Keeps what a model wrote, by the content it was asked about."""

    def get(self, key: str) -> str | None: ...

    def put(self, key: str, document_id: str, text: str) -> None:
        """Remember `text`; `document_id` says whose content it was made from, so that it can be forgotten."""
        ...


@dataclass(frozen=True, slots=True)
class Tools:
    """What flows pass in. `model` names the model behind `complete`; `strict` makes its failures errors."""

    embed: Embed | None = None
    token_spans: TokenSpans | None = None
    complete: Complete | None = None
    model: str = ""
    cache: TextCache | None = None
    strict: bool = False


class Piece(NamedTuple):
    """The span `[start, end)` of a chunk to be, and what its strategy knows about it."""

    start: int
    end: int
    metadata: Metadata = MappingProxyType({})


class Strategy(Protocol):
    """Cuts a text into pieces, in order, that together hold all of it but white space."""

    def pieces(self, text: str) -> list[Piece]: ...


class Chunker(Protocol):
    """Cuts a document into chunks, in order, that together hold all of its text but white space."""

    def chunk(self, document: Document) -> list[Chunk]: ...


@dataclass(frozen=True, slots=True)
class Addition:
    """What an enricher adds to one chunk: `before` goes on lines of its own before the text that is searched."""

    before: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)


class Enricher(Protocol):
    """Says what is to be added to each chunk of a document; `chunks` are in order of their start."""

    def additions(self, document: Document, chunks: Sequence[Chunk]) -> list[Addition]: ...
