"""The vector search's share, learnt from questions whose evidence is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genaiops.records import Hit, Query
from genaiops.retrieval.fusion import STANDARD_WEIGHT
from genaiops.retrieval.retrievers import StagedRetriever, selected
from genaiops.retrieval.searching import Asked, HybridSearch

WEIGHTS = tuple(step / 20 for step in range(21))
FEWEST = 10  # questions
_FOLDS, _REPEATS = 5, 40
Value = Callable[[Sequence[Hit]], float]


@dataclass(frozen=True, slots=True)
class Learnt:
    """A share with the interval of the shares that cross-validation learnt, and what they are worth.

    `learnt` is the mean value on questions that a share was not learnt from, `default` that of the default share on
    the same questions, and `[gain_low, gain_high]` a 95 % interval of the difference. `vector` and `full_text` are the
    values of the shares 1 and 0.
    """

    weight: float
    low: float
    high: float
    questions: int
    learnt: float
    default: float
    gain_low: float
    gain_high: float
    vector: float
    full_text: float

    @property
    def helps(self) -> bool:
        """Whether the gain over the default is more than chance explains."""
        return self.gain_low > 0


def learn_weight(
    retriever: StagedRetriever, judged: Sequence[tuple[Query, Value]], *, k: int = 10, seed: int = 0
) -> Learnt:
    """The share in steps of 0.05 that gives the best mean value of the first `k` hits.

    Each question comes with a function that values its hits in [0, 1]. Every share is tried on every question; five
    folds, cut anew 40 times, tell how far the choice depends on the questions. ValueError for fewer than 10
    questions and for a retriever that is not the default hybrid.
    """
    if not isinstance(retriever.search, HybridSearch) or retriever.search.fusion != "weighted":
        raise ValueError("a weight can be learnt for search: hybrid with fusion: weighted")
    if len(judged) < FEWEST:
        raise ValueError(f"a weight needs at least {FEWEST} questions, got {len(judged)}")
    values = np.array([_values(retriever, retriever.search, query, value, k) for query, value in judged])
    default = WEIGHTS.index(STANDARD_WEIGHT)
    chosen, outside = _cross_validated(values, seed)
    gains = outside - values[:, default]
    generator = np.random.default_rng(seed)
    means = gains[generator.integers(len(gains), size=(2000, len(gains)))].mean(axis=1)
    low, high = np.quantile([WEIGHTS[number] for number in chosen], (0.025, 0.975))
    gain_low, gain_high = np.quantile(means, (0.025, 0.975))
    return Learnt(
        WEIGHTS[_best(values.mean(axis=0))],
        float(low),
        float(high),
        len(judged),
        float(outside.mean()),
        float(values[:, default].mean()),
        float(gain_low),
        float(gain_high),
        float(values[:, -1].mean()),
        float(values[:, 0].mean()),
    )


def _values(retriever: StagedRetriever, search: HybridSearch, query: Query, value: Value, k: int) -> list[float]:
    within = selected(retriever.index, query, retriever.settings)
    legs = search.legs(Asked((query.text,), query.text, within), k)
    found = []
    for weight in WEIGHTS:
        candidates = search.fused(*legs, weight)[:k]
        found.append(
            value(
                [
                    Hit(retriever.index.chunk(candidate.position), candidate.score, rank)
                    for rank, candidate in enumerate(candidates, start=1)
                ]
            )
        )
    return found


def _best(means: NDArray[np.float64]) -> int:
    """The best weight; of equally good ones that nearest to the default."""
    equal = [number for number, mean in enumerate(means) if mean >= means.max() - 1e-12]
    return min(equal, key=lambda number: (abs(WEIGHTS[number] - STANDARD_WEIGHT), number))


def _cross_validated(values: NDArray[np.float64], seed: int) -> tuple[list[int], NDArray[np.float64]]:
    """The weights learnt without each fold, and each question's mean value at weights learnt without it."""
    generator = np.random.default_rng(seed)
    questions = len(values)
    chosen: list[int] = []
    outside = np.zeros(questions)
    for _ in range(_REPEATS):
        for fold in np.array_split(generator.permutation(questions), _FOLDS):
            others = np.setdiff1d(np.arange(questions), fold)
            best = _best(values[others].mean(axis=0))
            chosen.append(best)
            outside[fold] += values[fold, best] / _REPEATS
    return chosen, outside
