"""golden lint, stats, lock, split: care of golden sets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from genaiops.cli import golden_exchange, golden_proposals
from genaiops.cli.output import FlowFolder, Json, Set, leave, note, print_json, say
from genaiops.cli.remedies import of_flow
from genaiops.display import counted, one_line

if TYPE_CHECKING:
    from genaiops.flow import Flow
    from genaiops.golden_sets import GoldenSet, Problem
    from genaiops.golden_sets.similarity import Embed

app = typer.Typer(rich_markup_mode=None, add_completion=False, help="Care of golden sets.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Care of golden sets."""


@app.command()
def lint(
    flow: FlowFolder,
    ignore: Annotated[
        list[str] | None, typer.Option("--ignore", metavar="CODE", help="Leave out findings of this code. Repeatable.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 2 on warnings too.")] = False,
    notes: Annotated[bool, typer.Option("--notes", help="Also list what more the set could ask.")] = False,
    settings: Set = None,
    as_json: Json = False,
) -> None:
    """Find cases that cannot be won or mislead.

    Codes: unwinnable, stale, duplicate, near_duplicate, ambiguous, leaked, uncovered, imbalance. Exit 2 on errors.
    """
    from genaiops.flow import Flow
    from genaiops.flow.building import read_corpus
    from genaiops.golden_sets import GoldenSet, Places
    from genaiops.golden_sets import lint as problems_of
    from genaiops.golden_sets.linting.coverage import coverage_of
    from genaiops.golden_sets.pins import read_pins
    from genaiops.records import as_json as plain

    opened = Flow.load(flow, overrides=settings or ())
    golden = GoldenSet.load(opened.golden_set_path)
    places = Places.of(opened.golden_set_path)
    ignored = ignore or ()
    documents = read_corpus(opened.project, opened.settings, opened.folder).documents
    problems = problems_of(
        golden,
        documents,
        prompts=prompt_texts(opened),
        pins=read_pins(places.lock),
        embed=None if "near_duplicate" in ignored else embed_of(opened),
        ignore=ignored,
    )
    problems = [replace(problem, remedy=of_flow(problem.remedy, flow, settings)) for problem in problems]
    coverage = coverage_of(golden, {document.id: document.text for document in documents})
    if as_json:
        told = {"golden_set": golden.name, "cases": len(golden.cases), "problems": plain(problems)}
        print_json({**told, "coverage": plain(coverage)})
    else:
        _print_problems(problems, places.golden, notes=notes)
        if "uncovered" not in ignored:
            say(coverage.line())
        say(f"{golden.name}: {counted(len(golden.cases), 'case')}, {_counted(problems)}")
    severities = {problem.severity for problem in problems}
    leave(2 if "error" in severities or (strict and "warning" in severities) else 0)


def _print_problems(problems: list[Problem], file: Path, *, notes: bool) -> None:
    for problem in problems:
        if problem.severity != "note" or notes:
            place = f"{file}:{problem.line}" if problem.line else str(file)
            case = f"case {problem.case_id}: " if problem.case_id else ""
            say(one_line(f"{place}: {problem.severity} {problem.code}: {case}{problem.what}"))
            say(f"  {one_line(problem.remedy)}")


def _counted(problems: list[Problem]) -> str:
    counts = {kind: sum(p.severity == kind for p in problems) for kind in ("error", "warning", "note")}
    shown = f"{counts['error']} errors, {counts['warning']} warnings"
    return f"{shown}, {counts['note']} notes (--notes lists them)" if counts["note"] else shown


def prompt_texts(flow: Flow) -> Mapping[str, str]:
    """The flow's prompt files (name → text)."""
    files = sorted((flow.folder / "prompts").glob("*.prompty"))
    return {path.stem: path.read_text(encoding="utf-8", errors="replace") for path in files}


def embed_of(flow: Flow) -> Embed | None:
    """What compares questions by meaning; None, and a word on it, where the flow's model is not on this machine."""
    from genaiops.errors import ConfigurationError

    try:
        return flow.embedder.embed
    except ConfigurationError as error:
        note(f"questions are compared by their words alone: {error.what}")
        return None


