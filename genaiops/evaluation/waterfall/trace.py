"""What the waterfall must be told of an application whose inside it does not know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from genaiops.evaluation.records import Failure
from genaiops.records import Answer, Evidence, Hit


@dataclass(frozen=True, slots=True)
class Passage:
    """The span `[start, end)` of a document's text as retrieval can give it to the prompt; `id` is the trace's own."""

    id: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Standing:
    """Where retrieval ranked a passage for a question. Ranks count from 1; 0: not found.

    `legs` maps each search alone to its rank, which may lie deeper than the `depth` a question looks; `search` is the
    rank once they are joined, `steps` the rank after each later step, in order, under the setting that asks for it.
    `allowed` is False where a filter kept the passage out. `wanted` is how many hits a question takes.
    """

    legs: Mapping[str, int]
    search: int
    wanted: int
    depth: int
    steps: Mapping[str, int] = field(default_factory=dict)
    allowed: bool = True


class Trace(Protocol):
    """An application's way from its sources to its prompt, as one evaluation used it."""

    def text(self, document: str) -> str | None:
        """The clean text of a document as it was indexed; None when the index holds no such document."""
        ...

    def lost(self, evidence: Evidence) -> Failure:
        """Why the indexed document does not hold the quote: `corpus` or `parser`."""
        ...

    def passages(self, document: str) -> Sequence[Passage]:
        """Everything of this document that the index can give, in order of its start."""
        ...

    def standing(self, answer: Answer, passages: Sequence[Passage]) -> Standing:
        """The best standing among these passages (one at least) for the question of an answer."""
        ...

    def shown(self, answer: Answer) -> Sequence[Hit]:
        """The hits of an answer whose text reached the model, all of it."""
        ...

    def answering(self) -> str:
        """The setting that decides how an answer is made of what was shown: `prompt …` or `generation.model …`."""
        ...
