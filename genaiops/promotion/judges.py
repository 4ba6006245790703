"""What a gate demands of the judges behind its rules. A judge that nobody compared with people settles nothing."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, model_validator

from genaiops.configuration import Settings
from genaiops.evaluation.measures import JUDGED

if TYPE_CHECKING:
    from genaiops.evaluation.passports.record import Figure, Passport, SourceFigures
    from genaiops.evaluation.passports.shelf import Shelf
    from genaiops.evaluation.records import Run

FLOORS = {"auroc": "AUROC", "balanced_accuracy": "balanced accuracy", "kappa": "kappa"}
Share = Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)]


class JudgeDemands(Settings):
    """`judges:` of gate.yaml.

    `passport: required` makes every rule on a judged measure inconclusive unless the
    judge's passport holds. A floor asks that the low end of the figure's interval
    reaches it, on every source of labels the judge was not fitted on, or on each of
    `sources`.
    """

    passport: Literal["required", "optional"] = "optional"
    auroc: Share | None = None
    balanced_accuracy: Share | None = None
    kappa: Share | None = None
    sources: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _floors_need_a_passport(self) -> JudgeDemands:
        given = [name for name in (*FLOORS, "sources") if getattr(self, name)]
        if given and self.passport == "optional":
            raise ValueError(f"{given[0]} asks something of a passport: write passport: required beside it")
        return self


def judge_refusal(
    demands: JudgeDemands,
    run: Run,
    measure: str,
    passports: Shelf | None,
    *,
    on: date | None = None,
    coverage: float = 1.0,
) -> str:
    """Why the judge of a measure may not decide a gate, with the remedy; "" when it may, or when no judge decides it.

    Passports are looked up in `passports`, so that what was said since the run counts;
    without it those that the run recorded are taken. A retired judge is refused whatever
    is demanded, and so is one whose passport in the project cannot be read. `coverage` is
    the share of a source's labelled rows that the judge must have scored for a floor to
    be met there.
    """
    digest = run.judges.get(measure, "")
    if not digest:
        decided = (measure in JUDGED or ":" in measure) and demands.passport == "required"
        return "the run does not say which judge decided it; genaiops evaluate FLOW" if decided else ""
    known = run.passports.get(measure) if passports is None else passports.find(measure, digest)
    if known is not None and known.retired:
        return f"{known.refusal(digest, on=on)}; choose another measure, or another judge"
    if known is None and passports is not None and (problem := passports.damage(measure, digest)):
        return problem
    if demands.passport == "optional":
        return ""
    standing = (
        _recorded(known, measure, digest, on) if passports is None else passports.standing(measure, digest, on=on)
    )
    return standing if isinstance(standing, str) else _below(demands, standing, coverage)


def _recorded(passport: Passport | None, measure: str, digest: str, on: date | None) -> Passport | str:
    if passport is None:
        refusal = "the run records no passport of the judge"
    else:
        refusal = passport.refusal(digest, on=on)
        if not refusal:
            return passport
    return f"{refusal}; genaiops judge calibrate FILE --measure {measure}"


def _below(demands: JudgeDemands, passport: Passport, coverage: float) -> str:
    """The first floor that a source does not reach, or reaches only on the rows that the judge could score."""
    wanted = {name: floor for name in FLOORS if (floor := getattr(demands, name)) is not None}
    again = f"genaiops judge calibrate FILE --measure {passport.measure} with more labels, or another judge"
    missing = [name for name in demands.sources if passport.source(name) is None]
    if missing:
        known = ", ".join(source.source for source in passport.sources)
        return f"the passport has no figures on {missing[0]!r} (it has {known}); {again}"
    sources = [passport.source(name) for name in demands.sources] or [s for s in passport.sources if not s.seen]
    if not demands.sources and all(source.constructed for source in sources or passport.sources if source):
        return f"the passport has no figures on labels that people gave for {passport.measure}; {again}"
    if wanted and not sources:
        return f"the passport has figures only on labels that the judge was fitted on; {again}"
    for source in sources:
        if wanted and source is not None and (share := source.n / (source.n + source.unscored)) < coverage:
            rows = f"{source.n:,} of {source.n + source.unscored:,} labelled rows"
            return f"the judge scored {rows} of {source.source}, coverage {share:.3g} < {coverage:g}; {again}"
        for name, floor in wanted.items():
            figure: Figure | None = getattr(source, name)
            if source is not None and (figure is None or figure.low < floor):
                return f"{_told(source, name, figure)}, {floor:g} is demanded and not shown; {again}"
    return ""


def _told(source: SourceFigures, name: str, figure: Figure | None) -> str:
    if figure is None:
        return f"the judge's {FLOORS[name]} on {source.source} is not known"
    ends = f"{figure.low:.2f} to {figure.high:.2f}"
    return f"the judge's {FLOORS[name]} on {source.source} is {figure.value:.2f} ({ends}, {source.n} labels)"
