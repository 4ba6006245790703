"""Two ranked lists become one.

The default, `weighted`, puts both searches on one scale before it adds them. A score counts as the number of standard
deviations by which it lies above what *this question* gets over the whole index, so the scale is chosen anew for each
question: a search whose best chunks stand out from the rest moves the ranking, and one that finds everything equally
good hardly does. On that scale one share fits unlike corpora (docs/retrieval.md says what it was chosen on).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ranked = list[tuple[int, float]]  # (position of the chunk, score), best first

DEPTH = 100  # candidates of each search
STANDARD_WEIGHT = 0.7  # of the vector search, in standard deviations
MIN_MAX_WEIGHT = 0.6  # of the vector search, when each list is scaled to [0, 1]
# What a chunk's score takes from the better chunk beside it, and from the second-best chunk of its document.
BESIDE, SECOND = 0.1, 0.2
_RANK_CONSTANT = 60  # Cormack, Clarke and Büttcher (2009)


@dataclass(frozen=True, slots=True)
class Leg:
    """What one search found. `mean` and `deviation` are of the query's scores over the index, `floor` is what a chunk
    that is not among `ranked` scores at most.
    """

    ranked: Ranked
    mean: float
    deviation: float
    floor: float

    @property
    def scores(self) -> dict[int, float]:
        return dict(self.ranked)

    def standard(self, score: float) -> float:
        """Standard deviations above the mean, at least -1: how little a bad chunk has in common says nothing."""
        return max((score - self.mean) / self.deviation, -1.0) if self.deviation > 1e-9 else 0.0


Fusion = Callable[[Leg, Leg, float | None, NDArray[np.int32]], dict[int, float]]


def weighted(vector: Leg, full_text: Leg, weight: float | None, documents: NDArray[np.int32]) -> dict[int, float]:
    """Position → weighted mean in standard deviations, helped by the other chunks of its document.

    `documents` int32 `[chunks]` numbers the document of each position. A chunk that one search did not find counts
    there with that search's `floor`.
    """
    share = STANDARD_WEIGHT if weight is None else weight
    by_vector, by_text = vector.scores, full_text.scores

    def fused(position: int) -> float:
        near, shared = by_vector.get(position, vector.floor), by_text.get(position, full_text.floor)
        return share * vector.standard(near) + (1 - share) * full_text.standard(shared)

    scores = {position: fused(position) for position in by_vector.keys() | by_text.keys()}
    return _supported(scores, fused(-1), documents)


def _supported(scores: Mapping[int, float], floor: float, documents: NDArray[np.int32]) -> dict[int, float]:
    """A chunk between good chunks of a good document is likelier right than an equal one that stands alone.

    A chunk that is its whole document keeps its score.
    """
    best: dict[int, list[float]] = {}
    for position, score in scores.items():
        best.setdefault(int(documents[position]), []).append(score)
    second = {document: sorted([*found, floor])[-2] for document, found in best.items()}
    supported = {}
    for position, score in scores.items():
        document = documents[position]
        beside = [
            scores.get(other, floor)
            for other in (position - 1, position + 1)
            if 0 <= other < len(documents) and documents[other] == document
        ]
        supported[position] = (
            (1 - BESIDE - SECOND) * score + BESIDE * max(beside) + SECOND * second[int(document)] if beside else score
        )
    return supported


def min_max(vector: Leg, full_text: Leg, weight: float | None, documents: NDArray[np.int32]) -> dict[int, float]:
    """Position → weighted mean in [0, 1] of both lists, each scaled to [0, 1] over its own candidates.

    Bruch, Gai and Ingber, "An Analysis of Fusion Functions for Hybrid Retrieval" (2023): "convex combination".
    """
    share = MIN_MAX_WEIGHT if weight is None else weight
    fused: dict[int, float] = {}
    for leg, part in ((vector.ranked, share), (full_text.ranked, 1 - share)):
        low, high = (leg[-1][1], leg[0][1]) if leg else (0.0, 0.0)
        for position, score in leg:
            # A single candidate, or all equal, count 1.
            scaled = (score - low) / (high - low) if high > low else 1.0
            fused[position] = fused.get(position, 0.0) + part * scaled
    return fused


def reciprocal_rank(
    vector: Leg, full_text: Leg, weight: float | None, documents: NDArray[np.int32]
) -> dict[int, float]:
    """Position → Σ 2·weight / (60 + rank) over both lists (Cormack and others, 2009). It throws the scores away."""
    share = 0.5 if weight is None else weight
    fused: dict[int, float] = {}
    for leg, part in ((vector.ranked, share), (full_text.ranked, 1 - share)):
        for rank, (position, _) in enumerate(leg, start=1):
            fused[position] = fused.get(position, 0.0) + 2 * part / (_RANK_CONSTANT + rank)
    return fused


FUSIONS: Mapping[str, Fusion] = {"weighted": weighted, "min_max": min_max, "reciprocal_rank": reciprocal_rank}
