"""A gate that is asked after every document, and says as soon as its verdict is certain.

Half of the gate's error is spent on looking along the way, half on the judgement of the
whole set when no look decided: together they err no more often than the gate promises
(the union bound). Along the way every rule is a race of two bets (see
`genaiops.evaluation.statistics.sequential`). The gate passes when every rule has been
shown to hold, each at that half; it fails when one has been shown to be broken, at that
half divided by the number of rules.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from genaiops.promotion.decision import Decision, RuleResult
from genaiops.promotion.gate import judge_run, part_told, too_few_repeats
from genaiops.promotion.judges import judge_refusal
from genaiops.records import NotApplicable, Score, VerdictKind

if TYPE_CHECKING:
    from genaiops.evaluation.passports.shelf import Shelf
    from genaiops.evaluation.records import CaseResult, Run
    from genaiops.evaluation.scale import Scale
    from genaiops.evaluation.statistics.sequential import Race
    from genaiops.promotion.gate import GateSettings, RuleSettings
    from genaiops.records import Case

HALF = 0.5


@dataclass(slots=True)
class _Runner:
    """One rule on its way: its race, and what it has been shown to be so far."""

    rule: RuleSettings
    race: Race | None  # None: a measure without bounds, on which nobody can bet
    scale: Scale
    known: dict[str, tuple[str, float]] = field(default_factory=dict)  # the champion's: case id → case digest, value
    skipped: bool = False
    measured: int = 0
    failed: int = 0  # measurements
    shown: VerdictKind = "inconclusive"

    def see(self, results: Sequence[CaseResult]) -> None:
        worst, best = [], []
        for result in results:
            gain = self._gain(result)
            if gain is not None:
                worst.append(gain[0])
                best.append(gain[1])
            scored = self._value(result) is not None
            if self.skipped and scored:
                self.shown = "pass"  # with nothing to compare with, it is enough to be measured
            self.measured += scored
            self.failed += not scored and not isinstance(result.outcomes.get(self.rule.measure), NotApplicable)
        if self.race is not None:
            self.race.above.see(worst)
            self.race.below.see([-value for value in best])

    def uncovered(self, coverage: float) -> str:
        """Why the measurements that failed leave the rule undecided so far; "" while enough succeeded.

        They are no evidence that it is broken: the whole gate would call it inconclusive too.
        """
        from genaiops.promotion.wording import compared

        asked = self.measured + self.failed
        if not self.failed or self.measured >= coverage * asked:
            return ""
        return f"coverage {compared(self.measured / asked, '<', coverage)} of the cases asked"

    def _value(self, result: CaseResult) -> float | None:
        """The value of a case; None where there is none, or none that the measure can have."""
        from genaiops.promotion.evidence import sound

        outcome = result.outcomes.get(self.rule.measure)
        if not isinstance(outcome, Score) or result.error:
            return None
        return outcome.value if sound(outcome.value, self.scale) else None

    def _gain(self, result: CaseResult) -> tuple[float, float] | None:
        """The value to bet on, at worst and at best; None where there is none."""
        value = self._value(result)
        if self.rule.not_worse_than is None:
            if value is not None and self.scale.quantile is not None:
                limit = self.rule.at_most if self.rule.at_most is not None else self.rule.at_least
                value = float(value <= (limit or 0.0))  # the quantile is below the limit when its share of values is
            elif value is not None and self.rule.at_most is not None:
                value = -value  # more is worse
            return None if value is None else (value, value)
        return self._gain_over_champion(result, value)

    def _gain_over_champion(self, result: CaseResult, value: float | None) -> tuple[float, float] | None:
        """As `_gain`; for the share of repeats in which a case that wants an answer was refused, 0 or 1 is possible."""
        from genaiops.promotion.evidence import refused_share

        digest, theirs = self.known.get(result.case.id, ("", 0.0))
        if digest != result.case.digest:
            return None
        refused = refused_share(result, self.rule.measure)
        if value is None and isinstance(result.outcomes.get(self.rule.measure), NotApplicable):
            value, refused = 0.0, 1.0
        if value is None or (refused == 1 and not result.case.wants_answer):
            return None
        share = refused if result.case.wants_answer else 0.0
        sign = -1.0 if self.scale.lower_is_better else 1.0
        gains = [sign * (value + share * (end - value) - theirs) for end in (0.0, 1.0)]
        return min(gains), max(gains)


class SequentialGate:
    """A gate that follows an evaluation. `see` takes the results of whole documents and tells when to stop."""

    def __init__(
        self,
        gate: GateSettings,
        cases: Sequence[Case],
        champion: Run | None,
        scales: Mapping[str, Scale],
        judges: Mapping[str, str] | None = None,
    ) -> None:
        """`scales` and `judges` (digests) are those of the run to come, by measure; a measure without judge has none.

        A rule whose champion cannot be compared with (see `incomparable`) is never decided early.
        """
        self.gate, self.champion = gate, champion
        self._error = (1 - gate.confidence) * HALF
        self._digests = {case.id: case.digest for case in cases}
        self._judges = judges or {}
        largest = _largest(cases, gate)
        self._runners = [self._runner(rule, scales.get(rule.measure), largest) for rule in gate.rules]
        self.verdict: VerdictKind = "inconclusive"

    def _runner(self, rule: RuleSettings, scale: Scale | None, largest: int) -> _Runner:
        from genaiops.evaluation.scale import Scale
        from genaiops.promotion.evidence import evidence_of

        if scale is None:
            return _Runner(rule, None, Scale(False))
        if rule.not_worse_than is None:
            return _Runner(rule, _race(rule, scale, largest), scale)
        if self.champion is None:
            return _Runner(rule, None, scale, skipped=True)
        if self._incomparable(rule, scale, self._judges):
            return _Runner(rule, None, scale)
        theirs = evidence_of(self.champion, rule.measure)
        if theirs is None:
            return _Runner(rule, None, scale)
        digests = {result.case.id: result.case.digest for result in self.champion.results}
        known = {i: (digests[i], value) for i, value in theirs.values.items()}
        return _Runner(rule, _race(rule, scale, largest), scale, known)

    def _incomparable(
        self, rule: RuleSettings, scale: Scale | None, judges: Mapping[str, str], against: str = "prod"
    ) -> str:
        from genaiops.promotion.comparability import incomparable

        if rule.not_worse_than is None or self.champion is None:
            return ""
        judge = judges.get(rule.measure, "")
        return incomparable(
            rule, self.gate, self.champion, cases=self._digests, judge=judge, scale=scale, against=against
        )

    def see(self, results: Sequence[CaseResult]) -> bool:
        """Take the results of all cases of one or more documents; whether the verdict is certain now."""
        from genaiops.evaluation.scoring import document_of

        groups: dict[str, list[CaseResult]] = {}
        for result in results:
            key = document_of(result.case) if self.gate.clusters == "document" else result.case.id
            groups.setdefault(key, []).append(result)
        for group in groups.values():
            self._see(group)
        if any(one.shown == "fail" and not one.uncovered(self.gate.coverage) for one in self._runners):
            self.verdict = "fail"
        # A measurement that failed lowers coverage, which only the whole set can settle.
        elif all(one.shown == "pass" and not one.failed for one in self._runners):
            self.verdict = "pass"
        return self.verdict != "inconclusive"

    def _see(self, group: Sequence[CaseResult]) -> None:
        for runner in self._runners:
            runner.see(group)
            if runner.race is not None and runner.shown == "inconclusive":
                if runner.race.below.shown(self._error / len(self._runners)):
                    runner.shown = "fail"
                elif runner.race.above.shown(self._error):
                    runner.shown = "pass"

    def decision(
        self,
        run: Run,
        *,
        against: str = "prod",
        golden_set_digest: str | None = None,
        passports: Shelf | None = None,
    ) -> Decision:
        """The verdict on the run: the one that stopped it, or that on the whole set at the half of the error left."""
        from genaiops.promotion.evidence import run_problems

        half = self.gate.model_copy(update={"confidence": 1 - self._error})
        whole = judge_run(
            half, run, self.champion, against=against, golden_set_digest=golden_set_digest, passports=passports
        )
        whole = replace(whole, gate=self.gate.digest)
        # What contradicts itself, or was asked too few times, is no evidence however it came out.
        if not run.not_asked or run_problems(run, golden_set_digest) or too_few_repeats(self.gate, run):
            return whole
        results = tuple(self._result(runner, run, against, passports) for runner in self._runners)
        verdicts = [result.verdict for result in results]
        # A rule that was refused since (see `_refusal`) decides nothing, whatever its race has shown.
        verdict: VerdictKind = "fail" if "fail" in verdicts else "inconclusive"
        if verdicts.count("pass") == len(verdicts):
            verdict = self.verdict
        reasons = [r.reason for r in results if r.skipped or r.verdict != "pass"]
        if verdict == "fail":
            reasons.sort(key=lambda reason: not any(r.reason == reason and r.verdict == "fail" for r in results))
        return replace(whole, verdict=verdict, reasons=(*reasons, *part_told(run)), rules=results)

    def _refusal(self, runner: _Runner, run: Run, against: str, passports: Shelf | None) -> str:
        """Why the rule may not be decided on this run, whatever its race has shown."""
        rule = runner.rule
        return (
            judge_refusal(self.gate.judges, run, rule.measure, passports, coverage=self.gate.coverage)
            or self._incomparable(rule, run.scales.get(rule.measure), run.judges, against)
            or runner.uncovered(self.gate.coverage)
        )

    def _result(self, runner: _Runner, run: Run, against: str, passports: Shelf | None) -> RuleResult:
        rule, race = runner.rule, runner.race
        refusal = self._refusal(runner, run, against, passports)
        if refusal:
            return RuleResult(str(rule), "inconclusive", f"{rule.measure}: {refusal}")
        if runner.skipped and runner.shown == "pass":
            text = f"{rule}: skipped: nothing in {against} yet"
            return RuleResult(str(rule), "pass", text, n=len(run.values(rule.measure)), skipped=True)
        words = {"pass": "shown to hold", "fail": "shown to be broken", "inconclusive": "not decided yet"}
        asked = f"{len(run.results)} of {len(run.results) + len(run.not_asked)} cases"
        values = list(run.values(rule.measure).values())
        mean = sum(values) / len(values) if values else None
        value = "" if mean is None or runner.scale.statistic != "mean" else f" {mean:.3f},"
        share = self._error / len(self._runners) if runner.shown == "fail" else self._error
        sure = "" if race is None else f" at {round((1 - share) * 100, 2):g} % confidence at any time"
        reason = f"{rule}:{value} {words[runner.shown]} after {asked}{sure}"
        confidence = 1 - share if race is not None else None
        return RuleResult(str(rule), runner.shown, reason, estimate=mean, n=len(values), confidence=confidence)


def _race(rule: RuleSettings, scale: Scale, largest: int) -> Race | None:
    from genaiops.evaluation.statistics.sequential import Race

    if rule.not_worse_than is not None:
        if not scale.unit_interval or scale.statistic != "mean":
            return None
        return Race.of(-(rule.margin or 0.0), low=-1.0, high=1.0, largest=largest)
    floor = rule.at_least is not None
    limit = rule.at_least if rule.at_least is not None else rule.at_most
    if scale.quantile is not None:
        # Indicators of "at most the limit": an at_most rule holds when their mean is at least the quantile's share.
        return None if floor else Race.of(scale.quantile, low=0.0, high=1.0, largest=largest)
    if not scale.unit_interval or scale.statistic != "mean" or limit is None:
        return None
    if floor:
        return Race.of(limit, low=0.0, high=1.0, largest=largest)
    return Race.of(-limit, low=-1.0, high=0.0, largest=largest)


def _largest(cases: Sequence[Case], gate: GateSettings) -> int:
    """How many cases the largest document has."""
    from collections import Counter

    from genaiops.evaluation.scoring import document_of

    if gate.clusters == "none":
        return 1
    return max(Counter(document_of(case) for case in cases).values(), default=1)
