"""What a build costs in a process that runs on, when 2 of 199 files changed: against a full build, and to what result.

GENAIOPS_DATA=... python -m benchmarks.incremental
"""

from __future__ import annotations

import json
import shutil
import statistics
import tempfile
from pathlib import Path

from benchmarks.children import python
from benchmarks.places import data, precision_here
from benchmarks.reporting import Figure, Report, alone_with_runs, at_most, spread

RUNS = 5
LIMIT_PERCENT = 3.0
# Measured beforehand on the same files, bf16: seconds with 2 of 199 files changed, and the texts embedded again.
BEFOREHAND = "LangChain 19.8 s and 2,219 texts, LlamaIndex 14.5 s and 69, Haystack 4.2 s and 74 with stale chunks left"


def measure(runs: int = RUNS) -> Report:
    """One full build, `runs` builds with two more changed files each, and one full build of what came of it."""
    originals, precision = data("corpora/azure_well_architected"), precision_here()
    with tempfile.TemporaryDirectory(prefix="genaiops-bench-") as name:
        documents = Path(name) / "documents"
        shutil.copytree(originals, documents)
        done = python("-m", "benchmarks.build_sides", "incremental", str(documents), name, precision, str(runs)).result
    changed, full = [run["seconds"] for run in done["changed"]], done["full"]["seconds"]
    share = 100 * statistics.median(changed) / full
    embedded = max(run["embedded"] for run in done["changed"])
    same = done["same"]
    return Report(
        "Incremental build",
        (
            at_most("2 of 199 files changed ÷ full build, model loaded", share, LIMIT_PERCENT, unit=" %"),
            Figure("texts embedded again", str(embedded), "≤ 2", embedded <= 2),
            Figure("files other than a full build's", ", ".join(same) or "none", "none", not same),
            Figure(f"full build ({done['full']['chunks']} chunks, {precision})", f"{full:.1f} s"),
            Figure("2 of 199 files changed", spread(changed, unit=" s")),
            Figure("nothing changed", spread(done["unchanged"], unit=" s")),
        ),
        notes=(
            "Every build is durable: all files are hashed and fsynced. The files compared are chunks, documents, "
            "vectors and full text; the full build of the changed documents has the vectors of the cache.",
            f"Measured beforehand on the same files: {BEFOREHAND}.",
        ),
    )


def sides(documents: Path, home: Path, precision: str, runs: int) -> None:
    """The side that is measured, in a process of its own; prints JSON."""
    import time

    from benchmarks.build_sides import WARM_UP
    from benchmarks.places import WELL_ARCHITECTED, project, sources
    from genaiops.flow import Flow
    from genaiops.indexing import read_manifest
    from genaiops.indexing.manifest import PROVENANCE_FILE

    settings = [sources(documents), f"embedding.precision={precision}"]
    paths = sorted(documents.rglob("*.md"))

    def built(at: str = "home") -> tuple[dict[str, float], dict[str, str]]:
        flow = Flow.load(WELL_ARCHITECTED, overrides=settings, project=project(home / at))
        flow.embedder.embed(WARM_UP)
        start = time.perf_counter()
        report = flow.build()
        took = {"seconds": time.perf_counter() - start, "embedded": report.embedded, "chunks": report.chunks}
        files = dict(read_manifest(flow.project.indexes / report.index).files)
        files.pop(PROVENANCE_FILE)
        return took, {**files, "id": report.index}

    result: dict[str, object] = {"full": built()[0]}
    changed = []
    for turn in range(runs):
        for path in (paths[turn], paths[100 + turn]):
            path.write_text(f"{path.read_text(encoding='utf-8').rstrip()}\n\nSentence {turn}.\n", encoding="utf-8")
        took, files = built()
        changed.append(took)
    (home / "anew").mkdir()
    for path in (home / "home").glob("cache.db*"):
        shutil.copy(path, home / "anew")
    _, anew = built("anew")
    unchanged = [built()[0]["seconds"] for _ in range(runs)]
    same = [name for name in sorted({*files, *anew}) if files.get(name) != anew.get(name)]
    print(json.dumps({**result, "changed": changed, "unchanged": unchanged, "same": same}))


if __name__ == "__main__":
    alone_with_runs(measure, default=RUNS)
