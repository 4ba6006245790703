"""What a rule asks of a run: a statistic with an interval, and the side of a threshold on which it has to lie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from genaiops.evaluation.scale import Scale
    from genaiops.evaluation.statistics import Interval

Documents = Mapping[str, str] | None  # case id → document; None: every case counts as independent


class Demand(Protocol):
    """A rule with the data it is about."""

    @property
    def threshold(self) -> float: ...

    @property
    def side(self) -> Literal["above", "below"]:
        """Where the truth has to lie."""
        ...

    def interval(self, confidence: float) -> Interval:
        """The statistic; each end on its own holds with `confidence`."""
        ...

    def cases_needed(self, confidence: float) -> int | None:
        """About how many more cases would show that it holds; None when that is not the remedy."""
        ...

    def detectable(self, confidence: float) -> float | None:
        """How far on the wrong side of the threshold the truth must lie to be shown there 4 times of 5."""
        ...


def holds(demand: Demand, found: Interval) -> bool:
    """Whether the interval shows that the demand is met."""
    return found.low >= demand.threshold if demand.side == "above" else found.high <= demand.threshold


def broken(demand: Demand, found: Interval) -> bool:
    """Whether the interval shows that the demand is not met."""
    return found.high < demand.threshold if demand.side == "above" else found.low > demand.threshold


@dataclass(frozen=True, slots=True)
class Bound:
    """`at_least` or `at_most`: one measure over the cases of one run, by case id."""

    values: Mapping[str, float]
    scale: Scale
    threshold: float
    side: Literal["above", "below"]
    seed: int
    documents: Documents = None
    known: dict[float, Interval] = field(default_factory=dict, compare=False)

    def interval(self, confidence: float) -> Interval:
        from genaiops.evaluation.scoring import interval_of

        if confidence not in self.known:
            self.known[confidence] = interval_of(
                self._values, self.scale, confidence=confidence, sides=1, seed=self.seed, clusters=self._clusters
            )
        return self.known[confidence]

    def cases_needed(self, confidence: float) -> int | None:
        from genaiops.evaluation.statistics import cases_needed, cases_needed_for_quantile

        values, clusters = self._values, self._clusters
        quantile = self.scale.quantile
        if quantile is not None:
            if self.side == "above":
                return None
            return cases_needed_for_quantile(
                values, self.threshold, quantile=quantile, confidence=confidence, clusters=clusters
            )
        return cases_needed(
            values,
            self.threshold,
            side=self.side,
            confidence=confidence,
            unit_interval=self._unit,
            clusters=clusters,
        )

    def detectable(self, confidence: float) -> float | None:
        from genaiops.evaluation.statistics import detectable_difference

        if self.scale.quantile is not None:
            return None
        return detectable_difference(
            self._values,
            self.threshold,
            side=self.side,
            confidence=confidence,
            unit_interval=self._unit,
            clusters=self._clusters,
        )

    @property
    def _unit(self) -> bool:
        # What a case contributes to a pooled figure may lie outside of [0, 1], as the figure does not.
        return self.scale.unit_interval and all(0 <= value <= 1 for value in self.values.values())

    @property
    def _values(self) -> list[float]:
        return list(self.values.values())

    @property
    def _clusters(self) -> list[str] | None:
        return None if self.documents is None else [self.documents[i] for i in self.values]


@dataclass(frozen=True, slots=True)
class Pairs:
    """`not_worse_than`: the cases that both runs measured, as (id, this run's value, the champion's value).

    `escaped` are cases that want an answer and that the champion has a value for, while
    the measure does not apply to this run's answer (it refused): (id, the champion's
    value). `partly` is, by case id, the share of this run's repeats of a scored case
    that escaped in that way. For what escaped any value in [0, 1] is possible. So the
    low end is computed with the worst and the high end with the best: what is decided
    then holds whatever the value would have been (Manski, American Economic Review
    80(2) (1990) 319-323). A measure without bounds has no worst value.
    """

    scored: tuple[tuple[str, float, float], ...]
    escaped: tuple[tuple[str, float], ...]
    scale: Scale
    margin: float
    seed: int
    documents: Documents = None
    partly: Mapping[str, float] = field(default_factory=dict)
    known: dict[float, Interval] = field(default_factory=dict, compare=False)

    @property
    def threshold(self) -> float:
        return -self.margin

    @property
    def side(self) -> Literal["above", "below"]:
        return "above"

    @property
    def total(self) -> int:
        return len(self.scored) + len(self.escaped)

    def interval(self, confidence: float) -> Interval:
        """The mean gain over the champion; positive is better."""
        from genaiops.evaluation.statistics import Interval

        if confidence not in self.known:
            plain = self._gain(None, confidence)
            if self.escaped or self.partly:
                low, high = self._gain(0.0, confidence), self._gain(1.0, confidence)
                worth = min((found.effective for found in (low, high) if found.effective), default=None)
                plain = Interval(plain.estimate, low.low, high.high, self.total, worth)
            self.known[confidence] = plain
        return self.known[confidence]

    def cases_needed(self, confidence: float) -> int | None:
        from genaiops.evaluation.statistics import cases_needed

        if self.scale.quantile is not None or self.escaped or self.partly:
            return None
        unit, clusters = self.scale.unit_interval, self._clusters(escaped=False)
        return cases_needed(
            self.gains(), -self.margin, confidence=confidence, unit_interval=unit, paired=True, clusters=clusters
        )

    def detectable(self, confidence: float) -> float | None:
        from genaiops.evaluation.statistics import detectable_difference

        if self.scale.quantile is not None or self.escaped or self.partly:
            return None
        unit, clusters = self.scale.unit_interval, self._clusters(escaped=False)
        return detectable_difference(
            self.gains(), -self.margin, confidence=confidence, unit_interval=unit, paired=True, clusters=clusters
        )

    def gains(self) -> list[float]:
        """This run less the champion, positive where it is better, in the order of `scored`."""
        sign = -1.0 if self.scale.lower_is_better else 1.0
        return [sign * (mine - theirs) for _, mine, theirs in self.scored]

    def _gain(self, escaped_as: float | None, confidence: float) -> Interval:
        """The mean gain; what escaped counts as `escaped_as` (0 worst, 1 best) or, with None, not at all."""
        from genaiops.evaluation.statistics import paired_difference, quantile_difference

        counted = escaped_as is not None and self.scale.unit_interval
        theirs = [value for _, _, value in self.scored]
        if counted and escaped_as is not None:
            other = 1.0 - escaped_as if self.scale.lower_is_better else escaped_as
            mine = [value + self.partly.get(i, 0.0) * (other - value) for i, value, _ in self.scored]
            mine += [other] * len(self.escaped)
            theirs += [value for _, value in self.escaped]
        else:
            mine = [value for _, value, _ in self.scored]
        first, second = (theirs, mine) if self.scale.lower_is_better else (mine, theirs)
        clusters = self._clusters(escaped=counted)
        quantile = self.scale.quantile
        if quantile is not None:
            return quantile_difference(
                first, second, quantile=quantile, confidence=confidence, sides=1, clusters=clusters
            )
        unit = self.scale.unit_interval
        return paired_difference(
            first, second, confidence=confidence, unit_interval=unit, sides=1, seed=self.seed, clusters=clusters
        )

    def _clusters(self, *, escaped: bool) -> list[str] | None:
        if self.documents is None:
            return None
        ids = [i for i, _, _ in self.scored] + ([i for i, _ in self.escaped] if escaped else [])
        return [self.documents[i] for i in ids]
