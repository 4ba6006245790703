"""An embedder that starts at once: it counts words in hashed places. Real vectors, of little wit."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from genaiops.embedding import Progress, Vectors
from genaiops.embedding.protocol import silent
from genaiops.words import words


class WordsEmbedder:
    """Word counts in `dimension` places, scaled to length 1. `asked` counts the texts it was given."""

    precision = "fp32"

    def __init__(self, fingerprint: str = "words-1", dimension: int = 32) -> None:
        self.fingerprint = fingerprint
        self.dimension = dimension
        self.asked = 0

    def embed(self, texts: Sequence[str], progress: Progress = silent) -> Vectors:
        self.asked += len(texts)
        rows = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in words(text) or [""]:
                row[int.from_bytes(hashlib.blake2b(word.encode(), digest_size=4).digest()) % self.dimension] += 1
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        progress(len(texts), len(texts))
        return rows
