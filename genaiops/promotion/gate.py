"""gate.yaml, and the verdict of a gate on a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, field_validator, model_validator

from genaiops.configuration import Settings, read_yaml, validated
from genaiops.errors import ConfigurationError
from genaiops.promotion.decision import Decision, RuleResult
from genaiops.promotion.judges import JudgeDemands, judge_refusal
from genaiops.records import VerdictKind, digest_of

if TYPE_CHECKING:
    from genaiops.evaluation.passports.shelf import Shelf
    from genaiops.evaluation.records import Run

Bound = Annotated[float, Field(allow_inf_nan=False)]
LEARNT_FROM = "train"  # the part of a divided golden set whose cases may have shaped what is measured
KINDS = ("at_least", "at_most", "not_worse_than")


class RuleSettings(Settings):
    """One rule of gate.yaml: a measure and exactly one of `at_least`, `at_most`, `not_worse_than`."""

    measure: str = Field(min_length=1)
    at_least: Bound | None = None
    at_most: Bound | None = None
    not_worse_than: Literal["champion"] | None = None
    margin: Bound | None = None  # how much worse still counts as equal, in the measure's own unit

    @model_validator(mode="after")
    def _one_kind(self) -> RuleSettings:
        given = [kind for kind in KINDS if getattr(self, kind) is not None]
        if len(given) != 1:
            found = " and ".join(given) or "none"
            raise ValueError(f"a rule needs exactly one of {', '.join(KINDS)}; this one has {found}")
        if (self.margin is not None) != (self.not_worse_than is not None):
            missing = self.margin is None
            raise ValueError(
                "not_worse_than needs a margin, for example margin: 0.02" if missing else f"{given[0]} takes no margin"
            )
        if self.margin is not None and self.margin <= 0:
            raise ValueError("margin must be above 0: no number of cases shows that two things are exactly equal")
        return self

    @model_validator(mode="after")
    def _possible(self) -> RuleSettings:
        """A floor above 1 could never be met, and a gate that always fails is soon ignored."""
        from genaiops.evaluation.measures import in_unit_interval

        if in_unit_interval(self.measure):
            for name, bound in (("at_least", self.at_least), ("at_most", self.at_most), ("margin", self.margin)):
                if bound is not None and not 0 <= bound <= 1:
                    raise ValueError(f"{name} must be in [0, 1] as {self.measure} is, got {bound:g}")
        return self

    def __str__(self) -> str:
        if self.at_least is not None:
            return f"{self.measure} at_least {self.at_least:g}"
        if self.at_most is not None:
            return f"{self.measure} at_most {self.at_most:g}"
        return f"{self.measure} not_worse_than {self.not_worse_than} margin {self.margin:g}"


class GateSettings(Settings):
    """gate.yaml. `coverage` in [0, 1] is the share of cases that must be measured; `confidence` is one-sided.

    `clusters: document` allows for cases whose evidence lies in one document being alike;
    `family: holm` shares the error of a fail among the rules; each case must have been
    asked `repeats` times.
    """

    coverage: float = Field(default=1.0, ge=0, le=1, allow_inf_nan=False)
    confidence: float = Field(default=0.95, gt=0.5, lt=1, allow_inf_nan=False)
    clusters: Literal["document", "none"] = "document"
    family: Literal["holm", "none"] = "holm"
    repeats: int = Field(default=1, ge=1, le=100)
    judges: JudgeDemands = JudgeDemands()
    rules: tuple[RuleSettings, ...] = Field(min_length=1)  # a gate without rules would pass anything

    @field_validator("rules")
    @classmethod
    def _no_rule_twice(cls, rules: tuple[RuleSettings, ...]) -> tuple[RuleSettings, ...]:
        kinds = [(rule.measure, str(rule).split(" ")[1]) for rule in rules]
        twice = next((kind for kind in kinds if kinds.count(kind) > 1), None)
        if twice:
            raise ValueError(f"{twice[0]} has two rules {twice[1]}")
        return rules

    @property
    def digest(self) -> str:
        return digest_of(self)


def load_gate(path: Path) -> GateSettings:
    """Read gate.yaml, or the gate.yaml of a folder; ConfigurationError names the file and line."""
    return validated(GateSettings, read_yaml(path / "gate.yaml" if path.is_dir() else path, "gate"))


def judge_run(
    gate: GateSettings,
    run: Run,
    champion: Run | None,
    *,
    against: str = "prod",
    golden_set_digest: str | None = None,
    passports: Shelf | None = None,
) -> Decision:
    """Judge every rule, and give every reason at once.

    `champion` is the run of what the environment `against` serves, None when it serves
    nothing: then rules against it are skipped, which the decision says. `against` is ""
    for a champion that was named as a run. With
    `golden_set_digest`, a run on another golden set than that is inconclusive.

    `passports` are those that hold now (default: those the run recorded); a rule whose
    judge lacks what the gate demands of it is inconclusive.

    A run passes only when every rule is shown to hold. It fails when at least one is
    shown not to hold. All else (nothing measured, too few cases, failed measurements,
    a run that contradicts itself, or one that a sequential gate stopped early) is
    inconclusive; `reasons` holds the failed rules, then the inconclusive, then the
    skipped, then which part of a divided golden set was asked.
    """
    from genaiops.promotion.evidence import run_digest, run_problems
    from genaiops.promotion.rules import judge_rules

    about = "" if champion is None else run_digest(champion)
    refuse_impossible(gate, run)
    problems = (*run_problems(run, golden_set_digest), *too_few_repeats(gate, run), *_stopped_early(run))
    if problems:
        # Nothing that such a run says is worth judging, a failure included.
        return Decision("inconclusive", problems, (), run_digest(run), gate.digest, about)
    refusals = {
        rule.measure: judge_refusal(gate.judges, run, rule.measure, passports, coverage=gate.coverage)
        for rule in gate.rules
    }
    results = judge_rules(gate, run, champion, against=against, refusals=refusals)
    verdict, reasons = _sum_up(results)
    return Decision(verdict, (*reasons, *part_told(run)), results, run_digest(run), gate.digest, about)


def refuse_impossible(gate: GateSettings, run: Run) -> None:
    """ConfigurationError for a bound outside of the range that the run says its measure has.

    Names we know are checked when the file is read; an adapter's or a user's own measure only tells its range here.
    """
    for rule in gate.rules:
        scale = run.scales.get(rule.measure)
        if scale is not None and scale.unit_interval:
            for name in ("at_least", "at_most", "margin"):
                bound = getattr(rule, name)
                if bound is not None and not 0 <= bound <= 1:
                    raise ConfigurationError(
                        f"{name} must be in [0, 1] as {rule.measure} is, got {bound:g}",
                        where="gate.yaml",
                        remedy=f"correct the rule '{rule}'",
                    )


def part_told(run: Run) -> tuple[str, ...]:
    """Which part of a divided golden set a verdict rests on; nothing where it is not divided."""
    if not run.part:
        return ()
    learnt = ", where settings are learnt: that earns no release" if run.part == LEARNT_FROM else ""
    return (f"the golden set is divided: measured on {run.measured_on}{learnt}",)


def too_few_repeats(gate: GateSettings, run: Run) -> tuple[str, ...]:
    """Why a run asked its cases less often than the gate wants; empty when it did not."""
    if run.repeats >= gate.repeats:
        return ()
    asked, times = ("once" if n == 1 else f"{n} times" for n in (run.repeats, gate.repeats))
    return (f"each case was asked {asked}, this gate wants {times}: --repeat {gate.repeats} asks them so often",)


def _stopped_early(run: Run) -> tuple[str, ...]:
    if not run.not_asked:
        return ()
    # When it stopped depended on what it saw, which an interval for one look does not allow for.
    total = len(run.results) + len(run.not_asked)
    asked = f"{len(run.results)} of {total} cases were asked"
    return (f"{asked}; only the gate that stopped this run can judge it: genaiops evaluate FLOW asks them all",)


def _sum_up(results: tuple[RuleResult, ...]) -> tuple[VerdictKind, tuple[str, ...]]:
    failed = [r.reason for r in results if r.verdict == "fail"]
    unclear = [r.reason for r in results if r.verdict == "inconclusive"]
    skipped = [r.reason for r in results if r.skipped]
    verdict: VerdictKind = "fail" if failed else "inconclusive" if unclear or not results else "pass"
    return verdict, (*failed, *unclear, *skipped)
