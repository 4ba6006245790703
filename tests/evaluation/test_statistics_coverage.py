"""How often the intervals hold, by simulation. Seeded, so a failure is a change of the method."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from genaiops.evaluation.statistics import mean_interval, paired_difference, quantile_interval

Draw = Callable[[np.random.Generator, int], "np.ndarray"]
ROUNDS = 400
# With 400 rounds the share seen of a true 95 % has a standard error of 1.1 %.
SIZES = (20, 60, 150)

SHAPES: dict[str, tuple[Draw, float]] = {
    "beta(2, 2)": (lambda r, n: r.beta(2, 2, n), 0.5),
    "beta(8, 2)": (lambda r, n: r.beta(8, 2, n), 0.8),
    "beta(0.2, 0.05), two heaps": (lambda r, n: r.beta(0.2, 0.05, n), 0.8),
    "95 % ones, the rest anywhere": (lambda r, n: np.where(r.random(n) < 0.95, 1.0, r.random(n)), 0.975),
    "97 % high, the rest zero": (lambda r, n: np.where(r.random(n) < 0.97, 0.9 + r.random(n) / 10, 0.0), 0.97 * 0.95),
    "thirds": (lambda r, n: r.choice([0, 1 / 3, 2 / 3, 1], n, p=[0.05, 0.1, 0.25, 0.6]), 0.8),
    "binary 0.9": (lambda r, n: (r.random(n) < 0.9).astype(float), 0.9),
    "binary 0.5": (lambda r, n: (r.random(n) < 0.5).astype(float), 0.5),
}


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("shape", SHAPES)
def test_unit_intervals_hold_at_least_93_times_of_100(shape: str, n: int) -> None:
    draw, truth = SHAPES[shape]
    random = np.random.default_rng([n, len(shape)])
    found = [mean_interval(draw(random, n).tolist(), unit_interval=True) for _ in range(ROUNDS)]
    assert np.mean([interval.low <= truth <= interval.high for interval in found]) >= 0.93


@pytest.mark.parametrize("n", SIZES)
def test_unit_intervals_are_not_much_wider_than_students(n: int) -> None:
    random = np.random.default_rng(n)
    samples = [random.beta(2, 2, n) for _ in range(ROUNDS)]
    ours = np.mean([i.high - i.low for i in (mean_interval(s.tolist(), unit_interval=True) for s in samples)])
    student = np.mean([2 * 2.0 * sample.std(ddof=1) / np.sqrt(n) for sample in samples])
    # The pessimistic value at each end costs about 1 / n in all.
    assert ours <= student + 1.2 / n


def flips(random: np.random.Generator, n: int, share: float) -> tuple[list[float], list[float]]:
    """Two noisy judgements of the same cases: `share` of the cases come out either way, by chance."""
    base = (random.random(n) < 0.8).astype(float)
    noisy = [np.where(random.random(n) < share, random.random(n) < 0.8, base).astype(float) for _ in range(2)]
    return noisy[0].tolist(), noisy[1].tolist()


def graded(random: np.random.Generator, n: int, noise: float) -> tuple[list[float], list[float]]:
    base = random.beta(8, 2, n)
    noisy = [np.clip(base + random.normal(0, noise, n), 0, 1) for _ in range(2)]
    return noisy[0].tolist(), noisy[1].tolist()


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize(("pairs", "noise"), [(flips, 0.05), (flips, 0.4), (graded, 0.05), (graded, 0.3)])
def test_a_flow_compared_with_itself_is_called_worse_at_most_5_times_of_100(
    pairs: Callable[[np.random.Generator, int, float], tuple[list[float], list[float]]], noise: float, n: int
) -> None:
    random = np.random.default_rng([n, int(noise * 100)])
    found = [
        paired_difference(*pairs(random, n, noise), unit_interval=True, confidence=0.95, sides=1) for _ in range(ROUNDS)
    ]
    # Two standard errors of 400 rounds above 5 %.
    assert np.mean([interval.high < 0 for interval in found]) <= 0.05 + 0.022
    assert np.mean([interval.low > 0 for interval in found]) <= 0.05 + 0.022


@pytest.mark.parametrize(("n", "least"), [(20, 0.87), (60, 0.89), (150, 0.91)])
def test_unbounded_means_of_skewed_latencies(n: int, least: float) -> None:
    # Lognormal with sigma 0.8. Over 800 rounds: 0.921, 0.936, 0.958. Without bounds, few values promise less.
    random = np.random.default_rng(n + 1000)
    truth = float(np.exp(0.8**2 / 2))
    found = [mean_interval(random.lognormal(0, 0.8, n).tolist(), unit_interval=False) for _ in range(150)]
    assert np.mean([interval.low <= truth <= interval.high for interval in found]) >= least


@pytest.mark.parametrize("n", [20, 60, 150])
def test_quantile_intervals_hold_at_least_93_times_of_100(n: int) -> None:
    random = np.random.default_rng(n)
    truth = float(-np.log(0.05))
    found = [quantile_interval(random.exponential(1, n).tolist()) for _ in range(ROUNDS)]
    assert np.mean([interval.low <= truth <= interval.high for interval in found]) >= 0.93
