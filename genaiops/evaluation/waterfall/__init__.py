"""Where wrong answers went wrong: the first stage of the way from source to answer that lost what was needed."""

from genaiops.evaluation.waterfall.attributing import attribute, traced_case
from genaiops.evaluation.waterfall.steps import Step
from genaiops.evaluation.waterfall.totals import STAGES, told_in_lines, waterfall
from genaiops.evaluation.waterfall.trace import Passage, Standing, Trace
from genaiops.evaluation.waterfall.wrong import WRONG_BELOW, wrong_because

__all__ = [
    "STAGES",
    "WRONG_BELOW",
    "Passage",
    "Standing",
    "Step",
    "Trace",
    "attribute",
    "told_in_lines",
    "traced_case",
    "waterfall",
    "wrong_because",
]
