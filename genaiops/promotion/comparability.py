"""Whether a champion's run can be compared with at all: what every comparison asks before it looks at a value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from genaiops.promotion.evidence import case_of, evidence_of, run_problems
from genaiops.promotion.wording import compared, listed

if TYPE_CHECKING:
    from genaiops.evaluation.records import Run
    from genaiops.evaluation.scale import Scale
    from genaiops.promotion.gate import GateSettings, RuleSettings


def incomparable(
    rule: RuleSettings,
    gate: GateSettings,
    champion: Run,
    *,
    cases: Mapping[str, str],
    judge: str,
    scale: Scale | None,
    against: str = "prod",
) -> str:
    """Why the rule's measure cannot be compared with the champion's, with the remedy; "" where it can.

    `cases` (case id → case digest) are those the candidate is asked, `judge` (a digest)
    and `scale` are what measures it: all of that is known before its first answer. `against`
    is the environment that serves the champion, "" where it serves nowhere we know of.
    """
    again = f"genaiops evaluate FLOW --release {against} measures the champion on this golden set"
    if not against:
        again = "measure the champion again, on these questions and with this judge"
    problems = run_problems(champion)
    if problems:
        return f"the champion's run cannot be used: {problems[0]}; {again}"
    theirs = evidence_of(champion, rule.measure)
    if theirs is None or not theirs.values:
        return f"not measured for the champion; {again}"
    if judge != theirs.judge or scale != theirs.scale:
        ours, other = (digest[:12] or "no judge" for digest in (judge, theirs.judge))
        return f"judged by {ours}, but the champion by {other}; {again}"
    if theirs.coverage < gate.coverage:
        return f"the champion's coverage {compared(theirs.coverage, '<', gate.coverage)}; {again}"
    then = case_of(champion)
    lost = sorted(i for i in theirs.values if cases.get(i) != then[i].case.digest)
    share = (len(theirs.values) - len(lost)) / len(theirs.values)
    if share < gate.coverage or share == 0:
        return (
            f"{len(lost)} of the champion's {len(theirs.values)} cases are not in this run, deleted or changed "
            f"({listed(lost)}): "
            f"comparable {compared(share, '<', gate.coverage)}; {again}"
        )
    return ""


def may_be_champion(gate: GateSettings, run: Run) -> bool:
    """Whether a kept run stands for what is accepted: it passed its gate or met none, and has values to compare with.

    Compared with what failed, the same failure would pass at the second try; with an outage, nothing ever would.
    """
    if run.verdict not in {"", "pass"}:
        return False
    found = [evidence_of(run, rule.measure) for rule in gate.rules if rule.not_worse_than]
    return all(item is not None and item.values and item.coverage >= gate.coverage for item in found)
