"""How much of a run was done anew, and how much taken over from earlier evaluations."""

from __future__ import annotations

from genaiops.evaluation.records import Run


def anew(run: Run) -> dict[str, int]:
    """How many cases there are, and how many of them were searched, answered and judged for this run.

    `judged` counts cases that at least one judge looked at, and is 0 for a run without judges.
    """
    results = [result for result in run.results if result.answer is not None]

    def without(stage: str) -> int:
        return sum(stage not in result.reused for result in results)

    return {
        "cases": len(run.results),
        "searched": without("retrieval"),
        "answered": without("answer"),
        "judged": without("judges") if run.judges else 0,
    }


def told_anew(run: Run) -> list[str]:
    """For people; nothing where nothing was taken over."""
    if not any(result.reused for result in run.results):
        return []
    counts = anew(run)
    cases = counts["cases"]
    lines = [f"{counts['answered']} of {cases} cases answered again; {cases - counts['answered']} unchanged"]
    if run.judges:
        lines.append(f"{counts['judged']} of {cases} cases judged again; {cases - counts['judged']} unchanged")
    if counts["answered"] < cases and any(name.startswith("latency") for name in run.scales):
        lines.append("seconds of unchanged answers are those measured when they were made; evaluation.reuse: none")
    return lines
