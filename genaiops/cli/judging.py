"""judge calibrate, list, show, retire, sheet, correct: what a judge is worth, measured against people."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from genaiops.cli.output import Json, leave, note, print_json, say

if TYPE_CHECKING:
    from genaiops.evaluation.passports import Passport, Shelf
    from genaiops.evaluation.passports.record import Figure
    from genaiops.evaluation.records import Measure
    from genaiops.evaluation.tools import Tools

app = typer.Typer(
    rich_markup_mode=None,
    add_completion=False,
    help="What a judge is worth, measured against people.",
    no_args_is_help=True,
)

Measured = Annotated[str, typer.Option("--measure", "-m", help="The judged measure.")]
OfFlow = Annotated[
    Path | None,
    typer.Option("--flow", metavar="FLOW", help="Judge as this flow does; default: with the default embedder."),
]
ByModel = Annotated[
    str, typer.Option("--judge", metavar="MODEL", help="Model of models.yaml that decides llm:… measures.")
]


@app.callback()
def _group() -> None:
    """What a judge is worth, measured against people."""


@app.command()
def calibrate(
    file: Annotated[Path, typer.Argument(help="JSON lines {answer, label[, question][, contexts][, source]}.")],
    measure: Measured = "groundedness",
    out: Annotated[Path | None, typer.Option("--out", help="Write the passport here instead of keeping it.")] = None,
    expires: Annotated[str, typer.Option("--expires", help="Last day it holds, YYYY-MM-DD; default: a year.")] = "",
    flow: OfFlow = None,
    judge: ByModel = "",
    as_json: Json = False,
) -> None:
    """Compare a judge with human labels and write its passport.

    A label is true, false or a number from 0 to 1 under label, human or grounded.
    """
    from genaiops.evaluation.passports import calibrate as compared
    from genaiops.evaluation.passports import read_labels

    rows, waiting = read_labels(file)
    until = _day(expires)
    passport = compared(_measure(measure, flow, judge), rows, expires=until)
    path = passport.save(out) if out is not None else _shelf().keep(passport)
    if as_json:
        print_json({**passport.to_json(), "file": str(path), "waiting": waiting})
        return
    _print(passport)
    if waiting:
        say(f"{waiting} rows have no label yet and were left out")
    say(f"passport of {measure}, judge {passport.judge[:12]}, in {path}")


@app.command("list")
def listed(as_json: Json = False) -> None:
    """List the passports there are: the project's own and those of the shipped judges.

    Exit 2 when a file is damaged.
    """
    from genaiops.evaluation.passports import passport_line

    kept = _shelf().kept()
    if as_json:
        print_json(
            [
                {
                    "file": str(item.path),
                    "shipped": item.shipped,
                    "problem": item.problem,
                    "passport": item.passport,
                }
                for item in kept
            ]
        )
    else:
        for item in kept:
            if item.passport is not None:
                state = item.passport.refusal(item.passport.judge)
                whose = "shipped" if item.shipped else "own"
                say(f"{item.passport.measure}  {item.passport.judge[:12]}  {whose}  {passport_line(item.passport)}")
                if state and not item.passport.retired:
                    say(f"  {state}")
        if not kept:
            say("no judge has a passport; genaiops judge calibrate FILE makes one")
    damaged = [item for item in kept if item.problem]
    for item in damaged:
        note(item.problem)
    leave(2 if damaged else 0)


@app.command()
def show(
    measure: Annotated[str, typer.Argument(help="The judged measure, for example groundedness.")],
    flow: OfFlow = None,
    judge: ByModel = "",
    as_json: Json = False,
) -> None:
    """Show the passport that holds for a judge as it is now, source by source.

    Exit 3 when none holds: with the reason and the remedy.
    """
    digest = _measure(measure, flow, judge).judge
    standing = _shelf().standing(measure, digest)
    if as_json:
        refusal = standing if isinstance(standing, str) else ""
        passport = None if isinstance(standing, str) else standing
        print_json({"measure": measure, "judge": digest, "passport": passport, "refusal": refusal})
    elif not isinstance(standing, str):
        _print(standing)
    if isinstance(standing, str):
        note(f"{measure}: {standing}")
        leave(3)


@app.command()
def retire(
    measure: Annotated[str, typer.Argument(help="The judged measure.")],
    reason: Annotated[str, typer.Option("--reason", help="Why it may no longer be used.")],
    flow: OfFlow = None,
    judge: ByModel = "",
    as_json: Json = False,
) -> None:
    """Say that a judge, as it is now, may no longer decide a gate."""
    path = _shelf().retire(measure, _measure(measure, flow, judge).judge, reason)
    if as_json:
        print_json({"measure": measure, "file": str(path)})
    else:
        say(f"{measure} is retired: {path}")


@app.command()
def sheet(
    run: Annotated[str, typer.Argument(help="Id of a run, or the start or end of one.")],
    measure: Measured = "groundedness",
    cases: Annotated[int, typer.Option("--cases", min=5, help="How many answers people shall label.")] = 50,
    out: Annotated[Path | None, typer.Option("--out", help="Where the rows go; default: stdout.")] = None,
    as_json: Json = False,
) -> None:
    """Draw answers of a run at random for people to label.

    JSON lines with `label: null`. The judge's values are left out, so that nobody follows them.
    """
    from genaiops.evaluation import find_run
    from genaiops.evaluation.passports import label_sheet
    from genaiops.files import write_durably
    from genaiops.project import Project

    rows = label_sheet(find_run(Project.find().runs, run), measure, cases=cases)
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    if out is not None:
        write_durably(out, lines)
    if as_json:
        print_json(rows)
    elif out is None:
        print(lines, end="")
    else:
        say(f"{len(rows)} answers to label in {out}: set label to true, false or a number from 0 to 1")


@app.command()
def correct(
    run: Annotated[str, typer.Argument(help="Id of a run, or the start or end of one.")],
    file: Annotated[Path, typer.Argument(help="Its labelled sheet.")],
    measure: Measured = "groundedness",
    as_json: Json = False,
) -> None:
    """Correct a run's mean by labels of some of its answers.

    Prediction-powered inference: the judge's value on all answers, and what people say of a few.
    """
    from genaiops.evaluation import find_run
    from genaiops.evaluation.passports import corrected_by_labels, read_labels
    from genaiops.project import Project

    rows, _ = read_labels(file)
    found = corrected_by_labels(find_run(Project.find().runs, run), measure, rows)
    if as_json:
        print_json(found)
    else:
        say(
            f"{measure}: {found.value:.3f} ({found.low:.3f}–{found.high:.3f}) by {found.labelled} labels and the judge "
            f"on {found.n} answers; the judge alone says {found.judged:.3f}"
        )


def _shelf() -> Shelf:
    from genaiops.evaluation.passports import Shelf
    from genaiops.project import Project

    return Shelf(Project.find().passports)


def _measure(name: str, flow: Path | None, judge: str) -> Measure:
    from genaiops.evaluation import measure_named

    return measure_named(name, tools=_tools(flow, judge))


def _tools(flow: Path | None, judge: str) -> Tools:
    from genaiops.delivery.judge_tools import scoring_tools, tools_of
    from genaiops.errors import ConfigurationError

    if flow is not None:
        from genaiops.flow import Flow

        if judge:
            raise ConfigurationError("--judge and --flow do not go together", remedy="the flow says who judges")
        opened = Flow.load(flow)
        return tools_of(opened, opened.served, opened.embedder)
    from genaiops.embedding import EmbeddingSettings, load_embedder
    from genaiops.project import Project

    project = Project.find()
    embedder = load_embedder(EmbeddingSettings(), cache_file=project.cache)
    return replace(scoring_tools(project, judge), embedder=embedder)


def _day(text: str) -> date | None:
    from genaiops.errors import ConfigurationError

    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise ConfigurationError(f"--expires {text!r:.40} is no day", remedy="write it as 2027-06-30") from None


def _print(passport: Passport) -> None:
    retired = f", retired: {passport.retired}" if passport.retired else ""
    days = f"made {passport.made_at}, holds until {passport.expires_at}"
    say(f"passport of {passport.measure}, judge {passport.judge[:12]}, {days}{retired}")
    for source in passport.sources:
        wrong = source.confusion
        fitted = ", which the judge was fitted on" if source.seen else ""
        fitted += ", which nobody gave for this measure" if source.constructed else ""
        unscored = f", {source.unscored} more that the judge did not score" if source.unscored else ""
        say(f"{source.source}: {source.n:,} labels{unscored}{fitted}")
        named = (("AUROC", source.auroc), ("balanced accuracy", source.balanced_accuracy), ("kappa", source.kappa))
        say(f"  {', '.join(f'{name} {_shown(figure)}' for name, figure in named)}")
        good = f"{wrong.false_negative} of {wrong.positive} good answers called bad"
        say(f"  {good}, {wrong.false_positive} of {wrong.negative} bad ones called good")


def _shown(figure: Figure | None) -> str:
    return "not known" if figure is None else f"{figure.value:.2f} ({figure.low:.2f}–{figure.high:.2f})"
