"""ROUGE-1, ROUGE-2 and ROUGE-L as F1. Lin, ROUGE: A Package for Automatic Evaluation of Summaries, ACL 2004."""

from __future__ import annotations

import re
from collections.abc import Sequence

from genaiops.evaluation.overlap.bleu import ngrams

_WORD = re.compile(r"[^\W_]+")


def words(text: str) -> list[str]:
    """Lower-case words and numbers of any script; on ASCII those of rouge-score (without its stemmer)."""
    return _WORD.findall(text.lower())


def rouge_n(answer: str, reference: str, n: int) -> float:
    """F1 of the n-grams of words, counted with repetition, in [0, 1]."""
    ours, theirs = (ngrams(words(text), n) for text in (answer, reference))
    return _f1(sum((ours & theirs).values()), sum(ours.values()), sum(theirs.values()))


def rouge_l(answer: str, reference: str) -> float:
    """F1 of the longest common subsequence of words, in [0, 1]."""
    ours, theirs = words(answer), words(reference)
    return _f1(longest_common(ours, theirs), len(ours), len(theirs))


def longest_common(a: Sequence[str], b: Sequence[str]) -> int:
    """Length of the longest common subsequence, in len(b) operations on numbers of len(a) bits.

    Hyyrö, Bit-parallel LCS-length computation revisited, AWOCA 2004.
    """
    places: dict[str, int] = {}
    for position, word in enumerate(a):
        places[word] = places.get(word, 0) | 1 << position
    full = (1 << len(a)) - 1
    row = full
    for word in b:
        matched = row & places.get(word, 0)
        row = ((row + matched) | (row - matched)) & full
    return len(a) - row.bit_count()


def _f1(shared: int, ours: int, theirs: int) -> float:
    return 2 * shared / (ours + theirs) if shared else 0.0
