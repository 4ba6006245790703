"""The `retrieval:` part of flow.yaml, and what every retriever gives."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Protocol

from pydantic import Field, field_validator, model_validator

from genaiops.configuration import Settings
from genaiops.errors import ConfigurationError
from genaiops.indexing.conditions import parse_where
from genaiops.records import Hit, Query

Rewrite = Literal["none", "rewrite", "hyde"]


class RerankSettings(Settings):
    """A cross-encoder that reads question and chunk together. Slower than searching, so only the first `depth` pass."""

    model: Annotated[str, Field(min_length=1)]  # folder with model.safetensors, relative to the flow, or a cached name
    depth: int = Field(default=50, ge=1, le=1000)  # hits that are reranked; never fewer than are asked for
    digest: str = ""  # of the model's files; a release fills it in, and other weights are then refused


class RetrievalSettings(Settings):
    """How hits are found and how many reach the prompt."""

    search: Literal["vector", "full_text", "hybrid"] = "hybrid"
    top_k: int = Field(default=6, ge=1, le=1000)
    # How `hybrid` joins its two searches; `vector_weight` is the vector search's share. None leaves it to the fusion.
    fusion: Literal["weighted", "min_max", "reciprocal_rank"] = "weighted"
    vector_weight: float | None = Field(default=None, ge=0, le=1)
    expand: Literal["none", "parent", "neighbours"] = "none"
    diversity: float | None = Field(default=None, ge=0, le=1)  # lambda of MMR: 1 relevance alone, 0 variety alone
    max_per_document: int | None = Field(default=None, ge=1)
    rerank: RerankSettings | None = None
    rewrite: Rewrite = "none"
    on_failure: Literal["raise", "plain"] = "raise"  # of the model that rewrites; plain: search for the question
    where: dict[str, Any] = Field(default_factory=dict)  # every query's, besides its own

    @field_validator("where")
    @classmethod
    def _readable(cls, value: dict[str, Any]) -> dict[str, Any]:
        try:
            parse_where(value)
        except ConfigurationError as error:
            raise ValueError(f"{error.what}; {error.remedy}") from None
        return value

    @model_validator(mode="after")
    def _fits(self) -> RetrievalSettings:
        if self.search != "hybrid" and self.vector_weight is not None:
            raise ValueError(f"vector_weight is for search: hybrid, got search: {self.search}")
        if self.search != "hybrid" and self.fusion != "weighted":
            raise ValueError(f"fusion is for search: hybrid, got search: {self.search}")
        if self.search == "full_text" and self.rewrite == "hyde":
            raise ValueError("rewrite: hyde writes a passage to embed; with search: full_text use rewrite: rewrite")
        return self


class Retriever(Protocol):
    """Finds the chunks that may answer a query."""

    def retrieve(self, query: Query, k: int) -> list[Hit]:
        """At most `k` hits, best first, ranks from 1, no chunk twice."""
        ...