@app.command()
def stats(flow: FlowFolder, settings: Set = None, as_json: Json = False) -> None:
    """Count what a golden set holds.

    Cases by kind, tag, document and part; lengths; coverage; the smallest drop that it can show.
    """
    from genaiops.delivery.golden_parts import holdout_looks
    from genaiops.flow import Flow
    from genaiops.flow.building import read_corpus
    from genaiops.golden_sets import GoldenSet, Places
    from genaiops.golden_sets.pins import read_pins
    from genaiops.golden_sets.splitting import parts_of, read_split
    from genaiops.golden_sets.statistics import stats_of
    from genaiops.records import as_json as plain

    opened = Flow.load(flow, overrides=settings or ())
    golden = GoldenSet.load(opened.golden_set_path)
    places = Places.of(opened.golden_set_path)
    documents = read_corpus(opened.project, opened.settings, opened.folder).documents
    split = read_split(places.split)
    found = stats_of(golden, documents, pins=read_pins(places.lock), parts=parts_of(golden, split))
    looks = holdout_looks(opened) if split else ()
    drop = _smallest_drop(golden)
    if as_json:
        told = {"golden_set": golden.name, "holdout_looks": len(looks), "smallest_drop": drop}
        print_json({**plain(found), **told})
        return
    for line in found.lines():
        say(one_line(line))
    if split:
        say(f"holdout: looked at {len(looks)} times")
    if drop is not None:
        say(f"smallest drop of a measure from 0 to 1 that it shows 4 times in 5, case by case: {drop:.2f}")


def _smallest_drop(golden: GoldenSet) -> float | None:
    """The mean drop between two versions that a paired comparison shows with a power of 0.8; None: not any.

    Of cases that want an answer, and all answered alike until some of them break.
    """
    from genaiops.evaluation.statistics import detectable_difference

    cases = [case for case in golden if case.wants_answer]
    clusters = [case.evidence[0].document if case.evidence else f"case {case.id}" for case in cases]
    if len(cases) < 2:
        return None
    values = [0.0] * len(cases)
    return detectable_difference(values, 0.0, unit_interval=True, paired=True, clusters=clusters)


@app.command()
def lock(
    flow: FlowFolder,
    case: Annotated[list[str] | None, typer.Option("--case", metavar="ID", help="Only this case. Repeatable.")] = None,
    actor: Annotated[str, typer.Option("--as", metavar="NAME", help="Who accepts; default: the system's user.")] = "",
    settings: Set = None,
    as_json: Json = False,
) -> None:
    """Remember what the documents say around each quote.

    From then on lint reports cases whose source changed under the quote as stale.
    """
    from genaiops.delivery.golden_work import lock_cases
    from genaiops.flow import Flow

    opened = Flow.load(flow, overrides=settings or ())
    locked, path = lock_cases(opened, tuple(case or ()), actor=actor)
    if as_json:
        print_json({"locked": list(locked), "file": str(path)})
    else:
        say(f"{counted(len(locked), 'case')} in {path}")


@app.command()
def split(
    flow: FlowFolder,
    dev: Annotated[
        float | None, typer.Option("--dev", help="Share for daily work; default: as before, or 0.5.", min=0, max=1)
    ] = None,
    holdout: Annotated[
        float | None, typer.Option("--holdout", help="Share kept aside; default: as before, or 0.3.", min=0, max=1)
    ] = None,
    salt: Annotated[str, typer.Option("--salt", help="Another word makes another division.")] = "",
    settings: Set = None,
    as_json: Json = False,
) -> None:
    """Divide a golden set into train, dev and holdout.

    Every case of a document goes to the same part. What is neither dev nor holdout is for training. Nothing is
    written where a part with a share above 0 would be empty. A damaged division is replaced where --dev, --holdout
    and --salt are all given.
    """
    from genaiops.errors import GoldenSetError
    from genaiops.flow import Flow
    from genaiops.golden_sets import GoldenSet, Places
    from genaiops.golden_sets.splitting import divide, moved, parts_of, read_split, write_split

    opened = Flow.load(flow, overrides=settings or ())
    golden = GoldenSet.load(opened.golden_set_path)
    path = Places.of(opened.golden_set_path).split
    try:
        before = read_split(path)
    except GoldenSetError as error:
        if dev is None or holdout is None or not salt:
            raise  # what is not given would be as it was, and nobody can read how that is
        before = None
        note(f"{path}: {error.what}; it is replaced")
    made = divide(golden, dev=dev, holdout=holdout, salt=salt, before=before)
    write_split(path, made)
    counts = {part: len(ids) for part, ids in parts_of(golden, made).items()}
    changed = moved(golden, before, made)
    if as_json:
        print_json({"file": str(path), "parts": counts, "moved": len(changed), "salt": made.salt})
        return
    say(f"{', '.join(f'{count} {part}' for part, count in counts.items())}; {path}")
    if before:
        say(f"{counted(len(changed), 'case')} changed part" if changed else "no case changed its part")
    elif made.salt not in (salt, golden.name):
        say(f"drawn with the salt {made.salt!r}, since {golden.name!r} leaves a part empty")


golden_proposals.register(app)
golden_exchange.register(app)
