"""Which of the candidates become hits: not too many of one document, not too much alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from genaiops.embedding import Vectors
from genaiops.retrieval.searching import Candidate


def capped(candidates: Sequence[Candidate], documents: NDArray[np.int32], most: int) -> list[Candidate]:
    """The first `most` candidates of each document, in order."""
    seen: Counter[int] = Counter()
    kept = []
    for candidate in candidates:
        document = int(documents[candidate.position])
        seen[document] += 1
        if seen[document] <= most:
            kept.append(candidate)
    return kept


def diverse(candidates: Sequence[Candidate], vectors: Vectors, share: float) -> list[Candidate]:
    """All candidates in the order of maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998).

    Each next one maximises `share`·relevance − (1 − `share`)·(cosine to the most similar one before it), which
    becomes its score. Relevance is the candidate's score scaled to [0, 1] over all of them, and kept among the
    signals. `vectors` float32 `[candidates, dimension]`. Equal values keep their order.
    """
    if not candidates:
        return []
    scores = np.array([candidate.score for candidate in candidates])
    spread = float(np.ptp(scores))
    relevance = (scores - scores.min()) / spread if spread > 0 else np.ones(len(scores))
    alike = vectors.astype(np.float64) @ vectors.astype(np.float64).T
    nearest = np.zeros(len(scores))
    left = np.ones(len(scores), dtype=bool)
    chosen = []
    for number in range(len(scores)):
        values = np.where(left, share * relevance - (1 - share) * nearest, -np.inf)
        best = int(values.argmax())
        left[best] = False
        nearest = alike[best] if number == 0 else np.maximum(nearest, alike[best])
        signals = {**candidates[best].signals, "relevance": float(relevance[best])}
        chosen.append(replace(candidates[best], score=float(values[best]), signals=signals))
    return chosen
