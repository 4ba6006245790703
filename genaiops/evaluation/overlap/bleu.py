"""BLEU: n-grams of words, as sacrebleu counts them."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping

ORDER = 4
_RULES = (
    (re.compile(r"([\{-\~\[-\` -\&\(-\+\:-\@\/])"), r" \1 "),  # symbols stand alone
    (re.compile(r"([^0-9])([\.,])"), r"\1 \2 "),  # period and comma, but within a number
    (re.compile(r"([\.,])([^0-9])"), r" \1 \2"),
    (re.compile(r"([0-9])(-)"), r"\1 \2 "),
)
_ENTITIES = (("&quot;", '"'), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">"))


def tokens(text: str) -> list[str]:
    """Words as WMT's mteval-v13a cuts them, case kept. It does not cut Chinese, Japanese or Thai: use chrf there."""
    line = text.rstrip().replace("<skipped>", "").replace("-\n", "").replace("\n", " ")
    for entity, character in _ENTITIES:
        line = line.replace(entity, character)
    line = f" {line} "
    for rule, with_spaces in _RULES:
        line = rule.sub(with_spaces, line)
    return line.split()


def counts(answer: str, reference: str) -> dict[str, float]:
    """What corpora add up: `correct1…4` (clipped), `total1…4` n-grams, and the words of both texts."""
    ours, theirs = tokens(answer), tokens(reference)
    found: dict[str, float] = {"words": len(ours), "reference": len(theirs)}
    for n in range(1, ORDER + 1):
        mine, other = ngrams(ours, n), ngrams(theirs, n)
        found[f"correct{n}"] = sum((mine & other).values())
        found[f"total{n}"] = sum(mine.values())
    return found


def bleu(total: Mapping[str, float]) -> float:
    """BLEU of summed counts, in [0, 1]: the geometric mean of four precisions, times the brevity penalty.

    Papineni, Roukos, Ward and Zhu, ACL 2002; an order without a match is smoothed as mteval-v13a does (method 3 of
    Chen and Cherry, WMT 2014).
    """
    return _score(total, longest=ORDER)


def sentence_bleu(found: Mapping[str, float]) -> float:
    """BLEU of one case, in [0, 1]: a text of fewer than four words is judged by the orders it has."""
    return _score(found, longest=sum(found[f"total{n}"] > 0 for n in range(1, ORDER + 1)))


def _score(total: Mapping[str, float], *, longest: int) -> float:
    if not any(total[f"correct{n}"] for n in range(1, ORDER + 1)):
        return 0.0
    logs, smoothing = 0.0, 1.0
    for n in range(1, longest + 1):
        correct, possible = total[f"correct{n}"], total[f"total{n}"]
        if not possible:
            return 0.0
        if not correct:
            smoothing *= 2
            correct = 1 / smoothing
        logs += math.log(correct / possible)
    words, reference = total["words"], total["reference"]
    brevity = 1.0 if words >= reference else math.exp(1 - reference / words)
    return min(1.0, brevity * math.exp(logs / longest))


def ngrams(words: list[str], n: int) -> Counter[tuple[str, ...]]:
    """Every run of n words, and how often it stands there."""
    return Counter(zip(*(words[start:] for start in range(n)), strict=False))
