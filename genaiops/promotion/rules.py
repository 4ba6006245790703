"""One rule judged on one run: pass when it is shown to hold, fail when it is shown not to, else inconclusive."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from genaiops.promotion.decision import RuleResult
from genaiops.promotion.evidence import Evidence, case_of, evidence_of, run_problems

if TYPE_CHECKING:
    from genaiops.evaluation.records import Run
    from genaiops.evaluation.scale import Scale
    from genaiops.evaluation.statistics import Interval
    from genaiops.promotion.gate import GateSettings, RuleSettings

WORST_SHOWN = 3


def judge_rule(
    rule: RuleSettings, gate: GateSettings, run: Run, champion: Run | None, *, against: str = "prod"
) -> RuleResult:
    """Judge one rule on a sound run (see `run_problems`); never raises for what a run may hold."""
    try:
        found = _measured(rule, gate, run)
        if isinstance(found, str):
            return _unclear(rule, found)
        if rule.not_worse_than is None:
            return _judge_bound(rule, gate, run, found)
        if champion is None:
            text = f"{rule}: skipped: nothing in {against} yet"
            return RuleResult(str(rule), "pass", text, n=len(found.values), skipped=True)
        pairs = _pair(rule, gate, run, champion, against)
        return _unclear(rule, pairs) if isinstance(pairs, str) else _judge_pairs(rule, gate, pairs, run.seed)
    except ArithmeticError as error:  # values near the largest float
        return _unclear(rule, f"cannot be computed: {error}")


def _measured(rule: RuleSettings, gate: GateSettings, run: Run) -> Evidence | str:
    """The evidence on the rule's measure, or why there is none to judge."""
    found = evidence_of(run, rule.measure)
    if found is None:
        return "not measured"
    if not found.values and not found.unscored:
        return f"not measured: it applies to none of the {len(run.results)} cases"
    if found.coverage < gate.coverage:
        reason = next((_why(run, rule.measure, case_id) for case_id in sorted(found.unscored)), "")
        return f"coverage {_compared(found.coverage, '<', gate.coverage)}{reason}"
    return found if found.values else f"coverage {found.coverage:.2f}, no case was measured"


def _why(run: Run, measure: str, case_id: str) -> str:
    result = case_of(run)[case_id]
    reason = result.error or getattr(result.outcomes.get(measure), "reason", "") or "no usable value"
    return f" (first: {case_id}: {' '.join(reason.split())[:120]})"


# --- at_least, at_most ----------------------------------------------------------


def _judge_bound(rule: RuleSettings, gate: GateSettings, run: Run, found: Evidence) -> RuleResult:
    from genaiops.evaluation.scoring import interval_of

    values = list(found.values.values())
    interval = interval_of(values, found.scale, confidence=gate.confidence, sides=1, seed=run.seed)
    is_floor = rule.at_least is not None
    limit = rule.at_least if rule.at_least is not None else rule.at_most
    assert limit is not None  # RuleSettings lets nothing else through
    holds = interval.low >= limit if is_floor else interval.high <= limit
    broken = interval.high < limit if is_floor else interval.low > limit
    what, sure = ("floor" if is_floor else "limit"), f"at {gate.confidence * 100:g} % confidence"
    near, far = ("at least", "at most") if is_floor else ("at most", "at least")
    good_end, bad_end = (interval.low, interval.high) if is_floor else (interval.high, interval.low)
    known = f"{near} {_number(good_end)} {sure}" if math.isfinite(good_end) else f"too few cases for a bound {sure}"
    facts = {"estimate": interval.estimate, "n": interval.n}
    text = f"{rule.measure}: {_number(interval.estimate)}"
    cases = f"({interval.n} cases)"
    if holds:
        return _result(rule, "pass", f"{text}, {known}, {what} {limit:g} {cases}", good_end, facts)
    if broken:
        side = "below" if is_floor else "above"
        reason = f"{text}, {far} {_number(bad_end)} {sure}, {side} the {what} {limit:g} {cases}"
        return _result(rule, "fail", reason, bad_end, facts)
    needed = _bound_needs(rule, gate, values, found.scale)
    reason = f"{text}, {known}, {what} {limit:g} not shown {cases}; {_remedy(needed)}"
    return _result(rule, "inconclusive", reason, good_end, {**facts, "cases_needed": needed})


