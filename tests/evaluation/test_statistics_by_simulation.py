"""How often gates and intervals err on recorded scores. Seeded, so a failure is a change of the method.

The short lane of `python -m benchmarks.statistics`, whose figures are in docs/benchmarks.md: fewer rounds of the same
simulations. A share of 5 % seen in 200 rounds has a standard error of 1.5 %.
"""

from __future__ import annotations

import pytest

from benchmarks.statistics import (
    caught_drops,
    coverage_of_quantile,
    coverage_on_made_up,
    coverage_on_recorded,
    false_failures,
    looked_wrong,
    recorded,
)

NOISE = 0.03  # two standard errors of 5 % in 200 rounds
MEASURES = tuple(recorded().names)


def test_the_recorded_scores_are_figures_of_a_real_run_and_nothing_else() -> None:
    assert set(MEASURES) >= {"recall@6", "groundedness", "completeness", "answered", "refusal"}
    assert all(len(documents) >= 30 for documents in recorded().measures.values())
    assert all(0 <= scores.min() <= scores.max() <= 1 for d in recorded().measures.values() for scores in d)


@pytest.mark.parametrize("measure", ["recall@6", "groundedness"])
@pytest.mark.parametrize("cases", [20, 50, 200])
def test_an_a_a_comparison_fails_at_most_5_times_of_100(measure: str, cases: int) -> None:
    # With a margin of 0.001 there is next to nothing between "no worse" and what a fail has to show.
    assert false_failures(150, cases, names=[measure], margin=0.001) <= 0.05 + NOISE


@pytest.mark.parametrize(("cases", "rounds"), [(50, 150), (200, 80)])
def test_an_a_a_comparison_under_eight_rules_fails_at_most_5_times_of_100(cases: int, rounds: int) -> None:
    assert len(MEASURES) == 8
    assert false_failures(rounds, cases, names=MEASURES, margin=0.001) <= 0.05 + NOISE


def test_eight_rules_without_holm_fail_far_more_often() -> None:
    assert false_failures(60, 200, names=MEASURES, margin=0.001, family="none") > 0.12


@pytest.mark.parametrize("rules", [1, 8])
@pytest.mark.parametrize("measure", ["recall@6", "groundedness"])
@pytest.mark.parametrize("cases", [50, 200])
def test_a_drop_of_margin_plus_detectable_difference_is_caught_4_times_of_5(
    measure: str, cases: int, rules: int
) -> None:
    caught = caught_drops(200 if cases < 100 else 80, cases, name=measure, rules=rules)
    assert caught is not None
    assert caught >= 0.8


@pytest.mark.parametrize("paired", [False, True])
@pytest.mark.parametrize("measure", ["recall@6", "groundedness"])
@pytest.mark.parametrize("cases", [20, 50, 200])
def test_intervals_hold_when_documents_are_drawn_from_recorded_ones(measure: str, cases: int, paired: bool) -> None:
    found = coverage_on_recorded(200, cases, name=measure, paired=paired)
    assert min(found.low, found.high) >= 0.975 - NOISE
    assert found.both >= 0.95 - NOISE


@pytest.mark.parametrize("alike", [0.05, 0.3, 0.8])
@pytest.mark.parametrize("cases", [20, 50, 200])
def test_intervals_hold_however_alike_the_cases_of_a_document_are(alike: float, cases: int) -> None:
    assert coverage_on_made_up(300, cases, alike=alike).both >= 0.95 - NOISE


def test_taking_clustered_cases_for_independent_ones_would_not_hold() -> None:
    assert coverage_on_made_up(300, 200, alike=0.3, clustered=False).both < 0.85
    assert coverage_of_quantile(300, 200, clustered=False).both < 0.88


@pytest.mark.parametrize("cases", [20, 50, 200])
def test_quantiles_of_clustered_seconds_hold(cases: int) -> None:
    assert coverage_of_quantile(200, cases).both >= 0.95 - NOISE


@pytest.mark.parametrize("each", [1, 5])
def test_looking_after_every_case_shows_a_wrong_side_at_most_5_times_of_100(each: int) -> None:
    assert max(looked_wrong(200, 200, each=each)) <= 0.05 + NOISE
