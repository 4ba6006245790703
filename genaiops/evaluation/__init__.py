"""Answers become scores, scores become a report.

The names below are loaded when they are first used, so that importing the package stays cheap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from genaiops.lazy import lazily

if TYPE_CHECKING:
    from genaiops.evaluation.loop import evaluate as evaluate
    from genaiops.evaluation.measures import DEFAULT_MEASURES as DEFAULT_MEASURES
    from genaiops.evaluation.measures import MEASURES as MEASURES
    from genaiops.evaluation.measures import measure_named as measure_named
    from genaiops.evaluation.records import CaseResult as CaseResult
    from genaiops.evaluation.records import Measure as Measure
    from genaiops.evaluation.records import Run as Run
    from genaiops.evaluation.records import Sample as Sample
    from genaiops.evaluation.records import Subject as Subject
    from genaiops.evaluation.row_runs import score as score
    from genaiops.evaluation.rows import read_rows as read_rows
    from genaiops.evaluation.rows import score_rows as score_rows
    from genaiops.evaluation.runs import find_run as find_run
    from genaiops.evaluation.runs import list_runs as list_runs
    from genaiops.evaluation.tracking import track as track

__getattr__, __all__ = lazily(
    __name__,
    {
        "loop": "evaluate",
        "measures": "DEFAULT_MEASURES MEASURES measure_named",
        "records": "CaseResult Measure Run Sample Subject",
        "row_runs": "score",
        "rows": "read_rows score_rows",
        "runs": "find_run list_runs",
        "tracking": "track",
    },
)
