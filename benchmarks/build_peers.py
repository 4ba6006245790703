"""A build beside those of other libraries: the same files and the same model, in turn, in one run.

GENAIOPS_DATA=... GENAIOPS_PEERS=/path/to/python python -m benchmarks.build_peers
"""

from __future__ import annotations

import json
import statistics
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.children import python
from benchmarks.peers import PeersAbsent, run_peer
from benchmarks.places import chosen_files, data, precision_here
from benchmarks.reporting import Figure, Report, Table, alone_with_runs, at_least

RUNS = 3
LIBRARIES = {"langchain": "LangChain", "llama_index": "LlamaIndex", "haystack": "Haystack"}
OURS = "genaiops"
TIMES = 2.5
CHANGED = 2  # files
EVERY = 25  # files


def measure(runs: int = RUNS) -> Report:
    """Medians of `runs` rounds; in each round every side builds once and encodes its own chunks once.

    In the first round every side is then given the documents again, two of them changed.
    """
    from genaiops.embedding import DEFAULT_MODEL
    from genaiops.embedding.weights import locate

    root, precision = data("corpora/azure_well_architected"), precision_here()
    texts = {path.relative_to(root).as_posix(): path.read_text(encoding="utf-8") for path in chosen_files(EVERY)}
    changed = {name: f"{texts[name].rstrip()}\n\nThis sentence is new.\n" for name in list(texts)[:CHANGED]}
    found: dict[str, list[dict[str, Any]]] = {}
    with tempfile.TemporaryDirectory(prefix="genaiops-bench-") as name:
        for turn in range(runs):
            home, again = Path(name, str(turn)), changed if turn == 0 else {}
            files = _written(texts, home / "documents")
            given = {"model": str(locate(DEFAULT_MODEL)), "files": files, "precision": "fp32", "changed": again or None}
            try:
                for library in LIBRARIES:
                    found.setdefault(library, []).append(run_peer("build", {**given, "library": library}))
            except PeersAbsent as error:
                return Report("Builds of other libraries", (), notes=(f"Not measured: {error}.",))
            # Ours comes last: it changes the files themselves.
            found.setdefault(OURS, []).append(_ours(home, precision, {files[name]: again[name] for name in again}))
    return Report(
        "Builds of other libraries",
        _figures(found),
        (
            Table(
                f"{len(texts)} files, medians of {runs} rounds, models loaded before",
                ("library", "build", "encoding its own chunks alone", "build ÷ encoding", "chunks", "characters / s"),
                tuple(_row(_named(side, precision), rounds) for side, rounds in found.items()),
            ),
            Table(
                f"The same {len(texts)} files again, {len(changed)} of them with a sentence more; one round",
                ("library", "seconds", "texts embedded again", "÷ its build", "seconds with nothing changed"),
                tuple(_row_again(_named(side, precision), rounds[0]) for side, rounds in found.items()),
            ),
        ),
        notes=(
            "The others run in fp32 with their own batch sizes, as they come: LangChain's recursive splitter of 800 "
            "characters (overlap 80) with FAISS, LlamaIndex's sentence splitter of 200 tokens (20), Haystack's "
            "splitter of 130 words (13). Ours takes the precision that `auto` takes on this machine, and its builds "
            "are durable: all files hashed and fsynced. Characters are those of the texts that are embedded.",
            "Again: LangChain's `index()` with the incremental clean-up, LlamaIndex's ingestion pipeline with "
            "upserts, Haystack's cache checker, which leaves the old chunks of a changed file in the store.",
        ),
    )


def _written(texts: dict[str, str], folder: Path) -> dict[str, str]:
    """The paths of the documents, by id."""
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return {name: str(folder / name) for name in texts}


def _ours(home: Path, precision: str, changed: dict[str, str]) -> dict[str, Any]:
    """A cold build of the same files, the bare encoding of its texts, and what a change costs."""
    texts, documents = str(home / "texts.json"), json.dumps([str(home / "documents")])
    step = ("build", documents, str(home), precision, texts, json.dumps(changed))
    built = python("-m", "benchmarks.build_sides", *step).result
    raw = python("-m", "benchmarks.build_sides", "encode", texts, precision).result
    again = {name: built[name] for name in ("changed", "unchanged") if name in built}
    return {"build": built, "raw": {**raw, "characters": built["characters"]}, **again}


def _figures(found: dict[str, list[dict[str, Any]]]) -> tuple[Figure, ...]:
    build = {side: _median(rounds, "build") for side, rounds in found.items()}
    rate = {side: _rate(rounds) for side, rounds in found.items()}
    again, theirs = found[OURS][0]["changed"], min(found[side][0]["changed"]["seconds"] for side in LIBRARIES)
    return (
        at_least("LangChain's seconds ÷ ours, as each comes out of the box", build["langchain"] / build[OURS], TIMES),
        Figure("our characters per second ÷ LangChain's", f"{rate[OURS] / rate['langchain']:.2f}"),
        *(
            Figure(f"{LIBRARIES[side]}'s seconds ÷ ours", f"{build[side] / build[OURS]:.2f}")
            for side in ("llama_index", "haystack")
        ),
        *(
            Figure(f"build ÷ encoding alone, {_named(side, '')}", f"{build[side] / _median(rounds, 'raw'):.2f}")
            for side, rounds in found.items()
        ),
        Figure(
            f"texts embedded again, {CHANGED} files changed",
            str(again["asked"]),
            f"≤ {CHANGED}",
            again["asked"] <= CHANGED,
        ),
        Figure("after the change, the fastest other library's seconds ÷ ours", f"{theirs / again['seconds']:.1f}"),
    )


def _named(side: str, precision: str) -> str:
    return LIBRARIES.get(side, f"{OURS}, {precision}" if precision else OURS)


def _median(rounds: list[dict[str, Any]], step: str) -> float:
    return float(statistics.median(found[step]["seconds"] for found in rounds))


def _rate(rounds: list[dict[str, Any]]) -> float:
    return float(rounds[0]["raw"]["characters"]) / _median(rounds, "build")


def _row(name: str, rounds: list[dict[str, Any]]) -> tuple[str, ...]:
    build, raw = _median(rounds, "build"), _median(rounds, "raw")
    chunks = str(rounds[0]["build"]["chunks"])
    return name, f"{build:.1f} s", f"{raw:.1f} s", f"{build / raw:.2f}", chunks, f"{_rate(rounds):,.0f}"


def _row_again(name: str, found: dict[str, Any]) -> tuple[str, ...]:
    seconds = found["changed"]["seconds"]
    share = f"{100 * seconds / found['build']['seconds']:.1f} %"
    return name, f"{seconds:.2f}", str(found["changed"]["asked"]), share, f"{found['unchanged']['seconds']:.2f}"


if __name__ == "__main__":
    alone_with_runs(measure, default=RUNS)
