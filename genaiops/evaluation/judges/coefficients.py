"""The numbers the judges decide by. Data only.

GROUNDEDNESS is written by benchmarks/judges/fit_groundedness.py, RELEVANCE by
benchmarks/judges/fit_relevance.py. Fitted with signs fixed: more evidence never
lowers a value. Raise the version with every change: it is part of the judge's digest.
"""

from typing import Final

GROUNDEDNESS_VERSION: Final = 3
GROUNDEDNESS: Final[dict[str, float]] = {
    "overlap": 1.985,
    "cosine": 3.151,
    "pairs": 1.257,
    "bigrams": 0.7736,
    "numbers": -1.687,
    "names": -0.2939,
    "denial": -8.437,
    "opposite": -10.2,
    "figure": -8.613,
    "direction": 1.5,  # set by hand, see benchmarks/judges/fit_groundedness.py
    "bias": -3.569,
}

RELEVANCE_VERSION: Final = 4
RELEVANCE: Final[dict[str, float]] = {
    "answer": 7.7,
    "sentence": 4.92,
    "coverage": 0.26,
    "density": 2.27,
    # Set by hand: the questions at hand are nearly all "why" and "how", and fit nothing here.
    "lacks": -1.0,
    "bias": -6.88,
    "direct": 0.6,  # least value of an answer that is just the number, time or name asked for; set by hand
    # Of short answers, set by hand on half of a probe written for it (benchmarks/judges/short_answers.jsonl):
    "kind": 1.5,  # per cosine by which a phrase is nearer to the kind asked for than to another
    "at_most": 0.8,  # most that the right kind alone is worth
    "unfit": 0.3,  # what is left of the value of an answer of a wrong form
    "evasive": 0.1,  # what is left of the value of an answer that tells nothing; set by hand
}
