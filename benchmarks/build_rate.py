"""How much slower building an index is than sentence-transformers alone encoding the same chunks.

GENAIOPS_DATA=... python -m benchmarks.build_rate
"""

from __future__ import annotations

import json
import statistics
import tempfile
from itertools import count
from pathlib import Path

from benchmarks.children import Finished, in_turn, python
from benchmarks.places import chosen_files, precision_here
from benchmarks.reporting import Figure, Report, alone_with_runs, at_least, spread

RUNS = 3
EVERY = 8  # files: the whole corpus takes minutes a side where there are no matrix units
LIMIT = 0.95


def measure(runs: int = RUNS) -> Report:
    """Cold builds and bare encodings in child processes, in turn. In both the model is loaded before time is taken."""
    files = chosen_files(EVERY)
    source = json.dumps([str(path) for path in files])
    precision = precision_here()
    with tempfile.TemporaryDirectory(prefix="genaiops-bench-") as name:
        texts = Path(name) / "texts.json"

        homes = (Path(name) / f"home{number}" for number in count())  # a cold build has an empty one

        def build() -> Finished:
            return python("-m", "benchmarks.build_sides", "build", source, str(next(homes)), precision, str(texts))

        def encode() -> Finished:
            return python("-m", "benchmarks.build_sides", "encode", str(texts), precision)

        builds, encodings = in_turn([build, encode], runs)
    ours = [run.result["seconds"] for run in builds]
    theirs = [run.result["seconds"] for run in encodings]
    chunks = builds[0].result["chunks"]
    whole = statistics.median(run.seconds for run in encodings) / statistics.median(run.seconds for run in builds)
    return Report(
        "Rate of a cold build",
        (
            at_least(
                f"rate of building ÷ rate of encoding alone ({chunks} chunks, {precision}, medians of {runs})",
                statistics.median(theirs) / statistics.median(ours),
                LIMIT,
            ),
            Figure("the same over whole processes, imports and model loading included", f"{whole:.2f}"),
            Figure("build: read, chunk, embed, write vectors and full text", spread(ours, unit=" s", digits=1)),
            Figure("sentence-transformers alone", spread(theirs, unit=" s", digits=1)),
            Figure("chunks a second, building", f"{chunks / statistics.median(ours):.0f}"),
        ),
        notes=(
            f"{len(files)} of the corpus's files. Both sides use the same precision, batch size and number of "
            "threads, and both sort texts by length; in ours each thread takes batches of its own. "
            "sentence-transformers is called once with all texts that the build embeds, headings included.",
        ),
    )


if __name__ == "__main__":
    alone_with_runs(measure, default=RUNS)
