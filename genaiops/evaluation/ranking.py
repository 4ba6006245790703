"""The classic figures of a ranked list, as functions of ids.

Each takes a ranking (best first; an id that comes again is not relevant again), the
set of relevant ids, and a cutoff (None: the whole ranking); each is in [0, 1], and
ValueError without a relevant id, because nothing could be found then. Relevance is
binary. The values are those of `ir-measures` (R, P, RR, AP, nDCG): a property test
compares them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Hashable, Sequence

Ids = Collection[Hashable]
Figure = Callable[[Sequence[Hashable], Ids, int | None], float]


def recall(ranking: Sequence[Hashable], relevant: Ids, cutoff: int | None = None) -> float:
    """Share of the relevant ids that stand in the first `cutoff`."""
    return sum(_gains(ranking, relevant, cutoff)) / len(set(relevant))


def precision(ranking: Sequence[Hashable], relevant: Ids, cutoff: int | None = None) -> float:
    """Share of the first `cutoff` places that hold a relevant id; places beyond a short ranking count as misses."""
    gains = _gains(ranking, relevant, cutoff)
    places = cutoff or len(ranking)
    return sum(gains) / places if places else 0.0


def reciprocal_rank(ranking: Sequence[Hashable], relevant: Ids, cutoff: int | None = None) -> float:
    """1 / rank of the first relevant id, 0 when there is none in the first `cutoff`."""
    gains = _gains(ranking, relevant, cutoff)
    return next((1 / rank for rank, gain in enumerate(gains, start=1) if gain), 0.0)


def average_precision(ranking: Sequence[Hashable], relevant: Ids, cutoff: int | None = None) -> float:
    """Mean over all relevant ids of the precision at the rank where each is found (0 where it is not)."""
    found, total = 0, 0.0
    for rank, gain in enumerate(_gains(ranking, relevant, cutoff), start=1):
        found += gain
        total += gain * found / rank
    return total / len(set(relevant))


def ndcg(ranking: Sequence[Hashable], relevant: Ids, cutoff: int | None = None) -> float:
    """Discounted gain Σ 1/log2(rank + 1) over the found, by that of an ideal ranking cut in the same place.

    Järvelin and Kekäläinen, ACM TOIS 20 (2002) 422-446.
    """
    gains = _gains(ranking, relevant, cutoff)
    ideal = len(set(relevant)) if cutoff is None else min(cutoff, len(set(relevant)))
    return _discounted(gains) / _discounted([1] * ideal)


def _gains(ranking: Sequence[Hashable], relevant: Ids, cutoff: int | None) -> list[int]:
    wanted = set(relevant)
    if not wanted:
        raise ValueError("no relevant id: this query has nothing to find")
    if cutoff is not None and cutoff < 1:
        raise ValueError(f"cutoff must be at least 1, got {cutoff}")
    gains = []
    for item in ranking[:cutoff]:
        gains.append(int(item in wanted))
        wanted.discard(item)
    return gains


def _discounted(gains: Sequence[int]) -> float:
    return math.fsum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, start=1))
