"""Measures whose figure is no mean over cases: corpus BLEU and chrF, precision, recall and F1.

Each case gives its counts (`Score.parts`), the figure is a formula of their sum. The scale of such a measure names
the formula as its `statistic`, so a run's record can be judged without the measure that made it.

For intervals and paired comparisons each case gets a contribution: the figure plus the case's influence on it,
n times the derivative of the formula by the weight of the case (the infinitesimal jackknife: Jaeckel 1972; Efron,
The Jackknife, the Bootstrap and Other Resampling Plans, 1982, chapter 6). The mean of the contributions is the
figure, and their spread is that of the figure, so everything that works on values of cases works on them.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial

from genaiops.evaluation import classes
from genaiops.evaluation.overlap.bleu import bleu
from genaiops.evaluation.overlap.chrf import chrf
from genaiops.evaluation.records import Run
from genaiops.evaluation.scale import Scale, Statistic
from genaiops.evaluation.statistics import Interval, Moments, Sides, mean_interval, wilson_ends
from genaiops.evaluation.statistics.clusters import Clusters
from genaiops.records import Score

Formula = Callable[[Mapping[str, float]], float]  # summed counts → figure in [0, 1]

POOLED: dict[str, Formula] = {
    "bleu": bleu,
    "chrf": chrf,
    **{f"{figure}_macro": partial(classes.macro, figure) for figure in classes.FIGURES},
}
# `name@label`: the figure of one label.
POOLED_OF_LABEL: dict[str, Callable[[str], Formula]] = {
    f"{figure}_label": partial(partial, classes.of_label, figure) for figure in classes.FIGURES
}
_STEP = 1e-4  # of a case's weight, to either side; the formulas are smooth in it


@cache
def formula_of(statistic: Statistic) -> Formula | None:
    """The formula that a statistic names; None for "mean", for quantiles, and for a name that is not known here."""
    if statistic in POOLED:
        return POOLED[statistic]
    name, _, label = statistic.partition("@")
    return POOLED_OF_LABEL[name](label) if name in POOLED_OF_LABEL and label else None


def is_pooled(scale: Scale) -> bool:
    """Whether the figure is a formula of summed counts; true also for a formula that is not known here."""
    return scale.statistic != "mean" and scale.quantile is None


def contributions(scores: Mapping[str, Score], scale: Scale) -> dict[str, float]:
    """Case → what it contributes to the figure, the figure being the mean; the values themselves for a mean.

    Cases without the counts that a pooled figure needs are left out, all of them where the formula is not known.
    """
    if not is_pooled(scale):
        return {name: score.value for name, score in scores.items()}
    formula = formula_of(scale.statistic)
    counted = {name: score for name, score in scores.items() if score.parts}
    if formula is None or not counted:
        return {}
    total: Counter[str] = Counter()
    for score in counted.values():
        total.update(dict(score.parts))
    figure = formula(total)
    slopes: dict[tuple[tuple[str, float], ...], float] = {}
    for score in counted.values():
        if score.parts not in slopes:
            slopes[score.parts] = _slope(formula, total, dict(score.parts))
    influences = {name: len(counted) * slopes[score.parts] for name, score in counted.items()}
    for name, doubt in zip(counted, _doubts(scale.statistic, counted), strict=True):
        influences[name] += doubt
    off = math.fsum(influences.values()) / len(counted)  # zero but for the step, an odd doubt and round-off
    return {name: figure + influence - off for name, influence in influences.items()}


def _doubts(statistic: Statistic, counted: Mapping[str, Score]) -> list[float]:
    name, _, label = statistic.partition("@")
    if not (name.endswith("_macro") or name in POOLED_OF_LABEL):
        return [0.0] * len(counted)
    return classes.doubts([dict(score.parts) for score in counted.values()], label)


def contributions_of(run: Run, measure: str) -> dict[str, float]:
    """`contributions` of the cases that a run scored."""
    outcomes = ((result.case.id, result.outcomes.get(measure)) for result in run.results)
    scores = {name: outcome for name, outcome in outcomes if isinstance(outcome, Score)}
    return contributions(scores, run.scale(measure))


def pooled_interval(
    values: Sequence[float],
    *,
    confidence: float = 0.95,
    sides: Sides = 2,
    seed: int = 0,
    clusters: Clusters | None = None,
) -> Interval:
    """The interval of a figure in [0, 1] from the contributions of its cases.

    From their spread (Student's t and a seeded BCa bootstrap), or, where they are all equal, Wilson's interval of a
    proportion of as many cases. Its coverage is simulated in tests/evaluation/test_pooled_measures.py.
    """
    spread = mean_interval(
        values, confidence=confidence, unit_interval=False, sides=sides, seed=seed, clusters=clusters
    )
    figure, low, high = min(1.0, max(0.0, spread.estimate)), spread.low, spread.high
    if min(values) == max(values):
        low, high = wilson_ends(Moments(spread.n, figure, figure), (1 - confidence) / sides)
    return Interval(figure, max(0.0, min(low, figure)), min(1.0, max(high, figure)), spread.n, spread.effective)


def _slope(formula: Formula, total: Mapping[str, float], parts: Mapping[str, float]) -> float:
    more, less = (
        formula({**total, **{key: total[key] + step * count for key, count in parts.items()}})
        for step in (_STEP, -_STEP)
    )
    return (more - less) / (2 * _STEP)
