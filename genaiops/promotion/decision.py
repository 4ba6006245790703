"""What a gate says: one result per rule, and the verdict they add up to."""

from __future__ import annotations

from dataclasses import dataclass

from genaiops.records import Verdict, VerdictKind


@dataclass(frozen=True, slots=True)
class RuleResult:
    """One rule, judged.

    `estimate` is the measure's value, or the candidate's difference to the champion;
    `bound` is the end of its one-sided interval that decided. Both are None where there
    was nothing to compute. `cases_needed` is about how many more cases would tell, None
    when that is not known or not the remedy. `confidence` is that of the end that decided:
    the gate's, or for a fail the one shared among the rules. `detectable` is how far beyond
    the threshold the truth must lie to be shown there 4 times of 5. The `n` cases lie in
    `documents` documents (0: not counted) and are worth `effective` independent ones (None: all).
    """

    rule: str
    verdict: VerdictKind
    reason: str
    estimate: float | None = None
    bound: float | None = None
    n: int = 0
    cases_needed: int | None = None
    skipped: bool = False
    confidence: float | None = None
    detectable: float | None = None
    effective: float | None = None
    documents: int = 0


@dataclass(frozen=True, slots=True)
class Decision(Verdict):
    """A verdict with the rules behind it, and the digests of the run, gate and champion (or "") it is about."""

    rules: tuple[RuleResult, ...] = ()
    run: str = ""
    gate: str = ""
    champion: str = ""

    def _repr_html_(self) -> str:
        """The verdict and its rules for a notebook: a small table, without scripts or anything loaded."""
        from genaiops.evaluation.reports.notebook import verdict_html

        return verdict_html(self)
