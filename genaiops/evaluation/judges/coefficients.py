"""The numbers the judges decide by. Data only.

GROUNDEDNESS is written by benchmarks/judges/fit_groundedness.py, RELEVANCE by
benchmarks/judges/fit_relevance.py. Fitted with signs fixed: more evidence never
lowers a value. Raise the version with every change: it is part of the judge's digest.
"""

from typing import Final

GROUNDEDNESS_VERSION: Final = 2
GROUNDEDNESS: Final[dict[str, float]] = {
    "overlap": 2.041,
    "cosine": 3.308,
    "pairs": 1.395,
    "bigrams": 0.6767,
    "numbers": -2.265,
    "names": -0.4567,
    "denial": -8.445,
    "opposite": -10.17,
    "figure": -8.149,
    "direction": 1.5,  # set by hand, see benchmarks/judges/fit_groundedness.py
    "bias": -3.82,
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
