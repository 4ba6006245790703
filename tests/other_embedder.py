"""A real embedder under another name, where what counts is that it is told apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from genaiops.embedding import Embedder


@dataclass(frozen=True)
class OtherEmbedder:
    """The same vectors under another fingerprint."""

    real: Embedder
    fingerprint: str = "another model"

    @property
    def dimension(self) -> int:
        return self.real.dimension

    def embed(self, texts: Any, progress: Any = None) -> Any:
        return self.real.embed(texts)
