"""The rules of a gate, judged on one run: pass when shown to hold, fail when shown not to, else inconclusive.

A rule passes at the gate's confidence: the gate passes when all do, and an intersection
of tests errs no more often than one of them (Berger, Technometrics 24 (1982) 295-300).
It fails at a confidence that is shared among the rules (Holm), because the gate fails
when one does, and each is another chance to be unlucky.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from genaiops.promotion.comparability import incomparable
from genaiops.promotion.decision import RuleResult
from genaiops.promotion.demands import Bound, Demand, Pairs, broken
from genaiops.promotion.evidence import Evidence, case_of, evidence_of
from genaiops.promotion.wording import compared, first_of, said

if TYPE_CHECKING:
    from genaiops.evaluation.records import Run
    from genaiops.promotion.gate import GateSettings, RuleSettings


def judge_rules(
    gate: GateSettings,
    run: Run,
    champion: Run | None,
    *,
    against: str = "prod",
    refusals: Mapping[str, str] | None = None,
) -> tuple[RuleResult, ...]:
    """Judge every rule on a sound run (see `run_problems`); never raises for what a run may hold.

    `refusals` says, by measure, why its judge may decide nothing ("" where it may).
    """
    refused = refusals or {}
    found = [
        _unclear(rule, refusal)
        if (refusal := refused.get(rule.measure, ""))
        else _asked(rule, gate, run, champion, against)
        for rule in gate.rules
    ]
    demands = [item for item in found if not isinstance(item, RuleResult)]
    shared = dict(zip(map(id, demands), failed(gate, demands), strict=True))
    return tuple(
        item if isinstance(item, RuleResult) else _judged(rule, gate, item, *shared[id(item)])
        for rule, item in zip(gate.rules, found, strict=True)
    )


def failed(gate: GateSettings, demands: Sequence[Demand]) -> list[tuple[bool, float]]:
    """For each demand whether it is shown to be broken, and the confidence at which that was asked."""
    from genaiops.evaluation.statistics import holm

    error = 1 - gate.confidence

    def level(each: float) -> float:
        return gate.confidence if each == error else 1 - each  # 1 - (1 - x) is not always x

    def test(demand: Demand) -> Callable[[float], bool]:
        return lambda each: _breaks(demand, level(each))

    tests = [test(demand) for demand in demands]
    found = holm(tests, error) if gate.family == "holm" else [(breaks(error), error) for breaks in tests]
    return [(fails, level(each)) for fails, each in found]


def _breaks(demand: Demand, confidence: float) -> bool:
    try:
        return broken(demand, demand.interval(confidence))
    except ArithmeticError:  # said when the rule is judged
        return False


def _judged(rule: RuleSettings, gate: GateSettings, demand: Demand, fails: bool, shared: float) -> RuleResult:
    try:
        return said(rule, gate, demand, fails=fails, shared=shared)
    except ArithmeticError as error:  # values near the largest float
        return _unclear(rule, f"cannot be computed: {error}")


def _asked(rule: RuleSettings, gate: GateSettings, run: Run, champion: Run | None, against: str) -> Demand | RuleResult:
    """What the rule asks of the run, or the result where there is nothing to ask."""
    found = _measured(rule, gate, run)
    if isinstance(found, str):
        return _unclear(rule, found)
    documents = found.documents if gate.clusters == "document" else None
    limit = rule.at_least if rule.at_least is not None else rule.at_most
    if limit is not None:
        return Bound(
            found.values, found.scale, limit, "below" if rule.at_least is None else "above", run.seed, documents
        )
    if champion is None:
        text = f"{rule}: skipped: {f'nothing in {against} yet' if against else 'no run to compare with was named'}"
        return RuleResult(str(rule), "pass", text, n=len(found.values), skipped=True)
    pairs = _pair(rule, gate, run, champion, against)
    if isinstance(pairs, str):
        return _unclear(rule, pairs)
    few = len(pairs.scored) < gate.coverage * pairs.total or bool(pairs.partly)
    if not pairs.scored or (few and not pairs.scale.unit_interval and (pairs.escaped or pairs.partly)):
        # Without bounds there is no worst value to reckon with.
        return _unclear(rule, f"{len(pairs.scored)} of {pairs.total} pairs were measured{first_of(pairs)}")
    return pairs


def _measured(rule: RuleSettings, gate: GateSettings, run: Run) -> Evidence | str:
    """The evidence on the rule's measure, or why there is none to judge."""
    found = evidence_of(run, rule.measure)
    if found is None:
        return "not measured"
    if not found.values and not found.unscored:
        return f"not measured: it applies to none of the {len(run.results)} cases"
    if found.coverage < gate.coverage:
        reason = next((_why(run, rule.measure, case_id) for case_id in sorted(found.unscored)), "")
        return f"coverage {compared(found.coverage, '<', gate.coverage)}{reason}"
    return found if found.values else f"coverage {found.coverage:.2f}, no case was measured"


def _why(run: Run, measure: str, case_id: str) -> str:
    result = case_of(run)[case_id]
    reason = result.error or getattr(result.outcomes.get(measure), "reason", "") or "no usable value"
    return f" (first: {case_id}: {' '.join(reason.split())[:120]})"


def _pair(rule: RuleSettings, gate: GateSettings, run: Run, champion: Run, against: str) -> Pairs | str:
    """Pairs by case id and case text, or why the two runs cannot be compared."""
    now, then = case_of(run), case_of(champion)
    asked = {i: result.case.digest for i, result in now.items()}
    judge, scale = run.judges.get(rule.measure, ""), run.scales.get(rule.measure)
    refusal = incomparable(rule, gate, champion, cases=asked, judge=judge, scale=scale, against=against)
    if refusal:
        return refusal
    mine, theirs = evidence_of(run, rule.measure), evidence_of(champion, rule.measure)
    if mine is None or theirs is None:
        return "not measured"
    same = [i for i in theirs.values if asked.get(i) == then[i].case.digest]
    scored = tuple((i, mine.values[i], theirs.values[i]) for i in same if i in mine.values)
    # Where a refusal is what the case wants, refusing escapes nothing: the refusal measure scores it.
    escaped = tuple((i, theirs.values[i]) for i in same if i in mine.not_applicable and now[i].case.wants_answer)
    partly = {i: mine.refused[i] for i, _, _ in scored if i in mine.refused and now[i].case.wants_answer}
    documents = mine.documents if gate.clusters == "document" else None
    return Pairs(scored, escaped, mine.scale, rule.margin or 0.0, run.seed, documents, partly)


def _unclear(rule: RuleSettings, reason: str) -> RuleResult:
    return RuleResult(str(rule), "inconclusive", f"{rule.measure}: {reason}")
