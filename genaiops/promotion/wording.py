"""A judged rule in words: the value, the end of the interval that decided, and what would settle it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from genaiops.promotion.decision import RuleResult
from genaiops.promotion.demands import Bound, Demand, Pairs, broken, holds

if TYPE_CHECKING:
    from genaiops.evaluation.statistics import Interval
    from genaiops.promotion.gate import GateSettings, RuleSettings
    from genaiops.records import VerdictKind

WORST_SHOWN = 3


def said(rule: RuleSettings, gate: GateSettings, demand: Demand, *, fails: bool, shared: float) -> RuleResult:
    """The result of one rule. `fails` and the confidence `shared` among the rules come from the whole family."""
    found = demand.interval(gate.confidence)
    if holds(demand, found):
        verdict: VerdictKind = "pass"
    else:
        verdict = "fail" if fails else "inconclusive"
    decided = demand.interval(shared) if verdict == "fail" else found
    detectable = None if verdict == "fail" else demand.detectable(shared)
    needed = demand.cases_needed(gate.confidence) if verdict == "inconclusive" else None
    words = _Words(rule, gate, demand, found, decided, shared)
    reason, bound = words.pairs(demand, verdict) if isinstance(demand, Pairs) else words.bound(verdict)
    if verdict == "inconclusive":
        if broken(demand, found):
            # One rule in so many is so unlucky once in a while.
            reason += f"; it would fail alone, but among these rules a fail takes {_percent(shared)} confidence"
        else:
            reason += f"; {_remedy(needed)}"
    if isinstance(demand, Pairs) and detectable is not None:
        reason += f"; a drop of {_number(demand.margin + detectable)} or more would be caught 4 times of 5"
    return RuleResult(
        str(rule),
        verdict,
        reason,
        estimate=found.estimate,
        bound=bound if math.isfinite(bound) else None,
        n=found.n,
        cases_needed=needed,
        confidence=shared if verdict == "fail" else gate.confidence,
        detectable=detectable,
        effective=found.effective,
        documents=_documents(demand),
    )


class _Words:
    """The sentence on one rule, for a floor or limit and for a comparison."""

    def __init__(
        self,
        rule: RuleSettings,
        gate: GateSettings,
        demand: Demand,
        found: Interval,
        decided: Interval,
        shared: float,
    ) -> None:
        self.rule, self.demand, self.found, self.decided = rule, demand, found, decided
        self.sure = f"at {_percent(gate.confidence)} confidence"
        apart = shared != gate.confidence
        self.surer = f"at {_percent(shared)} confidence ({_percent(gate.confidence)} over the rules)" if apart else ""

    def bound(self, verdict: VerdictKind) -> tuple[str, float]:
        """What a floor or a limit says, and the end that decided."""
        found, limit = self.found, self.demand.threshold
        is_floor = self.demand.side == "above"
        near, far = ("at least", "at most") if is_floor else ("at most", "at least")
        what = "floor" if is_floor else "limit"
        good = found.low if is_floor else found.high
        text = f"{self.rule.measure}: {_number(found.estimate)}"
        known = (
            f"{near} {_number(good)} {self.sure}" if math.isfinite(good) else f"too few cases for a bound {self.sure}"
        )
        cases = f"({_counted(found, 'cases', found.n)})"
        if verdict == "pass":
            return f"{text}, {known}, {what} {limit:g} {cases}", good
        if verdict == "inconclusive":
            return f"{text}, {known}, {what} {limit:g} not shown {cases}", good
        bad = self.decided.high if is_floor else self.decided.low
        side = "below" if is_floor else "above"
        return f"{text}, {far} {_number(bad)} {self.surer or self.sure}, {side} the {what} {limit:g} {cases}", bad

    def pairs(self, pairs: Pairs, verdict: VerdictKind) -> tuple[str, float]:
        """What a comparison says, and the end that decided."""
        found = self.found
        text = f"{self.rule.measure}: {_worse(found.estimate)} than the champion"
        more = f"margin {pairs.margin:g} ({_counted(found, 'pairs', pairs.total)}){first_of(pairs)}"
        if verdict == "fail":
            low, high = self.decided.low, self.decided.high
            shown = f"({_worse(low)} to {_worse(high)}) {self.surer or self.sure}, {more}"
            return f"{text} {shown}; fell most: {_fell_most(pairs)}", high
        known = _at_worst(found.low) if math.isfinite(found.low) else "too few pairs for a bound"
        return f"{text}, {known} {self.sure}, {more}", found.low


def first_of(pairs: Pairs) -> str:
    """The cases that escaped the comparison by a refusal, the first few by name; empty when none did."""
    text = ""
    if pairs.escaped:
        text = (
            f"; {len(pairs.escaped)} that want an answer and that the champion answered were not answered: "
            f"{listed([i for i, _ in pairs.escaped])}"
        )
    if pairs.partly:
        text += f"; {len(pairs.partly)} were refused in some repeats: {listed(list(pairs.partly))}"
    return text


def compared(value: float, sign: str, bound: float) -> str:
    """`0.50 < 1.00`, with as many digits as it takes for the two to differ."""
    digits = next((d for d in range(2, 12) if f"{value:.{d}f}" != f"{bound:.{d}f}"), 12)
    return f"{value:.{digits}f} {sign} {bound:.{digits}f}"


def listed(names: list[str]) -> str:
    """The first few names, and whether there are more."""
    return ", ".join(names[:WORST_SHOWN]) + (", …" if len(names) > WORST_SHOWN else "")


def _documents(demand: Demand) -> int:
    """In how many clusters the cases of the demand lie."""
    if not isinstance(demand, (Bound, Pairs)) or demand.documents is None:
        return 0
    ids = demand.values if isinstance(demand, Bound) else [i for i, _, _ in demand.scored]
    return len({demand.documents[i] for i in ids})


def _counted(found: Interval, what: str, total: int) -> str:
    """`110 cases`, and as how many they count where those of one document come out alike."""
    worth = f", worth about {found.effective:.0f} as those of one document come out alike" if found.effective else ""
    return f"{total} {what}{worth}"


def _fell_most(pairs: Pairs) -> str:
    ranked = sorted(zip(pairs.gains(), pairs.scored, strict=True), key=lambda item: (item[0], item[1][0]))
    worst = [pair for gain, pair in ranked[:WORST_SHOWN] if gain < 0]
    fallen = [f"{i} ({_number(theirs)} → {_number(mine)})" for i, mine, theirs in worst]
    return ", ".join(fallen) or "none that both measured"


def _remedy(needed: int | None) -> str:
    return "more cases like these would not make it pass" if needed is None else f"needs about {needed:,} more cases"


def _percent(confidence: float) -> str:
    return f"{round(confidence * 100, 2):g} %"


def _number(value: float) -> str:
    return f"{value:.3f}" if abs(value) < 10 else f"{value:,.1f}"


def _worse(gain: float) -> str:
    if not gain:
        return "no worse"
    return f"{_number(abs(gain))} {'better' if gain > 0 else 'worse'}"


def _at_worst(gain: float) -> str:
    return f"at {'least' if gain > 0 else 'most'} {_worse(gain)}"