def _bound_needs(rule: RuleSettings, gate: GateSettings, values: list[float], scale: Scale) -> int | None:
    from genaiops.evaluation.statistics import cases_needed, cases_needed_for_quantile

    # What a case contributes to a pooled figure may lie outside of [0, 1], as the figure does not.
    unit, sure = scale.unit_interval and all(0 <= value <= 1 for value in values), gate.confidence
    if scale.quantile is not None:
        most = rule.at_most
        return (
            None if most is None else cases_needed_for_quantile(values, most, quantile=scale.quantile, confidence=sure)
        )
    if rule.at_least is not None:
        return cases_needed(values, rule.at_least, side="above", confidence=sure, unit_interval=unit)
    return cases_needed(values, rule.at_most or 0.0, side="below", confidence=sure, unit_interval=unit)


# --- not_worse_than -------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pairs:
    """The cases that both runs measured: (id, this run's value, the champion's value).

    `escaped` are cases that want an answer and that the champion has a value for, while
    the measure does not apply to this run's answer (it refused): (id, the champion's value).
    """

    scored: tuple[tuple[str, float, float], ...]
    escaped: tuple[tuple[str, float], ...]
    scale: Scale


def _pair(rule: RuleSettings, gate: GateSettings, run: Run, champion: Run, against: str) -> Pairs | str:
    """Pairs by case id and case text, or why the two runs cannot be compared."""
    again = f"genaiops evaluate FLOW --release {against} measures the champion on this golden set"
    mine, theirs = evidence_of(run, rule.measure), evidence_of(champion, rule.measure)
    problems = run_problems(champion)
    if problems:
        return f"the champion's run cannot be used: {problems[0]}; {again}"
    if mine is None or theirs is None or not theirs.values:
        return f"not measured for the champion; {again}"
    if mine.judge != theirs.judge or mine.scale != theirs.scale:
        ours, other = (evidence.judge[:12] or "no judge" for evidence in (mine, theirs))
        return f"judged by {ours}, but the champion by {other}; {again}"
    if theirs.coverage < gate.coverage:
        return f"the champion's coverage {_compared(theirs.coverage, '<', gate.coverage)}; {again}"
    now, then = case_of(run), case_of(champion)
    same = [i for i in theirs.values if i in now and now[i].case.digest == then[i].case.digest]
    share = len(same) / len(theirs.values)
    if share < gate.coverage or not same:
        lost = sorted(set(theirs.values) - set(same))
        return (
            f"{len(lost)} of the champion's {len(theirs.values)} cases are not in this run, deleted or changed "
            f"({', '.join(lost[:WORST_SHOWN])}{', …' if len(lost) > WORST_SHOWN else ''}): "
            f"comparable {_compared(share, '<', gate.coverage)}; {again}"
        )
    scored = tuple((i, mine.values[i], theirs.values[i]) for i in same if i in mine.values)
    # Where a refusal is what the case wants, refusing escapes nothing: the refusal measure scores it.
    escaped = tuple((i, theirs.values[i]) for i in same if i in mine.not_applicable and now[i].case.wants_answer)
    return Pairs(scored, escaped, mine.scale)


def _judge_pairs(rule: RuleSettings, gate: GateSettings, pairs: Pairs, seed: int) -> RuleResult:
    """Judge the mean gain over the champion (positive is better) against minus the margin.

    For an escaped case any value in [0, 1] is possible. So the lower end is computed with
    the worst and the upper end with the best: what is decided then holds whatever the
    value would have been (Manski, American Economic Review 80(2) (1990) 319-323). A
    measure without bounds has no worst value; there, more escaped cases than the
    coverage allows are inconclusive.
    """
    escaped = _escaped_text(pairs)
    total = len(pairs.scored) + len(pairs.escaped)
    if not pairs.scored or (
        not pairs.scale.unit_interval and len(pairs.scored) < gate.coverage * total and pairs.escaped
    ):
        return _unclear(rule, f"{len(pairs.scored)} of {total} pairs were measured{escaped}")
    margin = rule.margin or 0.0
    estimate = _gain(pairs, None, gate.confidence, seed).estimate
    low = _gain(pairs, 0.0, gate.confidence, seed).low
    high = _gain(pairs, 1.0, gate.confidence, seed).high
    sure = f"at {gate.confidence * 100:g} % confidence, margin {margin:g} ({total} pairs){escaped}"
    text = f"{rule.measure}: {_worse(estimate)} than the champion"
    facts = {"estimate": estimate, "n": total}
    if low >= -margin:
        return _result(rule, "pass", f"{text}, {_at_worst(low)} {sure}", low, facts)
    if high < -margin:
        reason = f"{text} ({_worse(low)} to {_worse(high)}) {sure}; fell most: {_fell_most(pairs)}"
        return _result(rule, "fail", reason, high, facts)
    needed = None if pairs.escaped else _pairs_need(pairs, margin, gate.confidence)
    known = _at_worst(low) if math.isfinite(low) else "too few pairs for a bound"
    reason = f"{text}, {known} {sure}; {_remedy(needed)}"
    return _result(rule, "inconclusive", reason, low, {**facts, "cases_needed": needed})


