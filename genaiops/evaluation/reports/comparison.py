"""Two runs made comparable, and what was different between what they evaluated."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from genaiops.display import counted
from genaiops.errors import ConfigurationError
from genaiops.evaluation.records import Run
from genaiops.evaluation.reports.changes import same_cases
from genaiops.evaluation.scoring import summarise

Value = TypeVar("Value")
NAMED = 3  # cases or measures that a message names


class NotComparable(ConfigurationError):
    """Two runs asked different questions, or were judged by different judges."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that was not the same: its dotted name, and both values as text ("" where there was none)."""

    name: str
    before: str
    after: str


def comparable(before: Run, after: Run, *, shared: bool = False) -> tuple[Run, Run, tuple[str, ...]]:
    """Both runs over the same cases and judges, and in words what was left out (nothing, unless `shared`).

    Without `shared`, runs on different golden sets or with different judges are refused with
    NotComparable; cases that a run which stopped early did not ask are only left out. With it,
    the cases that are in both word for word remain, and the measures that the same judge decided;
    their summaries are computed anew. NotComparable when nothing remains.
    """
    if before.id == after.id:
        raise NotComparable(f"both are run {after.id}", remedy="name two runs; a run is no news against itself")
    common = {now.case.id for now, _ in same_cases(after, before)}
    lost = [f"{counted(only, 'case')} only in {run.id}" for run in (before, after)
            if (only := len(run.results) - len(common))]  # fmt: skip
    other_judge = [name for name in after.judges if before.judges.get(name, "") != after.judges[name]]
    other_judge += [name for name in before.judges if name not in after.judges]
    measured = {s.measure for s in before.summaries} & {s.measure for s in after.summaries}
    rejudged = [name for name in other_judge if name in measured]
    kept = [s.measure for s in after.summaries if s.measure in measured and s.measure not in rejudged]
    if not shared and lost and before.golden_set_digest != after.golden_set_digest:
        raise NotComparable(
            f"the runs are on different golden sets ({before.golden_set} {before.golden_set_digest[:12]} and "
            f"{after.golden_set} {after.golden_set_digest[:12]}): {', '.join(lost)}",
            remedy=f"compare the {counted(len(common), 'case')} they share with --shared"
            if common
            else "they share no case",
        )
    if not shared and rejudged:
        raise NotComparable(
            f"different judges decided {_named(rejudged)}",
            remedy="evaluate again with one judge, or leave these measures out with --shared",
        )
    if not common or not kept:
        what = "case" if not common else "measure that the same judge decided"
        again = "evaluate both on one golden set with one judge"
        raise NotComparable(f"runs {before.id} and {after.id} share no {what}", remedy=again)
    notes = [f"left out: {text}" for text in lost]
    notes += [f"left out: {_named(rejudged)}, decided by different judges"] if rejudged else []
    if not notes:
        return before, after, ()
    return _only(before, common, kept), _only(after, common, kept), tuple(notes)


def _named(names: list[str]) -> str:
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")


def _only(run: Run, cases: set[str], measures: list[str]) -> Run:
    """The run over some of its cases and measures, with the summaries of those."""
    results = tuple(
        replace(
            result,
            outcomes=_among(result.outcomes, measures),
            verdicts=_among(result.verdicts, measures),
            repeated=_among(result.repeated, measures),
        )
        for result in run.results
        if result.case.id in cases
    )
    summaries = tuple(
        summarise(
            name,
            [result.outcomes[name] for result in results if name in result.outcomes],
            run.scales[name],
            confidence=run.confidence,
            seed=run.seed,
            cases=[result.case for result in results if name in result.outcomes],
        )
        for name in measures
        if name in run.scales
    )
    return replace(
        run,
        results=results,
        summaries=summaries,
        judges=_among(run.judges, measures),
        passports=_among(run.passports, measures),
        scales=_among(run.scales, measures),
    )


def _among(held: Mapping[str, Value], names: list[str]) -> dict[str, Value]:
    return {name: value for name, value in held.items() if name in names}


def differences(before: Run, after: Run) -> tuple[Difference, ...]:
    """What was not the same: digests and settings of flow, prompt and index, judges, code, versions of packages."""
    old, new = (dict(_facts(run)) for run in (before, after))
    names = [*old, *(name for name in new if name not in old)]
    return tuple(
        Difference(name, old.get(name, ""), new.get(name, "")) for name in names if old.get(name) != new.get(name)
    )


def _facts(run: Run) -> Iterator[tuple[str, str]]:
    """Dotted name → value as text. The digests of texts that stand here anyway are left out."""
    yield "golden set", f"{run.golden_set} {run.golden_set_digest[:12]}"
    if "index" in run.subject.digests:
        yield "index", run.subject.digests["index"][:12]
    for name, value in _leaves(run.subject.settings, ""):
        if name == "content":
            yield "content of the index (digest of its chunks and documents)", str(value)[:12]
        elif name not in ("index", "prompt.digest"):
            yield name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    for measure, judge in run.judges.items():
        yield f"judge of {measure}", judge[:12]
    yield "seed", str(run.seed)
    if run.git.commit:
        yield "commit", run.git.commit[:12] + (" with uncommitted changes" if run.git.dirty else "")
    for name, version in run.versions.items():
        yield f"version of {name}", version


def _leaves(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Every value of nested maps and lists of maps, by its dotted name."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(inner, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list | tuple) and value and all(isinstance(item, Mapping) for item in value):
        for number, inner in enumerate(value, start=1):
            yield from _leaves(inner, f"{name}.{number}")
    else:
        yield name, value
