"""What most measures are: values in [0, 1], decided case by case, summed up by their mean."""

from __future__ import annotations

from collections.abc import Sequence

from genaiops.evaluation.records import Sample
from genaiops.evaluation.scale import Statistic
from genaiops.evaluation.tasks import WORDED, not_for
from genaiops.records import Case, NotApplicable, Outcome

NO_REFERENCE = NotApplicable("there is no reference answer", lacks="reference")


class PlainMeasure:
    """A Measure that overrides only what is different. `name` is its printed form."""

    __slots__ = ()
    name: str

    def __str__(self) -> str:
        return self.name

    @property
    def unit_interval(self) -> bool:
        return True

    @property
    def statistic(self) -> Statistic:
        return "mean"

    @property
    def judge(self) -> str:
        return ""

    def score(self, samples: Sequence[Sample]) -> list[Outcome]:
        """One outcome per sample, in order."""
        return [self._one(sample) for sample in samples]

    def _one(self, sample: Sample) -> Outcome:
        raise NotImplementedError


class ReferencedMeasure(PlainMeasure):
    """A measure of samples that have a reference and are of one of its tasks (none named: of any)."""

    __slots__ = ()

    @property
    def tasks(self) -> frozenset[str]:
        return WORDED

    def not_applicable(self, case: Case) -> NotApplicable | None:
        none = not_for(case, self.tasks) if self.tasks else None
        return none or (None if case.reference else NO_REFERENCE)

    def score(self, samples: Sequence[Sample]) -> list[Outcome]:
        return [self._none(sample) or self._one(sample) for sample in samples]

    def _none(self, sample: Sample) -> NotApplicable | None:
        none = None if sample.case is None else self.not_applicable(sample.case)
        return none or (None if sample.reference else NO_REFERENCE)
