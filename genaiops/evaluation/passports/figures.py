"""Agreement of a judge with people: AUROC, balanced accuracy and kappa, each with an interval.

The intervals stay honest where the sample is perfect or tiny: none has length zero.
Coverage is simulated in tests/passports/test_agreement_figures.py.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

from genaiops.evaluation.passports.record import THRESHOLD, Confusion, Figure, SourceFigures
from genaiops.evaluation.statistics import Moments, wilson_ends

if TYPE_CHECKING:
    import numpy as np

    Floats = np.ndarray[Any, np.dtype[np.float64]]

DRAWS = 4000


def source_figures(
    source: str, labels: Sequence[bool], values: Sequence[float], *, confidence: float = 0.95, unscored: int = 0
) -> SourceFigures:
    """All figures of one source from at least one row; `labels[i]` is what people say of the row the judge gave
    `values[i]`."""
    confusion = confusion_of(labels, values)
    both = bool(confusion.positive and confusion.negative)
    return SourceFigures(
        source,
        confusion,
        kappa(confusion, confidence=confidence),
        auroc(labels, values, confidence=confidence) if both else None,
        balanced_accuracy(confusion, confidence=confidence) if both else None,
        unscored,
    )


def confusion_of(labels: Sequence[bool], values: Sequence[float], threshold: float = THRESHOLD) -> Confusion:
    """Counts at a threshold fixed beforehand."""
    pairs = [(bool(label), value >= threshold) for label, value in zip(labels, values, strict=True)]
    return Confusion(*(pairs.count(pair) for pair in ((True, True), (False, True), (False, False), (True, False))))


def auroc(labels: Sequence[bool], values: Sequence[float], *, confidence: float = 0.95) -> Figure:
    """Probability that the value of a good row is above that of a bad one, ties counting half.

    The interval is the wider, end by end, of two. DeLong, DeLong and Clarke-Pearson
    (Biometrics 44 (1988) 837-845), on the scale of the logit as Pepe (The Statistical
    Evaluation of Medical Tests, 2003, section 5.2) advises; it uses the data but has
    length zero where every pair is in order. Newcombe's method 5 (Statistics in Medicine
    25 (2006) 559-573), which inverts the variance that Hanley and McNeil give, and holds
    there too. ValueError unless there are good and bad rows.
    """
    import numpy as np
    from scipy.stats import rankdata

    positive = np.asarray(labels, dtype=bool)
    good, bad = int(positive.sum()), int((~positive).sum())
    if not good or not bad:
        raise ValueError("AUROC needs rows of both labels")
    numbers = np.asarray(values, dtype=np.float64)
    ranks = rankdata(numbers)
    # Placement values: the share of the other class that each row beats.
    beats = (ranks[positive] - rankdata(numbers[positive])) / bad
    beaten = 1 - (ranks[~positive] - rankdata(numbers[~positive])) / good
    area = float(beats.mean())
    variance = _variance(beats) / good + _variance(beaten) / bad
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    ends = [newcombe_ends(area, good, bad, z)]
    if 0 < area < 1 and variance > 0:
        center, half = math.log(area / (1 - area)), z * math.sqrt(variance) / (area * (1 - area))
        ends.append((_expit(center - half), _expit(center + half)))
    return Figure(area, min(low for low, _ in ends), max(high for _, high in ends))


def newcombe_ends(area: float, good: int, bad: int, z: float) -> tuple[float, float]:
    """The areas θ with |area - θ| <= z·sqrt(V(θ)), where
    V(θ) = θ(1-θ)[1 + N((1-θ)/(2-θ) + θ/(1+θ))]/(good·bad) and N = (good+bad)/2 - 1."""
    from scipy.optimize import brentq

    half = (good + bad) / 2 - 1

    def beyond(theta: float) -> float:
        spread = theta * (1 - theta) * (1 + half * ((1 - theta) / (2 - theta) + theta / (1 + theta))) / (good * bad)
        return abs(area - theta) - z * math.sqrt(spread)

    least, most = 1e-9, 1 - 1e-9  # at 0 and 1 the variance is 0, which would count as an end
    inside = min(max(area, least), most)
    low = float(brentq(beyond, least, inside)) if inside > least and beyond(least) > 0 else 0.0
    high = float(brentq(beyond, inside, most)) if inside < most and beyond(most) > 0 else 1.0
    return low, high


def balanced_accuracy(confusion: Confusion, *, confidence: float = 0.95) -> Figure:
    """Mean of sensitivity and specificity.

    The interval joins the Wilson intervals of both by squaring and adding (Zou and
    Donner, Statistics in Medicine 27 (2008) 1693-1702).
    """
    tail = (1 - confidence) / 2
    shares = (
        (confusion.true_positive, confusion.positive),
        (confusion.true_negative, confusion.negative),
    )
    found = []
    for hits, n in shares:
        share = hits / n
        found.append((share, *wilson_ends(Moments(n, share, share), tail)))
    value = sum(share for share, _, _ in found) / 2
    below = math.sqrt(sum((share - low) ** 2 for share, low, _ in found)) / 2
    above = math.sqrt(sum((high - share) ** 2 for share, _, high in found)) / 2
    return Figure(value, max(0.0, value - below), min(1.0, value + above))


def kappa(confusion: Confusion, *, confidence: float = 0.95) -> Figure:
    """Agreement beyond chance (Cohen, Educational and Psychological Measurement 20 (1960) 37-46), in [-1, 1].

    0 where chance agrees always. The interval holds the middle of the posterior of kappa
    under Jeffreys' prior for the four counts (half a row in each), from seeded draws.
    """
    import numpy as np

    cells = (confusion.true_positive, confusion.false_positive, confusion.true_negative, confusion.false_negative)
    value = float(_kappa_of(np.array(cells, dtype=np.float64)[None] / max(1, confusion.n))[0])
    draws = _kappa_of(np.random.default_rng(0).dirichlet(np.array(cells) + 0.5, DRAWS))
    low, high = np.quantile(draws, ((1 - confidence) / 2, (1 + confidence) / 2))
    return Figure(value, min(float(low), value), max(float(high), value))


def _kappa_of(shares: Floats) -> Floats:
    """Kappa of each row of shares [rows, 4], which sum to 1: float64 [rows]."""
    import numpy as np

    both, judge_only, neither, people_only = shares.T
    agreed = both + neither
    chance = (both + judge_only) * (both + people_only) + (neither + judge_only) * (neither + people_only)
    found: Floats = np.where(chance < 1, (agreed - chance) / np.where(chance < 1, 1 - chance, 1), 0.0)
    return found


def _variance(placements: Floats) -> float:
    return float(placements.var(ddof=1)) if len(placements) > 1 else 0.25


def _expit(value: float) -> float:
    return 1 / (1 + math.exp(-value)) if value >= 0 else 1 - 1 / (1 + math.exp(value))
