"""Judges that need no key and no network: words and sentence vectors, through small readable models.

`JUDGES` maps the name of a measure to what makes it from an embedder. `explain`
says, sentence by sentence, what an answer's groundedness rests on.
"""

from collections.abc import Callable
from typing import Final

from genaiops.embedding import Embedder
from genaiops.evaluation.judges.completeness import completeness
from genaiops.evaluation.judges.groundedness import SentenceVerdict, explain, groundedness
from genaiops.evaluation.judges.relevance import relevance
from genaiops.evaluation.judges.utilization import utilization
from genaiops.evaluation.records import Measure

JUDGES: Final[dict[str, Callable[[Embedder], Measure]]] = {
    "groundedness": groundedness,
    "relevance": relevance,
    "completeness": completeness,
    "utilization": utilization,
}

__all__ = ["JUDGES", "SentenceVerdict", "explain"]
