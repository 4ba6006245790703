"""chrF: n-grams of characters, for any language."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

ORDER = 6
RECALL_WEIGHT = 2.0  # β: recall counts twice as much as precision


def counts(answer: str, reference: str) -> dict[str, float]:
    """What corpora add up: for each order the n-grams of the answer, of the reference, and those in both."""
    ours, theirs = "".join(answer.split()), "".join(reference.split())
    found: dict[str, float] = {}
    for n in range(1, ORDER + 1):
        mine, other = _ngrams(ours, n), _ngrams(theirs, n)
        # Where the reference has no n-gram, there was nothing to hit.
        found[f"answer{n}"] = sum(mine.values()) if other else 0
        found[f"reference{n}"] = sum(other.values())
        found[f"both{n}"] = sum((mine & other).values())
    return found


def chrf(total: Mapping[str, float]) -> float:
    """chrF2 of summed counts, in [0, 1]: F2 of the mean precision and the mean recall over six orders.

    Popović, chrF: character n-gram F-score for automatic MT evaluation, WMT 2015; white space does not count, case
    does, and orders that one of the texts is too short for are left out, as in sacrebleu.
    """
    pairs = [(total[f"both{n}"], total[f"answer{n}"], total[f"reference{n}"]) for n in range(1, ORDER + 1)]
    known = [(both / ours, both / theirs) for both, ours, theirs in pairs if ours and theirs]
    if not known:
        return 0.0
    precision = sum(found for found, _ in known) / len(known)
    recall = sum(found for _, found in known) / len(known)
    weighted = RECALL_WEIGHT**2
    below = weighted * precision + recall
    return min(1.0, (1 + weighted) * precision * recall / below) if below else 0.0


def _ngrams(text: str, n: int) -> Counter[str]:
    return Counter(text[start : start + n] for start in range(len(text) - n + 1))
