"""A flow's way from its golden set to an environment: evaluate, gate, release, open what an environment serves.

The functions behind the commands, for Python too. They join flow, evaluation and promotion, which do not know
each other.
"""

from genaiops.delivery.evaluating import Evaluated, evaluate_flow, evaluate_release, find_evaluation, write_report
from genaiops.delivery.releasing import Gated, gate_flow, open_release, release_flow, release_gated

__all__ = [
    "Evaluated",
    "Gated",
    "evaluate_flow",
    "evaluate_release",
    "find_evaluation",
    "gate_flow",
    "open_release",
    "release_flow",
    "release_gated",
    "write_report",
]
