"""How many wrong answers each stage lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType

from genaiops.evaluation.records import Run, Stage

# In the order in which an answer passes them, with what it means to be lost there.
STAGES: Mapping[Stage, str] = MappingProxyType(
    {
        "corpus": "not in the documents",
        "parser": "lost by the parser",
        "chunker": "split by the chunker",
        "retrieval": "not retrieved",
        "ranking": "ranked out",
        "budget": "cut before the prompt",
        "unused": "in the context, not used",
        "contradicted": "contradicted by the answer",
        "refused": "wrongly refused, or wrongly answered",
        "error": "no answer, an error",
        "unknown": "cannot be told",
    }
)
ORDER: Mapping[Stage, int] = {stage: number for number, stage in enumerate(STAGES)}


def waterfall(run: Run) -> dict[Stage, int]:
    """Stage → how many wrong answers it lost, in the order of the stages; stages that lost none are left out."""
    counts = Counter(result.failure.stage for result in run.results if result.failure is not None)
    return {stage: counts[stage] for stage in STAGES if counts[stage]}


def told_in_lines(run: Run) -> list[str]:
    """The totals for people: one line each, with the setting named most often."""
    found = waterfall(run)
    if not found:
        return []
    lines = [f"{sum(found.values())} of {len(run.results)} answers are wrong; lost at:"]
    for stage, count in found.items():
        knobs = Counter(
            r.failure.knob.partition(" (")[0] for r in run.results if r.failure and r.failure.stage == stage
        )
        knob = knobs.most_common(1)[0][0]
        lines.append(f"  {stage:<13} {count:>4}  {STAGES[stage]}{f'; turn {knob}' if knob else ''}")
    return lines
