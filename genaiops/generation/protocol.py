"""What every generator takes and gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from genaiops.records import Citation, Hit, Message, Metadata, Query, Usage

Emit = Callable[[str], None]


def discard(piece: str) -> None:
    """The default `emit`: nobody listens."""


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """One question with the hits it may be answered from.

    `messages` is the rendered prompt; `options` are the prompt file's model options.
    """

    query: Query
    hits: tuple[Hit, ...]
    messages: tuple[Message, ...]
    options: Metadata = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Generation:
    """The text, its citations into the hits, and what it took."""

    text: str
    refused: bool
    citations: tuple[Citation, ...]
    usage: Usage
    model: str
    finish_reason: str = "stop"


class Generator(Protocol):
    """Answers a request in words.

    `emit` gets each piece of the text as it comes, in order; the pieces joined are
    `Generation.text`. An exception that `emit` raises ends the generation and
    propagates. Raises ModelError when the model cannot answer.
    """

    @property
    def model(self) -> str:
        """The name that answers and reports carry."""
        ...

    def generate(self, request: GenerationRequest, emit: Emit = discard) -> Generation: ...
