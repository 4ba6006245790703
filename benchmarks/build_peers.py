"""A build beside those of other libraries: the same files and the same model, in turn, in one run.

GENAIOPS_DATA=... GENAIOPS_PEERS=/path/to/python python -m benchmarks.build_peers
"""

from __future__ import annotations

import json
import os
import statistics
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.children import python
from benchmarks.peers import PeersAbsent, run_peer
from benchmarks.places import DataAbsent, data, exit_without_data, precision_here
from benchmarks.reporting import Figure, Report, Table, alone_with_runs, at_least

RUNS = 3
LIBRARIES = {"langchain": "LangChain", "llama_index": "LlamaIndex", "haystack": "Haystack"}
TIMES_LANGCHAIN = 2.5
EVERY = int(os.environ.get("GENAIOPS_BENCH_EVERY", "25"))  # files


def measure(runs: int = RUNS) -> Report:
    """Medians of `runs` rounds; in each round every side builds once and encodes its own chunks once."""
    from genaiops.embedding import DEFAULT_MODEL
    from genaiops.embedding.weights import locate

    root, ours = data("corpora/azure_well_architected"), precision_here()
    paths = sorted(root.rglob("*.md"))[::EVERY]
    files = {path.relative_to(root).as_posix(): str(path) for path in paths}
    given = {"model": str(locate(DEFAULT_MODEL)), "files": files, "precision": "fp32"}
    found: dict[str, list[dict[str, Any]]] = {}
    with tempfile.TemporaryDirectory(prefix="genaiops-bench-") as name:
        for turn in range(runs):
            found.setdefault("genaiops", []).append(_ours(list(files.values()), Path(name, str(turn)), ours))
            try:
                for library in LIBRARIES:
                    found.setdefault(library, []).append(run_peer("build", {**given, "library": library}))
            except PeersAbsent as error:
                found = {"genaiops": found["genaiops"]}
                return Report("Builds of other libraries", (), notes=(f"Not measured: {error}.",))
    build = {side: _median(rounds, "build") for side, rounds in found.items()}
    times = build["langchain"] / build["genaiops"]
    rows = tuple(_row(LIBRARIES.get(side, f"genaiops, {ours}"), rounds) for side, rounds in found.items())
    return Report(
        "Builds of other libraries",
        (
            at_least("LangChain's seconds ÷ ours, as each comes out of the box", times, TIMES_LANGCHAIN),
            *(
                Figure(f"{LIBRARIES[side]}'s seconds ÷ ours", f"{build[side] / build['genaiops']:.2f}")
                for side in ("llama_index", "haystack")
            ),
        ),
        (
            Table(
                f"{len(files)} files, medians of {runs} rounds, models loaded before",
                ("library", "build", "encoding its own chunks alone", "build ÷ encoding", "chunks"),
                rows,
            ),
        ),
        notes=(
            "The others run in fp32 with their own batch sizes, as they come: LangChain's recursive splitter of 800 "
            "characters (overlap 80) with FAISS, LlamaIndex's sentence splitter of 200 tokens (20), Haystack's "
            "splitter of 130 words (13). Ours takes the precision that `auto` takes on this machine.",
        ),
    )


def _ours(paths: list[str], home: Path, precision: str) -> dict[str, Any]:
    """A cold build of the same files, and the bare encoding of its texts."""
    home.mkdir()
    texts = home / "texts.json"
    built = python("-m", "benchmarks.build_sides", "build", json.dumps(paths), str(home), precision, str(texts)).result
    raw = python("-m", "benchmarks.build_sides", "encode", str(texts), precision).result
    return {"build": built, "raw": {**raw, "chunks": built["chunks"]}}


def _median(rounds: list[dict[str, Any]], step: str) -> float:
    return float(statistics.median(found[step]["seconds"] for found in rounds))


def _row(name: str, rounds: list[dict[str, Any]]) -> tuple[str, ...]:
    build, raw = _median(rounds, "build"), _median(rounds, "raw")
    chunks = rounds[0]["build"]["chunks"]
    return name, f"{build:.1f} s", f"{raw:.1f} s", f"{build / raw:.2f}", str(chunks)


if __name__ == "__main__":
    try:
        alone_with_runs(measure, default=RUNS)
    except DataAbsent as error:
        exit_without_data(error)
