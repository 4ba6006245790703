"""Judges that need no key and no network: words and sentence vectors, through small readable models.

`JUDGES` maps the name of a measure to what makes it from an embedder. `explain`
says, sentence by sentence, what an answer's groundedness rests on.
"""

from collections.abc import Callable
from typing import Final

from genaiops.embedding import Embedder
from genaiops.evaluation.judges.completeness import completeness_judge
from genaiops.evaluation.judges.groundedness import explain, groundedness_judge
from genaiops.evaluation.judges.relevance import relevance_judge
from genaiops.evaluation.judges.utilization import utilization_judge
from genaiops.evaluation.records import Measure

JUDGES: Final[dict[str, Callable[[Embedder], Measure]]] = {
    "groundedness": groundedness_judge,
    "relevance": relevance_judge,
    "completeness": completeness_judge,
    "utilization": utilization_judge,
}

__all__ = ["JUDGES", "explain"]
