"""METEOR with its exact and stem modules; without synonyms, which need WordNet's data."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

from genaiops.words import stem, words

ALPHA, BETA, GAMMA = 0.9, 3.0, 0.5  # of nltk, and of the paper's first version


def meteor(answer: str, reference: str) -> float:
    """METEOR in [0, 1]: the recall-weighted mean of matched words, less a penalty for broken order.

    Lavie and Agarwal, METEOR: An Automatic Metric for MT Evaluation, WMT 2007. Words match when they are equal, then
    when their Snowball stems are; the alignment is nltk's. Punctuation does not count.
    """
    return score(words(answer), words(reference))


def score(ours: Sequence[str], theirs: Sequence[str]) -> float:
    """METEOR of two lists of lower-case words."""
    pairs = aligned(ours, theirs)
    if not pairs:
        return 0.0
    precision, recall = len(pairs) / len(ours), len(pairs) / len(theirs)
    mean = precision * recall / (ALPHA * precision + (1 - ALPHA) * recall)
    breaks = sum(b != (a[0] + 1, a[1] + 1) for a, b in pairwise(pairs))
    penalty: float = GAMMA * ((breaks + 1) / len(pairs)) ** BETA
    return (1 - penalty) * mean


def aligned(ours: Sequence[str], theirs: Sequence[str]) -> list[tuple[int, int]]:
    """Places of matched words in both texts, in the order of `ours`; each word is matched once."""
    exact = _matched(dict(enumerate(ours)), dict(enumerate(theirs)))
    mine, other = {i for i, _ in exact}, {j for _, j in exact}
    left = {i: stem(word) for i, word in enumerate(ours) if i not in mine}
    right = {j: stem(word) for j, word in enumerate(theirs) if j not in other}
    return sorted(exact + _matched(left, right))


def _matched(ours: dict[int, str], theirs: dict[int, str]) -> list[tuple[int, int]]:
    """From the last word to the first, each with the last equal word that is still free."""
    places: dict[str, list[int]] = defaultdict(list)
    for j, word in theirs.items():
        places[word].append(j)
    return [(i, places[word].pop()) for i, word in reversed(ours.items()) if places.get(word)]
