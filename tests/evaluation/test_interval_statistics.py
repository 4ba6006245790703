from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from genaiops.errors import ConfigurationError
from genaiops.evaluation.scale import Statistic
from genaiops.evaluation.statistics import (
    Interval,
    cases_needed,
    cases_needed_for_quantile,
    mean_interval,
    paired_difference,
    quantile_difference,
    quantile_interval,
)

UNIT = st.lists(st.floats(0, 1), min_size=1, max_size=40)


def ordered(found: Interval) -> bool:
    return found.low <= found.estimate <= found.high


def test_binary_values_get_wilsons_interval() -> None:
    found = mean_interval([1.0] * 17 + [0.0] * 3, unit_interval=True)
    theirs = stats.binomtest(17, 20).proportion_ci(0.95, method="wilson")
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high))
    assert (found.estimate, found.n) == (0.85, 20)


def test_graded_values_that_are_almost_binary_get_clopper_and_pearsons() -> None:
    found = mean_interval([1.0] * 17 + [0.0] * 2 + [1e-12], unit_interval=True)
    theirs = stats.binomtest(17, 20).proportion_ci(0.95, method="exact")
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high), abs=1e-6)


@pytest.mark.parametrize("constant", [0.0, 0.3, 0.8, 1.0])
@pytest.mark.parametrize("n", [1, 2, 20, 110])
def test_values_that_are_all_equal_keep_an_interval(constant: float, n: int) -> None:
    found = mean_interval([constant] * n, unit_interval=True)
    assert ordered(found)
    assert found.low >= 0 and found.high <= 1
    assert found.high - found.low >= 1 / (n + 2)


@settings(max_examples=150, deadline=None)
@given(values=UNIT, confidence=st.sampled_from([0.8, 0.95, 0.99]))
def test_unit_intervals_are_ordered_inside_the_range_and_symmetric(values: list[float], confidence: float) -> None:
    found = mean_interval(values, confidence=confidence, unit_interval=True)
    assert ordered(found)
    assert 0 <= found.low <= found.high <= 1
    mirrored = mean_interval([1 - value for value in values], confidence=confidence, unit_interval=True)
    assert 1 - mirrored.high == pytest.approx(found.low, abs=1e-6)


@settings(max_examples=100, deadline=None)
@given(pairs=st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=40))
def test_paired_differences_are_ordered_and_change_sign_with_their_sides(pairs: list[tuple[float, float]]) -> None:
    a, b = zip(*pairs, strict=True)
    found = paired_difference(a, b, unit_interval=True)
    assert ordered(found)
    assert -1 <= found.low <= found.high <= 1
    swapped = paired_difference(b, a, unit_interval=True)
    assert (swapped.low, swapped.high) == pytest.approx((-found.high, -found.low))


@pytest.mark.parametrize(("n", "low"), [(110, -0.0149), (73, -0.0224), (10, -0.1563)])
def test_identical_outcomes_on_few_cases_are_no_proof(n: int, low: float) -> None:
    same = [0.7] * n
    found = paired_difference(same, same, unit_interval=True, sides=1)
    assert found.low == pytest.approx(low, abs=1e-4)
    assert found.high == -found.low


def test_one_end_alone_is_nearer_than_both_together() -> None:
    values = [0.2, 0.4, 0.9, 1.0, 0.7]
    both, one = (mean_interval(values, unit_interval=True, sides=sides) for sides in (2, 1))
    assert both.low < one.low < one.high < both.high
    ninety = mean_interval(values, confidence=0.9, unit_interval=True)
    assert (ninety.low, ninety.high) == pytest.approx((one.low, one.high))


def test_pairing_sees_what_two_separate_intervals_do_not() -> None:
    hard = [n / 60 for n in range(60)]
    better = [min(1.0, value + 0.05) for value in hard]
    apart = mean_interval(better, unit_interval=True).low - mean_interval(hard, unit_interval=True).high
    assert apart < 0 < paired_difference(better, hard, unit_interval=True).low


def test_unbounded_means_are_at_least_as_wide_as_student_and_scipys_bca() -> None:
    values = np.random.default_rng(3).lognormal(0, 1, 40)
    found = mean_interval(values.tolist(), unit_interval=False)
    bca = stats.bootstrap((values,), np.mean, rng=np.random.default_rng(0), n_resamples=4000).confidence_interval
    half = stats.t.ppf(0.975, 39) * values.std(ddof=1) / math.sqrt(40)
    assert found.low == pytest.approx(values.mean() - half)  # the wider on this side
    assert found.high == pytest.approx(bca.high, rel=0.03)


def test_unbounded_means_are_the_same_every_time() -> None:
    values = [0.1, 0.4, 0.2, 3.0, 0.3, 0.2]
    assert mean_interval(values, unit_interval=False) == mean_interval(values, unit_interval=False)


def test_few_unbounded_values_have_no_interval_and_constants_none_to_doubt() -> None:
    few = mean_interval([1.0, 2.0, 3.0], unit_interval=False)
    assert (few.estimate, few.low, few.high) == (2, 0, math.inf)
    assert mean_interval([0.0] * 4, unit_interval=False).high == math.inf
    assert mean_interval([0.0] * 20, unit_interval=False) == Interval(0, 0, 0, 20)


def test_seconds_have_no_negative_end_but_differences_of_seconds_do() -> None:
    seconds = [0.1, 0.1, 0.2, 0.1, 9.0]
    assert mean_interval(seconds, unit_interval=False).low == 0
    assert mean_interval([-1.0, *seconds], unit_interval=False).low < 0
    assert paired_difference(seconds, [0.0] * 5, unit_interval=False).low < 0


