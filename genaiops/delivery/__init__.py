"""A flow's way from its golden set to an environment, and the life of its indexes.

The functions behind the commands, for Python too. They join flow, evaluation and promotion, which do not know
each other.
"""

from genaiops.delivery.checking import load_checked
from genaiops.delivery.comparing import named_runs
from genaiops.delivery.diffing import diff_indexes
from genaiops.delivery.evaluating import Evaluated, evaluate_flow, evaluate_release, find_evaluation, write_report
from genaiops.delivery.forgetting import allow_again, forget, plan_forget, read_receipts
from genaiops.delivery.freshness import freshness
from genaiops.delivery.history import find_index, list_indexes
from genaiops.delivery.lineage import answer_lineage, lineage_of
from genaiops.delivery.rebuilding import rebuild_index
from genaiops.delivery.releasing import Gated, gate_flow, open_release, release_flow, release_gated
from genaiops.delivery.retention import clean_up

__all__ = [
    "Evaluated",
    "Gated",
    "allow_again",
    "answer_lineage",
    "clean_up",
    "diff_indexes",
    "evaluate_flow",
    "evaluate_release",
    "find_evaluation",
    "find_index",
    "forget",
    "freshness",
    "gate_flow",
    "lineage_of",
    "list_indexes",
    "load_checked",
    "named_runs",
    "open_release",
    "plan_forget",
    "read_receipts",
    "rebuild_index",
    "release_flow",
    "release_gated",
    "write_report",
]
