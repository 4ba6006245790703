"""What a build costs when nothing, or one file, has changed since the last: whole processes, start to exit.

GENAIOPS_DATA=... python -m benchmarks.second_build
"""

from __future__ import annotations

import shutil
import statistics
import tempfile
from pathlib import Path

from benchmarks.children import Finished, genaiops
from benchmarks.places import WELL_ARCHITECTED, data, precision_here, sources
from benchmarks.reporting import Figure, Report, alone_with_runs, at_most, spread

RUNS = 5
LIMIT_PERCENT = 3.0
MODEL = frozenset({"torch", "sentence_transformers", "transformers"})


def measure(runs: int = RUNS) -> Report:
    """One first build in an empty home, `runs` builds with nothing changed, one with one file changed."""
    originals = data("corpora/azure_well_architected")
    precision = precision_here()
    with tempfile.TemporaryDirectory(prefix="genaiops-bench-") as name:
        folder = Path(name)
        documents = folder / "documents"
        shutil.copytree(originals, documents)

        def build() -> Finished:
            settings = ("--set", sources(documents), "--set", f"embedding.precision={precision}")
            return genaiops("build", str(WELL_ARCHITECTED), "--json", *settings, home=folder / "home")

        first = build()
        again = [build() for _ in range(runs)]
        changed_file = min(documents.rglob("*.md"))
        with changed_file.open("a", encoding="utf-8") as stream:
            stream.write("\n\n## One more section\n\nA sentence that was not there before.\n")
        changed = build()
    if not all(run.result["unchanged"] for run in again) or changed.result["unchanged"]:
        raise RuntimeError("a build did not see what had changed and what had not")
    loaded = sorted(frozenset().union(*(run.modules for run in again)) & MODEL)
    share = 100 * statistics.median(run.seconds for run in again) / first.seconds
    counts = f"{first.result['documents']} documents, {first.result['chunks']} chunks, {precision}"
    return Report(
        "Second build",
        (
            at_most("second build ÷ first, whole processes", share, LIMIT_PERCENT, unit=" %"),
            Figure("model code loaded by the second build", ", ".join(loaded) or "none", "none", not loaded),
            Figure(f"first build ({counts})", f"{first.seconds:.1f} s"),
            Figure("second build, nothing changed", spread([run.seconds for run in again], unit=" s")),
            Figure(f"one file changed ({changed.result['embedded']} texts embedded)", f"{changed.seconds:.1f} s"),
        ),
        notes=(
            "The precision is decided beforehand: choosing it would make the first build longer and the share less.",
        ),
    )


if __name__ == "__main__":
    alone_with_runs(measure, default=RUNS)