def test_a_quantile_is_bounded_by_order_statistics() -> None:
    values = [float(n) for n in range(1, 101)]
    found = quantile_interval(values, sides=1)
    # Ranks from the binomial distribution: P(X <= 90) = 0.028, P(X <= 91) = 0.063; P(X <= 97) = 0.882, 98: 0.963.
    assert (found.low, found.estimate, found.high) == (91, 95, 99)


@pytest.mark.parametrize(("n", "sides", "bounded"), [(58, 1, False), (59, 1, True), (71, 2, False), (72, 2, True)])
def test_too_few_values_leave_a_quantile_open_above(n: int, sides: int, bounded: bool) -> None:
    found = quantile_interval([float(k) for k in range(n)], sides=1 if sides == 1 else 2)
    assert math.isfinite(found.high) is bounded
    assert quantile_interval([1.0]).low == -math.inf


def test_a_difference_of_quantiles_holds_both_errors() -> None:
    a = [float(n) for n in range(200)]
    found = quantile_difference([value + 50 for value in a], a)
    assert found.estimate == 50
    assert found.low < 50 < found.high
    assert quantile_difference(a[:20], a[:20]).high == math.inf


@pytest.mark.parametrize("bad", [[], [math.nan], [0.5, math.inf]])
def test_nothing_and_nan_are_refused(bad: list[float]) -> None:
    with pytest.raises(ValueError, match="finite"):
        mean_interval(bad, unit_interval=True)
    with pytest.raises(ValueError, match="finite"):
        quantile_interval(bad)


def test_pairs_must_be_pairs_and_confidence_a_confidence() -> None:
    with pytest.raises(ValueError, match="argument 2"):
        paired_difference([1.0, 0.0], [1.0], unit_interval=True)
    for confidence in (0.5, 1.0, 95):
        with pytest.raises(ConfigurationError, match="confidence"):
            mean_interval([1.0], unit_interval=True, confidence=confidence)


@pytest.mark.parametrize("values", [[1.0] * 30, [1.0] * 45 + [0.0] * 5, [0.9, 0.95, 0.85, 1.0, 0.7] * 6])
def test_cases_needed_is_how_many_more_of_the_same_clear_the_threshold(values: list[float]) -> None:
    threshold = sum(values) / len(values) - 0.03
    more = cases_needed(values, threshold, unit_interval=True)
    assert more is not None and more > 0

    def low(n: int) -> float:
        """The low end when the values are repeated to n cases, as nearly as they can be."""
        times = n / len(values)
        return mean_interval(values * round(times), unit_interval=True, sides=1).low

    assert low((len(values) + more) + len(values)) >= threshold > low((len(values) + more) - len(values))


def test_cases_needed_for_identical_pairs() -> None:
    more = cases_needed([0.0] * 73, -0.01, unit_interval=True, paired=True)
    assert more == 91
    for n, clears in ((73 + 91, True), (73 + 90, False)):
        assert (paired_difference([0.0] * n, [0.0] * n, unit_interval=True, sides=1).low >= -0.01) is clears


def test_cases_needed_is_zero_when_clear_and_none_when_hopeless() -> None:
    assert cases_needed([1.0] * 100, 0.9, unit_interval=True) == 0
    assert cases_needed([0.0, 1.0] * 50, 0.6, unit_interval=True) is None
    assert cases_needed([0.0, 1.0] * 50, 0.5, unit_interval=True) is None
    assert cases_needed([0.0, 1.0] * 50, 0.499999, unit_interval=True) is None  # beyond a million
    assert cases_needed([1.0, 2.0, 3.0], 2.1, side="below", unit_interval=False) is not None


def test_cases_needed_for_a_quantile() -> None:
    assert cases_needed_for_quantile([0.1] * 20, 2.0) == 39
    assert cases_needed_for_quantile([0.1] * 80, 2.0) == 0
    assert cases_needed_for_quantile([0.1] * 18 + [5.0] * 2, 2.0) is None


@pytest.mark.parametrize("statistic", ["mean", "p95"])
@pytest.mark.parametrize("documents", [1, 2])
@pytest.mark.parametrize(
    "column",
    [[1e308] * 2, [1e308, -1e308] * 4, [1e200, 2e200] * 5, [1e160, 1.0, 1.0, 1.0, 1.0, 2.0], [1e-200, 2e-200] * 5],
)
def test_values_as_large_or_small_as_floats_have_a_summary(
    column: list[float], documents: int, statistic: Statistic
) -> None:
    from genaiops.evaluation.scale import Scale
    from genaiops.evaluation.scoring import summarise
    from genaiops.records import Case, Evidence, Score

    cases = [Case(f"c{n}", "?", evidence=(Evidence(f"d{n % documents}", "x"),)) for n in range(len(column))]
    found = summarise("latency_s", [Score(value) for value in column], Scale(False, statistic), cases=cases)
    assert found.mean is not None and min(column) <= found.mean <= max(column)
    assert found.low is None or found.low <= found.mean
    assert found.high is None or found.high >= found.mean


def test_an_interval_without_bounds_scales_with_its_unit() -> None:
    values = [0.2, 1.7, 0.4, 3.1, 0.9, 0.3, 1.1]
    plain = mean_interval(values, unit_interval=False)
    for unit in (2.0**-300, 2.0**300):
        found = mean_interval([value * unit for value in values], unit_interval=False)
        assert (found.low / unit, found.high / unit) == pytest.approx((plain.low, plain.high))
