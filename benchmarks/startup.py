"""How long `genaiops --help` takes, against a Python that only imports what any such command line imports.

python -m benchmarks.startup
"""

from __future__ import annotations

import statistics

from benchmarks.children import genaiops, in_turn, python
from benchmarks.reporting import Figure, Report, alone_with_runs, at_most, spread

RUNS = 15
LIMIT = 1.5
BARE = "import typer, rich"
HEAVY = frozenset(
    [
        *("torch", "transformers", "sentence_transformers", "faiss", "bm25s", "numpy", "scipy", "sklearn", "pandas"),
        *("langchain", "langchain_core", "langchain_text_splitters", "langchain_openai", "openai", "httpx"),
        *("mlflow", "sqlalchemy", "fastapi", "uvicorn", "pypdf", "bs4", "ray", "ragas"),
    ]
)


def measure(runs: int = RUNS) -> Report:
    """The ratio of the two, each `runs` times in turn, and the heavy modules the help had imported."""
    python("-c", BARE)  # the first of each fills the file cache
    found = genaiops("--help").modules & HEAVY
    ours, bare = in_turn([lambda: genaiops("--help"), lambda: python("-c", BARE)], runs)
    ours_seconds, bare_seconds = [run.seconds for run in ours], [run.seconds for run in bare]
    ratio = statistics.median(ours_seconds) / statistics.median(bare_seconds)
    return Report(
        "Startup",
        (
            at_most(f"`genaiops --help` ÷ `python -c '{BARE}'`, medians of {runs} runs each in turn", ratio, LIMIT),
            Figure("heavy modules imported by `--help`", ", ".join(sorted(found)) or "none", "none", not found),
            Figure("`genaiops --help`", spread(ours_seconds, unit=" s")),
            Figure(f"`python -c '{BARE}'`", spread(bare_seconds, unit=" s")),
        ),
        notes=("Seconds: median (least–most).",),
    )


if __name__ == "__main__":
    alone_with_runs(measure, default=RUNS)
