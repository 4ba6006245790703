"""What one `ask` in a warm process costs above embedding the question and searching.

python -m benchmarks.ask_overhead
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence

from benchmarks import well_architected
from benchmarks.places import HANDBOOK, WELL_ARCHITECTED, DataAbsent, project, sources
from benchmarks.reporting import Figure, Report, alone_with_runs, at_most
from genaiops.flow import Flow
from genaiops.golden_sets import GoldenSet

RUNS = 3
LIMIT_MS = 5.0


def measure(runs: int = RUNS) -> Report:
    """Every question of the bundled flow (and of Well-Architected, where its files are) `runs` times."""
    handbook = Flow.load(HANDBOOK, project=project())
    handbook.build()
    figures = _figures("handbook", handbook, [case.question for case in GoldenSet.load(handbook.golden_set_path)], runs)
    try:
        labelled = well_architected.labelled()
    except DataAbsent:
        pass
    else:
        flow = Flow.load(WELL_ARCHITECTED, overrides=[sources(labelled.source)], project=project())
        flow.build()
        figures += _figures("Well-Architected", flow, [query.text for query in labelled.queries], runs)
    return Report(
        "One `ask` in a warm process",
        tuple(figures),
        notes=(
            "Each question was asked three times in one process, so the offline generator had read most chunks before. "
            "Overhead: the whole call by the caller's clock, less what the same call spent on embedding and searching. "
            "Offline generator, one thread asking.",
        ),
    )


def _figures(name: str, flow: Flow, questions: Sequence[str], runs: int) -> list[Figure]:
    pipeline = flow.pipeline
    for question in questions[:20]:
        pipeline.ask(question)
    whole, overhead = [], []
    for question in list(questions) * runs:
        start = time.perf_counter()
        answer = pipeline.ask(question)
        seconds = time.perf_counter() - start
        whole.append(1000 * seconds)
        overhead.append(1000 * (seconds - answer.seconds["retrieve"]))
    asked = f"{name}, {len(questions)} questions"
    return [
        at_most(f"{asked}: overhead, median", _percentile(overhead, 50), LIMIT_MS, unit=" ms"),
        at_most(f"{asked}: overhead, 95th percentile", _percentile(overhead, 95), LIMIT_MS, unit=" ms"),
        Figure(
            f"{asked}: the whole call, median / 95th", f"{_percentile(whole, 50):.1f} / {_percentile(whole, 95):.1f} ms"
        ),
    ]


def _percentile(values: Sequence[float], percent: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


if __name__ == "__main__":
    alone_with_runs(measure, default=RUNS)
