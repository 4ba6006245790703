"""The `retrieval:` part of flow.yaml, and what every retriever gives."""

from __future__ import annotations

from typing import Literal, Protocol

from pydantic import Field

from genaiops.records import Hit, Query, Settings


class RetrievalSettings(Settings):
    """How hits are found and how many reach the prompt."""

    search: Literal["vector", "full_text", "hybrid"] = "hybrid"
    top_k: int = Field(default=6, ge=1, le=1000)
    vector_weight: float = Field(default=0.6, ge=0, le=1)  # of the vector leg in `hybrid`; see docs/benchmarks.md


class Retriever(Protocol):
    """Finds the chunks that may answer a query."""

    def retrieve(self, query: Query, k: int) -> list[Hit]:
        """At most `k` hits, best first, ranks from 1, no chunk twice."""
        ...
