"""Vectors become a FAISS file of one kind, and its recall against exact search is measured before it is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genaiops.embedding import Vectors
from genaiops.errors import ConfigurationError
from genaiops.indexing.vectors import EXACT, HNSW_EFFORT, IVF_AGAIN, IVF_PROBES, Found, VectorSearch, faiss

AUTO_HNSW_FROM = 50_000  # chunks; below, exact search takes under 10 ms and loses nothing
AUTO_IVFPQ_FROM = 400_000  # from here on an HNSW graph takes longer to build than its speed is worth
IVFPQ_LEAST = 10_000  # chunks; fewer do not train the lists
RECALL_FLOOR = 0.95  # `auto` keeps no kind that finds less of the true ten nearest
RECALL_QUERIES = 200
_RECALL_AT = 10
_HNSW_LINKS = 32
_HNSW_BUILD_EFFORT = 100
_TRAINED_PER_LIST = 64
_SEED = 1234
_BLOCK = 16_384  # rows handed over at once, so that a memory map is never copied as a whole


def resolve_kind(kind: str, chunks: int) -> str:
    """`auto` by size: flat below 50,000 chunks, hnsw below 400,000, ivfpq from there on."""
    if kind != "auto":
        return kind
    return "ivfpq" if chunks >= AUTO_IVFPQ_FROM else "hnsw" if chunks >= AUTO_HNSW_FROM else EXACT


def build_vectors(vectors: Vectors, kind: str, path: Path) -> dict[str, Any]:
    """Write float32 `[n, dimension]` (an array or a memory map) as a FAISS index to `path`, and tell what it became.

    Facts: `kind`; where it is approximate also `recall@10`, the share of the true ten nearest that the search finds
    for 200 of the vectors asked without themselves. `auto` takes the next better kind when that is below 0.95, and
    says under `tried` what it had measured. ConfigurationError when there are too few vectors for the kind.
    """
    chosen = resolve_kind(kind, len(vectors))
    tried: dict[str, float] = {}
    while True:
        VECTOR_KINDS[chosen](vectors, path)
        facts: dict[str, Any] = {"kind": chosen}
        if chosen == EXACT:
            break
        facts["recall@10"] = recall = measured_recall(vectors, VectorSearch(path).search)
        if kind != "auto" or recall >= RECALL_FLOOR:
            break
        tried[chosen] = recall
        chosen = _BETTER[chosen]
    return {**facts, "tried": tried} if tried else facts


def measured_recall(vectors: Vectors, search: Callable[[Vectors, int], Found]) -> float:
    """recall@10 of `search(vector, k)` for vectors of the index itself, each asked without itself; in [0, 1].

    A neighbour as near as the true tenth counts, so that equal texts are not taken for misses.
    """
    asked = np.sort(np.random.default_rng(_SEED).permutation(len(vectors))[:RECALL_QUERIES])
    depth = min(_RECALL_AT, len(vectors) - 1)
    if depth < 1:
        return 1.0
    queries = np.ascontiguousarray(vectors[asked], dtype=np.float32)
    least = _true_depth(vectors, queries, asked, depth)
    found = 0
    for number, position in enumerate(asked):
        others = [p for p, _ in search(queries[number], depth + 1) if p != position][:depth]
        cosines = np.asarray(vectors[np.array(others, dtype=np.int64)], dtype=np.float32) @ queries[number]
        found += int((cosines >= least[number] - 1e-6).sum())
    return round(found / (depth * len(asked)), 4)


def _true_depth(vectors: Vectors, queries: Vectors, asked: NDArray[np.int64], depth: int) -> NDArray[np.float32]:
    """The cosine of each query's `depth`-th nearest vector but itself, by comparing with all, block by block."""
    best = np.full((len(queries), depth), -np.inf, dtype=np.float32)
    for start, block in _blocks(vectors):
        cosines = queries @ block.T
        own = (asked >= start) & (asked < start + len(block))
        cosines[own, asked[own] - start] = -np.inf
        both = np.concatenate([best, cosines], axis=1)
        best = -np.partition(-both, depth - 1, axis=1)[:, :depth]
    least: NDArray[np.float32] = best.min(axis=1)
    return least


def _write_flat(vectors: Vectors, path: Path) -> None:
    """As FAISS writes an IndexFlatIP, without ever holding all vectors."""
    dimension = int(vectors.shape[1])
    header = bytearray(faiss.serialize_index(faiss.IndexFlatIP(dimension)).tobytes())
    header[8:16] = len(vectors).to_bytes(8, "little")
    header[-8:] = (len(vectors) * dimension).to_bytes(8, "little")
    with path.open("wb") as stream:
        stream.write(header)
        for _, block in _blocks(vectors):
            stream.write(block.astype("<f4", copy=False).tobytes())


def _write_hnsw(vectors: Vectors, path: Path) -> None:
    index = faiss.IndexHNSWFlat(int(vectors.shape[1]), _HNSW_LINKS, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = _HNSW_BUILD_EFFORT
    index.hnsw.efSearch = HNSW_EFFORT
    _fill(index, vectors, path)


def _write_ivfpq(vectors: Vectors, path: Path) -> None:
    """Lists around 2 sqrt(n) centres, 4-bit codes of four dimensions each, 16-bit floats to compare again."""
    count, dimension = vectors.shape
    if count < IVFPQ_LEAST:
        raise ConfigurationError(
            f"index.kind: ivfpq needs at least {IVFPQ_LEAST:,} chunks to be trained on, there are {count:,}",
            remedy="set index.kind to auto, flat or hnsw",
        )
    lists = 2 ** round(np.log2(2 * count**0.5))
    parts = next(n for n in range(max(1, dimension // 4), 0, -1) if dimension % n == 0)
    index = faiss.index_factory(dimension, f"IVF{lists},PQ{parts}x4fs,Refine(SQfp16)", faiss.METRIC_INNER_PRODUCT)
    index.k_factor = IVF_AGAIN
    inner = faiss.downcast_index(index.base_index)
    inner.nprobe = IVF_PROBES
    inner.cp.max_points_per_centroid = _TRAINED_PER_LIST
    inner.cp.seed = inner.pq.cp.seed = _SEED
    chosen = np.sort(np.random.default_rng(_SEED).permutation(count)[: _TRAINED_PER_LIST * lists])
    with _one_thread():
        index.train(np.ascontiguousarray(vectors[chosen], dtype=np.float32))
    _fill(index, vectors, path)


def _fill(index: Any, vectors: Vectors, path: Path) -> None:
    with _one_thread():
        for _, block in _blocks(vectors):
            index.add(block)
    faiss.write_index(index, str(path))


VECTOR_KINDS: dict[str, Callable[[Vectors, Path], None]] = {
    EXACT: _write_flat,
    "hnsw": _write_hnsw,
    "ivfpq": _write_ivfpq,
}
_BETTER = {"ivfpq": "hnsw", "hnsw": EXACT}


def _blocks(vectors: Vectors) -> Iterator[tuple[int, Vectors]]:
    for start in range(0, len(vectors), _BLOCK):
        yield start, np.ascontiguousarray(vectors[start : start + _BLOCK], dtype=np.float32)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Several threads would link a graph, and add up centres, in a different order each time."""
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(threads)
