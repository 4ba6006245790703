"""What every Measure does, whatever it measures."""

from __future__ import annotations

import math

import pytest

from genaiops.evaluation.pooled import formula_of
from genaiops.evaluation.records import Measure, Sample, Selective
from genaiops.evaluation.scale import quantile_of
from genaiops.records import NotApplicable, Score, Unscored


class MeasureContract:
    """Subclass it, and give `measure` and at least two `samples`, one of which it scores."""

    @pytest.fixture
    def measure(self) -> Measure:
        raise NotImplementedError

    @pytest.fixture
    def samples(self) -> list[Sample]:
        raise NotImplementedError

    def test_gives_one_outcome_per_sample(self, measure: Measure, samples: list[Sample]) -> None:
        outcomes = measure.score(samples)
        assert len(outcomes) == len(samples) >= 2
        assert all(isinstance(outcome, (Score, Unscored, NotApplicable)) for outcome in outcomes)
        assert any(isinstance(outcome, Score) for outcome in outcomes)

    def test_a_sample_scores_the_same_alone_and_in_any_company(self, measure: Measure, samples: list[Sample]) -> None:
        together = measure.score(samples)
        for sample, outcome in zip(samples, together, strict=True):
            (alone,) = measure.score([sample])
            assert type(alone) is type(outcome)
            if isinstance(alone, Score) and isinstance(outcome, Score):
                # Embedding in another batch may move the last digits.
                assert alone.value == pytest.approx(outcome.value, abs=1e-3)
        backwards = measure.score(samples[::-1])[::-1]
        assert [type(outcome) for outcome in backwards] == [type(outcome) for outcome in together]

    def test_no_samples_are_no_outcomes(self, measure: Measure) -> None:
        assert measure.score([]) == []

    def test_values_are_finite_and_keep_their_range(self, measure: Measure, samples: list[Sample]) -> None:
        values = [outcome.value for outcome in measure.score(samples) if isinstance(outcome, Score)]
        assert all(math.isfinite(value) and value >= 0 for value in values)
        assert not measure.unit_interval or all(value <= 1 for value in values)

    def test_a_bare_sample_is_no_error(self, measure: Measure) -> None:
        for bare in (Sample("a", "Why?", ""), Sample("b", "", "Because [1].", contexts=("",))):
            (outcome,) = measure.score([bare])
            assert isinstance(outcome, (Score, Unscored, NotApplicable))

    def test_prints_a_name_that_can_stand_in_a_configuration(self, measure: Measure) -> None:
        assert str(measure) and str(measure) == "".join(str(measure).split())
        assert measure.statistic == "mean" or quantile_of(measure.statistic) or formula_of(measure.statistic)
        assert isinstance(measure.judge, str)

    def test_what_it_says_of_a_case_beforehand_it_does(self, measure: Measure, samples: list[Sample]) -> None:
        for sample, outcome in zip(samples, measure.score(samples), strict=True):
            if isinstance(measure, Selective) and sample.case is not None:
                assert (measure.not_applicable(sample.case) is not None) == isinstance(outcome, NotApplicable)
