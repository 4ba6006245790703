"""Shares and means corrected for what a judge gets wrong, with intervals that hold the doubt about the judge too.

Coverage is simulated in tests/passports/test_corrected_means.py.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

from genaiops.evaluation.passports.record import Confusion, Figure, SourceFigures

if TYPE_CHECKING:
    import numpy as np

    from genaiops.evaluation.records import Run

    Floats = np.ndarray[Any, np.dtype[np.float64]]

FEWEST_LABELS = 5  # below, a mean corrected by labels has no interval worth printing


@dataclass(frozen=True, slots=True)
class CorrectedShare:
    """The share of answers that people would call good, as far as a judge can tell it.

    `judged` is the share of `n` answers that the judge calls good; `low` to `high` holds
    the corrected share whichever of `sources` the judge errs as on; a source on which it
    cannot tell good from bad says nothing and makes them 0 and 1. `unlike` names the sources
    that are left out: with their error rates no share of good answers gives what was judged.
    When all are, nothing is known, and `low` and `high` are 0 and 1.
    """

    measure: str
    judged: float
    n: int
    low: float
    high: float
    sources: dict[str, Figure]
    unlike: tuple[str, ...] = ()


def corrected_shares(run: Run, *, on: date | None = None) -> dict[str, CorrectedShare]:
    """Measure → corrected share, for every judge of the run whose passport holds on a day (default: today)."""
    found = {}
    for measure, passport in run.passports.items():
        values = list(run.values(measure).values())
        if not values or passport.refusal(run.judges.get(measure, ""), on=on):
            continue
        good = sum(value >= passport.threshold for value in values)
        usable = [source for source in passport.sources if _tells(source)]
        sources = {
            source.source: figure
            for source in usable
            if (figure := rogan_gladen(good, len(values), source.confusion, confidence=run.confidence)) is not None
        }
        if usable:
            low, high = (
                min((s.low for s in sources.values()), default=0.0),
                max((s.high for s in sources.values()), default=1.0),
            )
            unlike = tuple(source.source for source in usable if source.source not in sources)
            found[measure] = CorrectedShare(measure, good / len(values), len(values), low, high, sources, unlike)
    return found


def _tells(source: SourceFigures) -> bool:
    """Whether its error rates are known, are those of answers that the judge had not seen, and people gave."""
    wrong = source.confusion
    return bool(wrong.positive and wrong.negative) and not source.seen and not source.constructed


def rogan_gladen(good: int, n: int, confusion: Confusion, *, confidence: float = 0.95) -> Figure | None:
    """The true share behind `good` of `n` positive verdicts of a judge with a known confusion.

    Rogan and Gladen (American Journal of Epidemiology 107 (1978) 71-76):
    (share + specificity - 1) / (sensitivity + specificity - 1), cut to [0, 1]. The
    interval, which holds the doubt about sensitivity and specificity, is that of Lang and
    Reiczigel (Preventive Veterinary Medicine 113 (2014) 13-22). A judge that is not shown
    to be better than chance tells nothing: then the interval is all of [0, 1]. The error
    rates must be those of these answers, too: None when they cannot be, since the interval
    lies outside [0, 1] (of more verdicts "good" than a judge gives that overlooks half of
    the good answers, no share can be the reason). ValueError unless there are verdicts and
    labels of both kinds.
    """
    if not 0 <= good <= n or not n or not confusion.positive or not confusion.negative:
        raise ValueError("corrections need at least one verdict, and labels of both kinds")
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = good / n
    sensitivity = confusion.true_positive / confusion.positive
    specificity = confusion.true_negative / confusion.negative
    gain = sensitivity + specificity - 1
    value = min(1.0, max(0.0, (share + specificity - 1) / gain)) if gain > 0 else share
    # Pseudo-observations keep every variance above 0.
    p, size = (good + z * z / 2) / (n + z * z), n + z * z
    se, se_size = (confusion.true_positive + 1) / (confusion.positive + 2), confusion.positive + 2
    sp, sp_size = (confusion.true_negative + 1) / (confusion.negative + 2), confusion.negative + 2
    se_var, sp_var, youden = se * (1 - se) / se_size, sp * (1 - sp) / sp_size, se + sp - 1
    if youden <= z * math.sqrt(se_var + sp_var):
        return Figure(value, 0.0, 1.0)

    def interval(p: float) -> tuple[float, float]:
        prevalence = (p + sp - 1) / youden
        shift = 2 * z * z * (prevalence * se_var - (1 - prevalence) * sp_var)
        spread = math.sqrt(p * (1 - p) / size + prevalence**2 * se_var + (1 - prevalence) ** 2 * sp_var) / youden
        return prevalence + shift - z * spread, prevalence + shift + z * spread

    low, high = interval(p)
    if low > 1 or high < 0:
        return None
    # Beyond what such a judge can say of any answers, the interval is that of the last share it can say: cut at 0 or
    # 1 it would become the narrower the worse the error rates fit.
    low, high = interval(min(max(p, 1 - sp), se))
    return Figure(value, min(value, max(0.0, low)), max(value, min(1.0, high)))


def ppi_mean(labelled: Sequence[tuple[float, float]], judged: Sequence[float], *, confidence: float = 0.95) -> Figure:
    """The mean label of answers of which people labelled a few and a judge graded all.

    `labelled` are pairs (label, judged value) of answers drawn at random, `judged` the
    values of those without a label; all in [0, 1]. Prediction-powered inference
    (Angelopoulos et al., Science 382 (2023) 669-674) with the weight of PPI++
    (Angelopoulos, Duchi and Zrnic, arXiv:2311.01453, 2023), cut to [0, 1]:
    mean(label) - w (mean(judged value of labelled) - mean(judged)), where
    w = cov(label, value) / ((1 + n/N) var(value)). A worthless judge gets weight 0, and
    the labels alone count. The interval is Student's t with two labels added, a 0 and a
    1, so that labels that are all alike leave doubt. ValueError for fewer than 5 labels.
    """
    import numpy as np
    from scipy.special import stdtrit

    if len(labelled) < FEWEST_LABELS:
        raise ValueError(f"a mean corrected by labels needs at least {FEWEST_LABELS} of them")
    pairs = np.asarray(labelled, dtype=np.float64)
    rest = np.asarray(judged, dtype=np.float64)
    weight = _weight(pairs, rest)
    value = _ppi(pairs, rest, weight)
    added = np.vstack([pairs, [[0.0, pairs[:, 1].mean()], [1.0, pairs[:, 1].mean()]]])
    center = _ppi(added, rest, weight)
    variance = (added[:, 0] - weight * added[:, 1]).var(ddof=1) / len(added)
    if rest.size:
        variance += weight**2 * rest.var() / rest.size
    half = float(stdtrit(len(added) - 1, (1 + confidence) / 2)) * math.sqrt(variance)
    value = min(1.0, max(0.0, value))
    return Figure(value, min(value, max(0.0, center - half)), max(value, min(1.0, center + half)))


def _weight(pairs: Floats, rest: Floats) -> float:
    import numpy as np

    spread = float(np.concatenate([pairs[:, 1], rest]).var())
    if not rest.size or spread <= 0:
        return 0.0
    together = float(np.cov(pairs.T)[0, 1])
    return min(1.0, max(0.0, together / ((1 + len(pairs) / rest.size) * spread)))


def _ppi(pairs: Floats, rest: Floats, weight: float) -> float:
    if not rest.size:
        return float(pairs[:, 0].mean())
    return float(pairs[:, 0].mean() - weight * (pairs[:, 1].mean() - rest.mean()))
