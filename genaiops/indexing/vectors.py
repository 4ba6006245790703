"""FAISS indexes over unit vectors: inner product is the cosine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import faiss
import numpy as np

from genaiops.embedding import Vectors

AUTO_HNSW_FROM = 50_000  # chunks; below, exact search takes under 10 ms and loses nothing
_HNSW_LINKS = 32
_HNSW_BUILD_EFFORT = 200
_HNSW_SEARCH_EFFORT = 128
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

    def __len__(self) -> int:
        return int(self._index.ntotal)

    @property
    def dimension(self) -> int:
        return int(self._index.d)

    def search(self, vector: Vectors, k: int) -> list[tuple[int, float]]:
        """The `k` nearest positions with their cosine, best first; equal cosines by position."""
        if k < 1 or not len(self):
            return []
        # FAISS keeps any of several equal neighbours at the end of its list: ask on until the end is worse.
        asked = min(k + 1, len(self))
        while True:
            scores, positions = self._index.search(vector.reshape(1, -1), asked)
            # FAISS returns -1 for a missing neighbour.
            found = [(int(p), float(s)) for p, s in zip(positions[0], scores[0], strict=True) if p >= 0]
            if asked == len(self) or len(found) < asked or found[-1][1] < found[k - 1][1]:
                return sorted(found, key=lambda pair: (-pair[1], pair[0]))[:k]
            asked = min(4 * asked, len(self))
