"""An embedder whose texts are embedded by the workers of an engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from genaiops.embedding import CorpusEmbedder, Progress, Vectors
from genaiops.embedding.protocol import silent
from genaiops.flow.engines.protocol import Engine

_LEAST = 32  # texts of one block: a batch


@dataclass(frozen=True, slots=True)
class EmbedWork:
    """The vectors of a block of texts. The model is loaded once in each worker process."""

    embedder: CorpusEmbedder

    def __call__(self, texts: Sequence[str]) -> Vectors:
        return self.embedder.embed(texts)


class SpreadEmbedder:
    """The same vectors as those of the embedder behind it, up to the rounding of other batches."""

    def __init__(self, behind: CorpusEmbedder, engine: Engine) -> None:
        self._behind, self._engine = behind, engine
        self.fingerprint = behind.fingerprint
        self.precision = behind.precision  # decided here, so that all workers compute alike
        self.dimension = behind.dimension

    def embed(self, texts: Sequence[str], progress: Progress = silent) -> Vectors:
        """Texts are cut in their order, which for a corpus is by length, into a few blocks per worker."""
        size = max(_LEAST, -(-len(texts) // (2 * self._engine.workers)))
        blocks = [list(texts[at : at + size]) for at in range(0, len(texts), size)]
        vectors = [np.empty((0, self.dimension), dtype=np.float32)]
        done = 0
        for found in self._engine.map(EmbedWork(self._behind), blocks):
            vectors.append(found)
            done += len(found)
            progress(done, len(texts))
        return np.concatenate(vectors)
