"""The numbers the judges decide by. Data only.

GROUNDEDNESS is written by benchmarks/judges/fit_groundedness.py, RELEVANCE by
benchmarks/judges/fit_relevance.py. Fitted with signs fixed: more evidence never
lowers a value. Raise the version with every change: it is part of the judge's digest.
"""

from typing import Final

GROUNDEDNESS_VERSION: Final = 1
GROUNDEDNESS: Final[dict[str, float]] = {
    "overlap": 1.86,
    "cosine": 2.99,
    "pairs": 1.18,
    "bigrams": 0.58,
    "topic": 0.84,
    "missing": -0.38,
    "numbers": -2.5,
    "names": -0.35,
    "denial": -8.39,
    "opposite": -10.5,
    "bias": -3.42,
}

RELEVANCE_VERSION: Final = 1
RELEVANCE: Final[dict[str, float]] = {
    "answer": 6.0,
    "sentence": 6.0,
    "coverage": 2.0,
    "kind": 1.0,
    "bias": -5.0,
}