def _gain(pairs: Pairs, escaped_as: float | None, confidence: float, seed: int) -> Interval:
    """The mean gain; an escaped case counts as `escaped_as` (0 worst, 1 best) or, with None, not at all."""
    from genaiops.evaluation.statistics import paired_difference, quantile_difference

    mine = [value for _, value, _ in pairs.scored]
    theirs = [value for _, _, value in pairs.scored]
    if escaped_as is not None and pairs.scale.unit_interval:
        mine += [1.0 - escaped_as if pairs.scale.lower_is_better else escaped_as] * len(pairs.escaped)
        theirs += [value for _, value in pairs.escaped]
    first, second = (theirs, mine) if pairs.scale.lower_is_better else (mine, theirs)
    if pairs.scale.quantile is not None:
        return quantile_difference(first, second, quantile=pairs.scale.quantile, confidence=confidence, sides=1)
    unit = pairs.scale.unit_interval
    return paired_difference(first, second, confidence=confidence, unit_interval=unit, sides=1, seed=seed)


def _pairs_need(pairs: Pairs, margin: float, confidence: float) -> int | None:
    from genaiops.evaluation.statistics import cases_needed

    if pairs.scale.quantile is not None:
        return None
    unit = pairs.scale.unit_interval
    return cases_needed(_gains(pairs), -margin, confidence=confidence, unit_interval=unit, paired=True)


def _gains(pairs: Pairs) -> list[float]:
    sign = -1.0 if pairs.scale.lower_is_better else 1.0
    return [sign * (mine - theirs) for _, mine, theirs in pairs.scored]


def _fell_most(pairs: Pairs) -> str:
    ranked = sorted(zip(_gains(pairs), pairs.scored, strict=True), key=lambda item: (item[0], item[1][0]))
    worst = [pair for gain, pair in ranked[:WORST_SHOWN] if gain < 0]
    fallen = [f"{i} ({_number(theirs)} → {_number(mine)})" for i, mine, theirs in worst]
    return ", ".join(fallen) or "none that both measured"


def _escaped_text(pairs: Pairs) -> str:
    if not pairs.escaped:
        return ""
    names = ", ".join(i for i, _ in pairs.escaped[:WORST_SHOWN])
    more = ", …" if len(pairs.escaped) > WORST_SHOWN else ""
    return f"; {len(pairs.escaped)} that want an answer and that the champion answered were not answered: {names}{more}"


# --- words ----------------------------------------------------------------------


def _result(rule: RuleSettings, verdict: Any, reason: str, bound: float, facts: dict[str, Any]) -> RuleResult:
    return RuleResult(str(rule), verdict, reason, bound=bound if math.isfinite(bound) else None, **facts)


def _unclear(rule: RuleSettings, reason: str) -> RuleResult:
    return RuleResult(str(rule), "inconclusive", f"{rule.measure}: {reason}")


def _remedy(needed: int | None) -> str:
    return "more cases like these would not make it pass" if needed is None else f"needs about {needed:,} more cases"


def _number(value: float) -> str:
    return f"{value:.3f}" if abs(value) < 10 else f"{value:,.1f}"


def _worse(gain: float) -> str:
    if not gain:
        return "no worse"
    return f"{_number(abs(gain))} {'better' if gain > 0 else 'worse'}"


def _at_worst(gain: float) -> str:
    return f"at {'least' if gain > 0 else 'most'} {_worse(gain)}"


def _compared(value: float, sign: str, bound: float) -> str:
    """`0.50 < 1.00`, with as many digits as it takes for the two to differ."""
    digits = next((d for d in range(2, 12) if f"{value:.{d}f}" != f"{bound:.{d}f}"), 12)
    return f"{value:.{digits}f} {sign} {bound:.{digits}f}"
