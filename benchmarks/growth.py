"""How an index grows: build seconds, bytes, search times and recall at 10,000, 100,000 and a million chunks.

python -m benchmarks.growth            10k and 100k
python -m benchmarks.growth 1000000    also a million (an hour or less, 5 GB of memory, 8 GB of disk)
"""

from __future__ import annotations

import math
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.reporting import Figure, Report, markdown
from genaiops.embedding import Vectors
from genaiops.indexing.filters import Selection
from genaiops.indexing.kinds import AUTO_HNSW_FROM, AUTO_IVFPQ_FROM, build_vectors
from genaiops.indexing.vectors import VectorSearch, faiss

SIZES = (10_000, 100_000)
DIMENSION = 384
QUERIES, WARM = 200, 20
KINDS = ("flat", "ivfpq", "hnsw")
SPREAD = 0.8  # length of what is added to a unit centre: the nearest of 100,000 is then at a cosine around 0.7
_BLOCK = 50_000
_SEED = 7


@dataclass(frozen=True)
class Grown:
    """One kind at one size; times in milliseconds, `filtered` is the median search among one chunk in fifty."""

    kind: str
    chunks: int
    build_seconds: float
    bytes_per_chunk: float
    p50: float
    p99: float
    filtered: float
    recall: float


def clustered(count: int, path: Path) -> tuple[Vectors, Vectors]:
    """`count` unit vectors around sqrt(count) centres, in a file, made block by block; and queries like them."""
    chance = np.random.default_rng(_SEED)
    centres = _unit(chance.normal(size=(math.isqrt(count), DIMENSION)).astype(np.float32))

    def drawn(rows: int) -> Vectors:
        around = centres[chance.integers(0, len(centres), rows)]
        spread = chance.standard_normal((rows, DIMENSION), dtype=np.float32) * np.float32(SPREAD / DIMENSION**0.5)
        return _unit(around + spread)

    vectors = np.memmap(path, dtype=np.float32, mode="w+", shape=(count, DIMENSION))
    for start in range(0, count, _BLOCK):
        rows = min(_BLOCK, count - start)
        vectors[start : start + rows] = drawn(rows)
    vectors.flush()
    return vectors, drawn(QUERIES)


def _unit(rows: NDArray[np.float32]) -> Vectors:
    result: Vectors = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return result


def grown(count: int) -> list[Grown]:
    """Every kind at this size; recall@10 is of queries that are not in the index, against the flat kind."""
    with tempfile.TemporaryDirectory(prefix="growth-") as name:
        folder = Path(name)
        vectors, queries = clustered(count, folder / "vectors")
        within = Selection(np.random.default_rng(_SEED).random(count) < 0.02)
        true: list[set[int]] = []
        results = []
        for kind in KINDS:
            start = time.perf_counter()
            build_vectors(vectors, kind, folder / kind)
            seconds = time.perf_counter() - start
            search = VectorSearch(folder / kind)
            times, found = timed(search, queries, None)
            true = true or found
            filtered, _ = timed(search, queries, within)
            hits = sum(len(a & b) for a, b in zip(found, true, strict=True))
            size = (folder / kind).stat().st_size / count
            p50, p99 = map(float, np.percentile(times, [50, 99]))
            row = Grown(kind, count, seconds, size, p50, p99, float(np.median(filtered)), hits / (10 * QUERIES))
            print(row, file=sys.stderr, flush=True)
            results.append(row)
            (folder / kind).unlink()
        return results


def timed(search: VectorSearch, queries: Vectors, within: Selection | None) -> tuple[list[float], list[set[int]]]:
    """Milliseconds and the ten positions found for each query, on one thread, after some that are not counted."""
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        for query in queries[:WARM]:
            search.search(query, 10, within)
        times, found = [], []
        for query in queries:
            start = time.perf_counter()
            hits = search.search(query, 10, within)
            times.append(1000 * (time.perf_counter() - start))
            found.append({position for position, _ in hits})
        return times, found
    finally:
        faiss.omp_set_num_threads(threads)


def measure(sizes: tuple[int, ...] = SIZES) -> Report:
    """Every kind at every size, and how build seconds and search times grow from the second size to the last."""
    rows = [row for count in sizes for row in grown(count)]
    figures = [
        Figure(
            f"{row.chunks:,} chunks, {row.kind}",
            f"built in {row.build_seconds:.1f} s, {row.bytes_per_chunk:,.0f} bytes a chunk, search p50 {row.p50:.2f} / "
            f"p99 {row.p99:.2f} ms, among one in fifty {row.filtered:.2f} ms, recall@10 {row.recall:.3f}",
        )
        for row in rows
    ]
    for kind in KINDS:
        first, last = ([row for row in rows if row.kind == kind][at] for at in (-2, -1))
        grew = math.log(last.chunks / first.chunks)
        figures.append(
            Figure(
                f"{kind}: exponents of growth, {first.chunks:,} to {last.chunks:,}",
                f"build {math.log(last.build_seconds / first.build_seconds) / grew:.2f}, "
                f"bytes {1 + math.log(last.bytes_per_chunk / first.bytes_per_chunk) / grew:.2f}, "
                f"search p50 {math.log(last.p50 / first.p50) / grew:.2f} (1 is a straight line)",
            )
        )
    return Report(
        "Growth of an index",
        tuple(figures),
        notes=(
            f"Synthetic unit vectors of {DIMENSION} dimensions around sqrt(n) centres; {QUERIES} queries drawn alike, "
            "not in the index; searches on one thread, one at a time; building an approximate kind includes measuring "
            "its recall for the manifest.",
            f"`auto` takes flat below {AUTO_HNSW_FROM:,} chunks: exact search takes milliseconds there. It takes hnsw "
            f"below {AUTO_IVFPQ_FROM:,} and ivfpq from there on: a graph needs more than twice the room, and minutes "
            "to build where the lists need seconds.",
        ),
    )


if __name__ == "__main__":
    print(markdown(measure((*SIZES, *map(int, sys.argv[1:])))))
