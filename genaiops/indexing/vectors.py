"""FAISS indexes over unit vectors: inner product is the cosine. Files are opened by mapping them, not by reading."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import faiss as _faiss
import numpy as np

from genaiops.embedding import Vectors
from genaiops.errors import IntegrityError
from genaiops.indexing.filters import Selection

faiss: Any = _faiss  # its type stubs know less than it has

Found = list[tuple[int, float]]  # (position, cosine), best first
EXACT = "flat"
# Searched by HNSW with this effort, and by IVF-PQ in this many lists with this many times k compared again.
HNSW_EFFORT = 128
IVF_PROBES = 64
IVF_AGAIN = 50
# With a filter, a walk or a scan of lists must pass 1 / share of the index for every neighbour that counts. Comparing
# all permitted ones is cheaper when they are fewer than sqrt(this x chunks): docs/indexing.md has the measurement.
FILTER_COSTS = 1_000
# A FAISS file is untrusted input: bound what reading one may allocate and loop over.
_MAX_VECTOR_BYTES = 1 << 36
_MAX_LOOPS = 1 << 31


class VectorStore(Protocol):
    """Nearest neighbours by cosine among the vectors of one index."""

    def __len__(self) -> int: ...

    @property
    def dimension(self) -> int: ...

    def search(self, vector: Vectors, k: int, within: Selection | None = None) -> Found:
        """The `k` nearest positions with their cosine, best first; equal cosines by position.

        `within` is applied inside the search: as many are found as there are permitted positions, up to `k`.
        """
        ...

    def reconstruct(self, positions: Sequence[int]) -> Vectors:
        """The vectors at these positions, float32 `[len(positions), dimension]`."""
        ...


def ranked(nearest: Callable[[int], Found], k: int, available: int) -> Found:
    """The first `k` of what `nearest(asked)` finds, where it keeps any of several equal neighbours at its end.

    Asks for more until the last one found is worse than the k-th, so that position decides between equals.
    """
    if k < 1 or not available:
        return []
    asked = min(k + 1, available)
    while True:
        found = nearest(asked)
        if asked == available or len(found) < asked or found[-1][1] < found[k - 1][1]:
            return sorted(found, key=lambda pair: (-pair[1], pair[0]))[:k]
        asked = min(4 * asked, available)


def check_selection(within: Selection | None, size: int) -> int:
    """How many positions may be found. ValueError when the selection is of another index."""
    if within is None:
        return size
    if within.size != size:
        raise ValueError(f"the selection is of {within.size} positions, the index has {size}")
    return len(within)


class VectorSearch:
    """The vectors in one file of FAISS."""

    def __init__(self, path: Path) -> None:
        """RuntimeError (from FAISS) when `path` is no index within the limits, ValueError for one of another kind."""
        faiss.set_deserialization_vector_byte_limit(_MAX_VECTOR_BYTES)
        faiss.set_deserialization_loop_limit(_MAX_LOOPS)
        # Pages are read when a search needs them, and processes share them. A snapshot's files never change in place.
        self._index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
        self._path = path
        self._stored, self._search_within = self._parts()
        _check_parts(self._index, self._stored)

    def _parts(self) -> tuple[Any, Callable[[Vectors, int, Selection, float], Found] | None]:
        """The vectors that every position can be compared with, and the approximate search where there is one."""
        if isinstance(self._index, faiss.IndexHNSWFlat):
            return faiss.downcast_index(self._index.storage), self._walk
        if isinstance(self._index, faiss.IndexRefine):
            self._lists = faiss.downcast_index(self._index.base_index)
            return faiss.downcast_index(self._index.refine_index), self._scan
        if isinstance(self._index, faiss.IndexFlat):
            return self._index, None
        raise ValueError(f"{type(self._index).__name__} is no kind of vector index that is known here")

    def __len__(self) -> int:
        return int(self._index.ntotal)

    @property
    def dimension(self) -> int:
        return int(self._index.d)

    def stored(self, start: int, count: int) -> Vectors:
        """The vectors `[start, start + count)` as they lie in the file, float32 `[count, dimension]`."""
        rows: Vectors = self._stored.reconstruct_n(start, count)
        return rows

    def reconstruct(self, positions: Sequence[int]) -> Vectors:
        """See VectorStore."""
        wanted = np.asarray(positions, dtype=np.int64)
        if not wanted.size:
            return np.empty((0, self.dimension), dtype=np.float32)
        found: Vectors = self._stored.reconstruct_batch(wanted)
        return found

    def search(self, vector: Vectors, k: int, within: Selection | None = None) -> Found:
        """See VectorStore."""
        query = np.ascontiguousarray(vector, dtype=np.float32).reshape(1, -1)
        if query.shape[1] != self.dimension:
            raise ValueError(f"the query has {query.shape[1]} dimensions, the index {self.dimension}")
        available = check_selection(within, len(self))
        try:
            return ranked(lambda asked: self._nearest(query, asked, within), k, available)
        except (RuntimeError, AssertionError, MemoryError) as error:  # of FAISS: what opening could not see
            what = f"the vectors cannot be searched ({error})"
            raise IntegrityError(what, where=self._path, remedy="rebuild it: genaiops build FLOW --full") from None

    def _nearest(self, query: Vectors, k: int, within: Selection | None) -> Found:
        found: Found = []
        if self._search_within is None or (within is not None and len(within) ** 2 <= FILTER_COSTS * len(self)):
            return self._exact(query, k, within)
        if within is None:
            found = _pairs(self._index.search(query, k))
        else:
            found = self._search_within(query, k, within, len(within) / len(self))
        # A walk over the graph or the nearest lists can end before enough were met: then every vector is compared.
        return found if len(found) >= k else self._exact(query, k, within)

    def _exact(self, query: Vectors, k: int, within: Selection | None) -> Found:
        params = None if within is None else faiss.SearchParameters(sel=faiss.IDSelectorBitmap(within.bits))
        return _pairs(self._stored.search(query, k, params=params))

    def _walk(self, query: Vectors, k: int, within: Selection, share: float) -> Found:
        effort = math.ceil(max(HNSW_EFFORT, k) / share)
        selector = faiss.IDSelectorBitmap(within.bits)
        return _pairs(self._index.search(query, k, params=faiss.SearchParametersHNSW(sel=selector, efSearch=effort)))

    def _scan(self, query: Vectors, k: int, within: Selection, share: float) -> Found:
        probes = min(self._lists.nlist, math.ceil(IVF_PROBES / share))
        in_lists = faiss.SearchParametersIVF(sel=faiss.IDSelectorBitmap(within.bits), nprobe=probes)
        params = faiss.IndexRefineSearchParameters(k_factor=IVF_AGAIN, base_index_params=in_lists)
        return _pairs(self._index.search(query, k, params=params))


def _check_parts(index: Any, stored: Any) -> None:
    """FAISS trusts that the parts of an index fit each other; a file by somebody else need not. ValueError."""
    parts = [(stored.d, stored.ntotal)]
    if isinstance(index, faiss.IndexRefine):
        lists = faiss.downcast_index(index.base_index)
        if not isinstance(lists, faiss.IndexIVF):
            raise ValueError(f"{type(lists).__name__} in the place of lists")
        parts += [(lists.d, lists.ntotal), (lists.quantizer.d, index.ntotal)]
        inverted = lists.invlists
        sizes = [int(inverted.list_size(number)) for number in range(inverted.nlist)]
        if lists.quantizer.ntotal != lists.nlist or inverted.nlist != lists.nlist or sum(sizes) != index.ntotal:
            raise ValueError("the lists do not hold the vectors")
        for number, size in enumerate(sizes):
            if size:
                ids = faiss.rev_swig_ptr(inverted.get_ids(number), size)
                if int(ids.min()) < 0 or int(ids.max()) >= index.ntotal:
                    raise ValueError("a list names a vector that is not there")
    if any(part != (index.d, index.ntotal) for part in parts):
        raise ValueError("the parts of the index have different shapes")


def _pairs(answer: tuple[Any, Any]) -> Found:
    # FAISS returns -1 for a missing neighbour.
    return [(int(p), float(s)) for s, p in zip(answer[0][0], answer[1][0], strict=True) if p >= 0]
