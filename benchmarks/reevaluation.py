"""How much of an evaluation is done again: nothing changed, one document changed, on the handbook.

python -m benchmarks.reevaluation
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.places import HANDBOOK, REPOSITORY
from benchmarks.reporting import Figure, Report, alone, at_most
from genaiops.delivery import evaluate_flow
from genaiops.evaluation.anew import anew
from genaiops.evaluation.records import Run
from genaiops.evaluation.waterfall import STAGES, waterfall
from genaiops.flow import Flow
from genaiops.project import Project, ProjectSettings
from genaiops.testing import ScriptedModelServer

LIMIT_PERCENT = 5.0
CHANGED = "statistics.md"  # a page with a handful of golden cases


def measure() -> Report:
    """First and second evaluation with the local judges; then model calls with a scripted model at temperature 0."""
    with tempfile.TemporaryDirectory(prefix="genaiops-bench-") as name:
        project, documents = _copy(Path(name))
        places = (f"documents.sources=[{documents}]", f"evaluation.golden_set={REPOSITORY}/eval_datasets/handbook")

        def flow(*settings: str) -> Flow:
            return Flow.load(HANDBOOK, overrides=[*places, *settings], project=project)

        flow().build()
        first, whole = _timed(flow())
        again, least = _timed(flow())
        calls, counts = _calls(flow, documents)
    cases = len(first.results)
    lost = ", ".join(f"{STAGES[stage]} {count}" for stage, count in waterfall(first).items())
    return Report(
        "Evaluating again",
        (
            at_most("second evaluation ÷ first, nothing changed, wall clock", 100 * least[0] / whole[0], LIMIT_PERCENT,
                    unit=" %"),
            at_most("the same in processor time", 100 * least[1] / whole[1], LIMIT_PERCENT, unit=" %"),
            at_most("cases searched, answered or judged again, nothing changed",
                    sum(anew(again).values()) - cases, 0, digits=0),
            at_most("model calls of the second evaluation, a model at temperature 0", calls[1], 0, digits=0),
            Figure("model calls of the first", str(calls[0])),
            Figure(f"one section of {CHANGED} added: cases answered again", f"{counts['answered']} of {cases}"),
            Figure(f"first evaluation, {cases} cases", f"{whole[0]:.1f} s ({whole[1]:.1f} s of processor time)"),
            Figure("second evaluation", f"{least[0]:.2f} s ({least[1]:.2f} s of processor time)"),
            Figure("answers that were wrong, by the stage that lost them", lost or "none"),
        ),
        notes=(
            "The index is built before; the first evaluation begins with an empty cache of sentence vectors and "
            "results. Tracking is off. Both evaluations run in one process, so the second has the model loaded, "
            "which it does not use.",
        ),
    )  # fmt: skip


def _copy(folder: Path) -> tuple[Project, Path]:
    """A project with an empty state folder, and a copy of the pages that may be changed."""
    documents = folder / "docs"
    documents.mkdir()
    for page in (REPOSITORY / "docs").glob("*.md"):
        shutil.copy(page, documents)
    return Project(REPOSITORY, ProjectSettings(tracking="none"), folder / "home"), documents


def _timed(flow: Flow) -> tuple[Run, tuple[float, float]]:
    """The run with its wall-clock and processor seconds."""
    wall, processor = time.perf_counter(), time.process_time()
    run = evaluate_flow(flow).run
    return run, (time.perf_counter() - wall, time.process_time() - processor)


def _calls(flow: Callable[..., Flow], documents: Path) -> tuple[Sequence[int], dict[str, int]]:
    """Model calls of two evaluations with nothing changed, and what a changed page makes of the third."""
    with ScriptedModelServer("The documents say so. [1]") as server:
        settings = ("generation.model=scripted", f"generation.base_url={server.base_url}", "evaluation.reuse=models",
                    "evaluation.measures=[recall@6, answered, refusal]")  # fmt: skip
        asked = []
        for _ in range(2):
            before = len(server.chats)
            evaluate_flow(flow(*settings))
            asked.append(len(server.chats) - before)
        with (documents / CHANGED).open("a", encoding="utf-8") as page:
            page.write("\n\n## One more section\n\nA flipped coin is a sample of one.\n")
        flow(*settings).build()
        return asked, anew(evaluate_flow(flow(*settings)).run)


if __name__ == "__main__":
    alone(measure)
