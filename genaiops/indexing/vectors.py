"""FAISS indexes over unit vectors: inner product is the cosine."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import faiss
import numpy as np

from genaiops.embedding import Vectors
from genaiops.indexing.filters import Selection

AUTO_HNSW_FROM = 50_000  # chunks; below, exact search takes under 10 ms and loses nothing
_HNSW_LINKS = 32
_HNSW_BUILD_EFFORT = 200
_HNSW_SEARCH_EFFORT = 128
# Walking to the permitted neighbours costs as much as comparing all of them when they are sqrt(this x chunks).
_WALK_COSTS = 5_000
# A FAISS file is untrusted input: bound what reading one may allocate and loop over.
_MAX_VECTOR_BYTES = 1 << 36
_MAX_LOOPS = 1 << 31


def _flat(dimension: int) -> Any:
    return faiss.IndexFlatIP(dimension)


def _hnsw(dimension: int) -> Any:
    index = faiss.IndexHNSWFlat(dimension, _HNSW_LINKS, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = _HNSW_BUILD_EFFORT
    index.hnsw.efSearch = _HNSW_SEARCH_EFFORT
    return index


VECTOR_KINDS: dict[str, Callable[[int], Any]] = {"flat": _flat, "hnsw": _hnsw}


def resolve_kind(kind: str, chunks: int) -> str:
    """`auto` becomes flat below 50,000 chunks and hnsw from there on."""
    if kind != "auto":
        return kind
    return "hnsw" if chunks >= AUTO_HNSW_FROM else "flat"


def build_vectors(vectors: Vectors, kind: str) -> bytes:
    """A serialised FAISS index of float32 `[n, dimension]`."""
    index = VECTOR_KINDS[kind](int(vectors.shape[1]))
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)  # several threads would link an HNSW graph in a different order each time
    try:
        index.add(np.ascontiguousarray(vectors, dtype=np.float32))
    finally:
        faiss.omp_set_num_threads(threads)
    return bytes(faiss.serialize_index(index).tobytes())


class VectorSearch:
    """Nearest neighbours by cosine."""

    def __init__(self, data: bytes) -> None:
        """Raises RuntimeError (from FAISS) when `data` is not an index within the limits."""
        faiss.set_deserialization_vector_byte_limit(_MAX_VECTOR_BYTES)
        faiss.set_deserialization_loop_limit(_MAX_LOOPS)
        self._index = faiss.deserialize_index(np.frombuffer(data, dtype=np.uint8))
        walks = isinstance(self._index, faiss.IndexHNSW)
        self._stored = faiss.downcast_index(self._index.storage) if walks else self._index
        self._compares_all = not walks

    def __len__(self) -> int:
        return int(self._index.ntotal)

    @property
    def dimension(self) -> int:
        return int(self._index.d)

    def search(self, vector: Vectors, k: int, within: Selection | None = None) -> list[tuple[int, float]]:
        """The `k` nearest positions with their cosine, best first; equal cosines by position.

        `within` is applied inside the search: as many are found as there are permitted positions, up to `k`.
        """
        available = len(self) if within is None else len(within)
        if k < 1 or not available:
            return []
        if within is not None and within.size != len(self):
            raise ValueError(f"the selection is of {within.size} positions, the index has {len(self)}")
        # FAISS keeps any of several equal neighbours at the end of its list: ask on until the end is worse.
        asked = min(k + 1, available)
        while True:
            found = self._nearest(vector.reshape(1, -1), asked, within)
            if asked == available or len(found) < asked or found[-1][1] < found[k - 1][1]:
                return sorted(found, key=lambda pair: (-pair[1], pair[0]))[:k]
            asked = min(4 * asked, available)

    def _nearest(self, query: Vectors, k: int, within: Selection | None) -> list[tuple[int, float]]:
        if within is None:
            found = _pairs(self._index.search(query, k))
        elif self._compares_all or len(within) ** 2 <= _WALK_COSTS * len(self):
            found = _pairs(self._stored.search(query, k, params=_permitting(within)))
        else:
            share = len(within) / len(self)  # the walk passes 1 / share nodes for every one that may be found
            effort = math.ceil(max(_HNSW_SEARCH_EFFORT, k) / share)
            found = _pairs(self._index.search(query, k, params=_permitting(within, effort)))
        if len(found) < k and not self._compares_all:
            # A walk over the graph can end before it has met enough; what lies in the index is then compared.
            params = None if within is None else _permitting(within)
            found = _pairs(self._stored.search(query, k, params=params))
        return found


def _permitting(within: Selection, effort: int = 0) -> Any:
    selector = faiss.IDSelectorBitmap(within.bits)
    return faiss.SearchParametersHNSW(sel=selector, efSearch=effort) if effort else faiss.SearchParameters(sel=selector)


def _pairs(answer: tuple[Any, Any]) -> list[tuple[int, float]]:
    # FAISS returns -1 for a missing neighbour.
    return [(int(p), float(s)) for s, p in zip(answer[0][0], answer[1][0], strict=True) if p >= 0]
