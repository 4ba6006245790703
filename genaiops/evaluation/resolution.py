"""How small a drop the cases of a run can show."""

from __future__ import annotations

from collections.abc import Sequence

from genaiops.display import counted
from genaiops.evaluation.records import Run
from genaiops.evaluation.scoring import document_of
from genaiops.evaluation.statistics import detectable_difference
from genaiops.records import Case


def detectable_drop(cases: int, *, margin: float = 0.0, confidence: float = 0.95) -> float | None:
    """The least drop of a measure in [0, 1] that so many cases show 4 times of 5 to be more than `margin`.

    Between two versions that differ in nothing else, compared case by case; None when the
    cases are too few for any drop. A version that also differs by chance needs more.
    """
    if not cases:
        return None
    beyond = detectable_difference([0.0] * cases, -margin, confidence=confidence, unit_interval=True, paired=True)
    return None if beyond is None else margin + beyond


def resolution(run: Run) -> str:
    """One line on what so many cases can show; "" for a run that scored nothing."""
    scored = max((s.scored for s in run.summaries if run.scale(s.measure).unit_interval), default=0)
    drop = detectable_drop(scored, confidence=run.confidence)
    if drop is None:
        return ""
    return f"{_told([r.case for r in run.results])} can show a drop of {drop:.3f} or more (4 times of 5, paired)"


def _told(cases: Sequence[Case]) -> str:
    """`110 cases about 17 documents`."""
    documents = {document_of(case) for case in cases if case.evidence}
    about = f" about {counted(len(documents), 'document')}" if documents else ""
    return f"{counted(len(cases), 'case')}{about}"
