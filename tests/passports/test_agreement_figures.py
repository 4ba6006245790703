"""Figures of agreement are what the field's formulas give, and their intervals hold what they promise."""

from __future__ import annotations

from collections.abc import Callable
from statistics import NormalDist

import numpy as np
import pytest

from genaiops.evaluation.passports.figures import auroc, balanced_accuracy, confusion_of, kappa, source_figures
from genaiops.evaluation.passports.record import Confusion, Figure

TIMES = 300
# 95 of 100 are promised; over 300 repetitions fewer than 275 would come by chance once in about 300.
HELD = 275


def held(truth: float, draw: Callable[[], Figure]) -> int:
    return sum(found.low <= truth <= found.high for found in (draw() for _ in range(TIMES)))


def test_auroc_counts_ordered_pairs_and_ties_half() -> None:
    labels, values = [True, True, True, False, False], [0.9, 0.5, 0.1, 0.5, 0.2]
    wins = sum((a > b) + (a == b) / 2 for a in values[:3] for b in values[3:])
    assert auroc(labels, values).value == pytest.approx(wins / 6)


def test_delong_variance_is_that_of_the_published_formula() -> None:
    """The structural components written out, against the ranks that the code uses, where DeLong's ends decide."""
    rng = np.random.default_rng(5)
    good, bad = rng.normal(1, 3, 80), rng.normal(0, 0.3, 80)  # of unequal spread: Newcombe's interval is inside
    wins = np.array([[float(a > b) for b in bad] for a in good])
    area = wins.mean()
    variance = wins.mean(axis=1).var(ddof=1) / 80 + wins.mean(axis=0).var(ddof=1) / 80
    half = NormalDist().inv_cdf(0.975) * np.sqrt(variance) / (area * (1 - area))
    center = np.log(area / (1 - area))
    found = auroc([True] * 80 + [False] * 80, [*good, *bad])
    assert (found.low, found.high) == pytest.approx([1 / (1 + np.exp(-(center + side * half))) for side in (-1, 1)])


@pytest.mark.parametrize(("distance", "rows"), [(0.5, 15), (1.5, 40), (3.0, 15)])
def test_the_interval_of_auroc_holds_the_truth(distance: float, rows: int) -> None:
    rng = np.random.default_rng(1)
    labels = [True] * rows + [False] * rows
    truth = NormalDist().cdf(distance / 2**0.5)
    draw = lambda: auroc(labels, [*rng.normal(distance, 1, rows), *rng.normal(0, 1, rows)])  # noqa: E731
    assert held(truth, draw) >= HELD


@pytest.mark.parametrize(("sensitivity", "specificity", "rows"), [(0.9, 0.7, 20), (0.6, 0.6, 60), (0.98, 0.95, 60)])
def test_the_intervals_of_balanced_accuracy_and_kappa_hold_the_truth(
    sensitivity: float, specificity: float, rows: int
) -> None:
    rng = np.random.default_rng(2)

    def table() -> Confusion:
        right, refused = int(rng.binomial(rows, sensitivity)), int(rng.binomial(rows, specificity))
        return Confusion(right, rows - refused, refused, rows - right)

    agreed = (sensitivity + specificity) / 2
    assert held(agreed, lambda: balanced_accuracy(table())) >= HELD
    # With as many good rows as bad ones chance agrees on half, whatever the judge says.
    assert held(2 * agreed - 1, lambda: kappa(table())) >= HELD


def test_kappa_is_agreement_beyond_chance() -> None:
    # Cohen's own shape of example: 0.7 agree, 0.5 would by chance.
    assert kappa(Confusion(35, 15, 35, 15)).value == pytest.approx(0.4)
    assert kappa(Confusion(10, 10, 0, 0)).value == 0.0


def test_a_perfect_judge_of_few_rows_is_not_known_to_be_perfect() -> None:
    found = source_figures("own", [True] * 5 + [False] * 5, [0.9] * 5 + [0.1] * 5)
    assert found.auroc is not None and found.balanced_accuracy is not None
    for figure in (found.auroc, found.balanced_accuracy, found.kappa):
        assert (figure.value, figure.high) == (1.0, 1.0)
        assert figure.low < 0.8


def test_labels_that_are_all_alike_have_no_auroc_and_no_balanced_accuracy() -> None:
    found = source_figures("own", [True] * 3, [0.9, 0.8, 0.2])
    assert (found.auroc, found.balanced_accuracy) == (None, None)
    assert found.confusion == Confusion(2, 0, 0, 1)


def test_the_threshold_itself_counts_as_good() -> None:
    assert confusion_of([True, False], [0.5, 0.49]) == Confusion(1, 0, 1, 0)
