"""What the service needs of the rooms behind it: something that answers, and which of them are current."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from genaiops.records import Answer, Query

Emit = Callable[[str], None]


class Servable(Protocol):
    """One loaded release."""

    @property
    def release(self) -> str:
        """Its digest, which every answer carries."""
        ...

    def ask(self, query: Query, emit: Emit) -> Answer:
        """Answer, passing each piece of the text to `emit` as it comes; called from many threads at once.

        An exception out of `emit` means that nobody listens any more: end the generation and let it pass.
        """
        ...


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is served at one moment. A request uses one snapshot from start to end.

    `problems` maps a model id (or "registry") to why what is served there is not what should be.
    """

    models: Mapping[str, Servable]
    problems: Mapping[str, str] = field(default_factory=dict)
    at: float = field(default_factory=time.time)  # Unix seconds


class Models(Protocol):
    """Says what is served now. Called for every request: it must be quick and never raise."""

    def snapshot(self) -> Snapshot: ...
