"""What every embedder gives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol, TypeAlias, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors: TypeAlias = NDArray[np.float32]  # [number of texts, dimension], rows of length 1
else:
    Vectors = object

Progress = Callable[[int, int], None]  # done, total


def silent(done: int, total: int) -> None:
    """The default progress: nobody watches."""


class Embedder(Protocol):
    """Turns texts into unit vectors."""

    @property
    def fingerprint(self) -> str:
        """Digest of everything that decides the vectors up to rounding: weights, tokenizer, pooling."""
        ...

    @property
    def dimension(self) -> int: ...

    def embed(self, texts: Sequence[str], progress: Progress = silent) -> Vectors:
        """float32 `[len(texts), dimension]`; row i is the unit vector of texts[i]."""
        ...


@runtime_checkable
class TokenEmbedder(Protocol):
    """An embedder that also gives the vectors of single tokens. Optional: models behind an address do not."""

    def embed_tokens(self, texts: Sequence[str]) -> list[Vectors]:
        """For each text float32 `[its tokens, dimension]`, unit rows, in order, without special tokens."""
        ...


class CorpusEmbedder(Embedder, Protocol):
    """An embedder whose vectors may be kept: it tells what they depend on besides its fingerprint."""

    @property
    def precision(self) -> str:
        """How exactly it computes; part of the key of a cached vector and a fact of a build."""
        ...
