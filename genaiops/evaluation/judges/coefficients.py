"""The numbers the judges decide by. Data only.

GROUNDEDNESS is written by benchmarks/judges/fit_groundedness.py, RELEVANCE by
benchmarks/judges/fit_relevance.py. Fitted with signs fixed: more evidence never
lowers a value. Raise the version with every change: it is part of the judge's digest.
"""

from typing import Final

GROUNDEDNESS_VERSION: Final = 1
GROUNDEDNESS: Final[dict[str, float]] = {
    "overlap": 1.974,
    "cosine": 2.906,
    "pairs": 1.097,
    "bigrams": 0.5618,
    "topic": 1.029,
    "missing": -0.353,
    "numbers": -2.47,
    "names": -0.3022,
    "denial": -8.33,
    "opposite": -9.856,
    "figure": -6.899,
    "bias": -3.567,
}

RELEVANCE_VERSION: Final = 1
RELEVANCE: Final[dict[str, float]] = {
    "answer": 3.977,
    "sentence": 4.132,
    "coverage": 2.017,
    # Set by hand: the questions at hand are nearly all "why" and "how", and fit nothing here.
    "lacks": -1.0,
    "bias": -4.739,
}
