"""score: answers of any application become measured values."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from genaiops.cli.applications import Http
from genaiops.cli.evaluating import EXIT_CODES, Repeat, Split, plain_decision, print_decision, repeats_of
from genaiops.cli.hints import hints_of
from genaiops.cli.output import Json, leave, note, print_json, say, stages
from genaiops.cli.planning import Plan, print_plan
from genaiops.cli.reporting import (
    Csv,
    Html,
    Junit,
    Markdown,
    ReportJson,
    Wanted,
    leave_where_nothing_was_measured,
    print_scorecard,
    tell_untracked,
)
from genaiops.cli.verdicts import Judged

if TYPE_CHECKING:
    from genaiops.cli.commands import Registry
    from genaiops.evaluation.records import Run
    from genaiops.evaluation.rows import AnswerRow
    from genaiops.evaluation.tools import Tools
    from genaiops.promotion import Decision


def register(app: Registry) -> None:
    app.command()(score)


def score(  # noqa: PLR0913, PLR0917  (a command's options)
    file: Annotated[Path | None, typer.Argument(help="Rows with answers: JSON lines, CSV or TSV.")] = None,
    measure: Annotated[
        list[str] | None, typer.Option("--measure", "-m", help="For example groundedness. Repeatable.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Where the scores go, as JSON lines.")] = None,
    format: Annotated[
        str, typer.Option("--format", help="Whose columns: genaiops, ragas, deepeval, mlflow, langsmith, azure.")
    ] = "",
    html: Html = None,
    junit: Junit = None,
    markdown: Markdown = None,
    report_json: ReportJson = None,
    csv: Csv = None,
    url: Annotated[str, typer.Option("--url", help="Ask the application at this address instead.")] = "",
    questions: Annotated[
        Path | None, typer.Option("--questions", help="What to ask it: rows with questions, or a golden set.")
    ] = None,
    split: Split = "",
    jmespath: Annotated[
        list[str] | None,
        typer.Option("--jmespath", metavar="'NAME: PATH'", help="Where in its JSON the answer (contexts …) stands."),
    ] = None,
    body: Annotated[str, typer.Option("--body", help='What to post; default: {"question": "{question}"}.')] = "",
    header: Annotated[
        list[str] | None, typer.Option("--header", metavar="'NAME: VALUE'", help="${VARIABLE} is filled in.")
    ] = None,
    timeout: Annotated[float, typer.Option("--timeout", help="Seconds for one attempt.")] = 60.0,
    workers: Annotated[int, typer.Option("--workers", help="Questions asked at once.")] = 1,
    repeat: Repeat = None,
    judge: Annotated[
        str, typer.Option("--judge", metavar="MODEL", help="Model of models.yaml that decides llm:… measures.")
    ] = "",
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="A setting of the judge, for example votes=3. Repeatable."),
    ] = None,
    gate: Annotated[
        Path | None,
        typer.Option("--gate", help="Judge the run by this gate.yaml: exit 0 pass, 1 fail, 3 inconclusive."),
    ] = None,
    against: Annotated[
        str, typer.Option("--against", metavar="RUN", help="The gate's champion: id, latest or run.json.")
    ] = "",
    keep: Annotated[
        str, typer.Option("--keep", metavar="NAME", help="Keep the run under this name, for compare and --against.")
    ] = "",
    plan: Plan = False,
    as_json: Json = False,
) -> None:
    """Score any application's answers.

    With --measure, one JSON line {id, measure, value, unscored} for each row and measure.
    Without, the measures that fit the columns, as a table.
    """
    from genaiops.evaluation.measures import check_measures

    check_measures(measure or ())
    http = Http(url, questions, split, tuple(jmespath or ()), body, tuple(header or ()), timeout, workers, repeat)
    http.check(file)
    tools = _tools(judge, settings)
    rows = _rows(questions if url else file, format, answered=not url)
    http.check_part(rows)
    judged = Judged.of(gate, against, keep)
    if plan:
        _print_plan(measure, rows, tools, judged, asks=bool(url), as_json=as_json)
        return
    with judged.keeping():
        run, reply = (
            http.run(rows, measure, tools, judged) if url else (_scored(file, rows, measure, tools, judged), "")
        )
        decision = judged.decision(run)
        with judged.saved(run, decision) as saved:
            _print(run, rows or [], out, table=not measure, verdict=decision, as_json=as_json)
            wanted = Wanted(html=html, junit=junit, markdown=markdown, report_json=report_json, csv=csv)
            wanted.write(run, baseline=judged.champion, verdict=decision)
            tell = note if measure or as_json else say  # what standard output is for comes alone
            if not as_json:
                _tell(run, judged, tell, table=not measure)
            if not measure and not as_json:
                for path in filter(None, (out, html, junit, markdown, report_json, csv)):
                    say(f"written: {path}")
            for hint in hints_of(run, rows, http, reply, chosen=not measure):
                note(hint)
            if left := judged.unmeasured(measure):
                note(f"the gate has rules about {', '.join(left)}, which --measure leaves out: name it too, or none")
            if saved.evaluated is not None:
                tell(f"run {run.id} of {keep} is kept in {saved.evaluated.folder}")
            if decision is not None and not as_json:
                print_decision(decision, tell)
            sys.stdout.flush()
    code = tell_untracked(saved.evaluated)
    leave_where_nothing_was_measured(run)
    leave(EXIT_CODES[decision.verdict] if decision is not None else code)


def _rows(path: Path | None, format_: str, *, answered: bool) -> list[AnswerRow] | None:
    """The rows of a file; None for a golden set, whose cases say more than rows do."""
    from genaiops.errors import ConfigurationError
    from genaiops.evaluation.rows import read_rows
    from genaiops.golden_sets import GOLDEN_FILE, Places

    assert path is not None  # see Http.check
    if not answered and (path.is_dir() or path.name == GOLDEN_FILE or Places.of(path).split.exists()):
        return None
    if (path / GOLDEN_FILE).is_file():
        raise ConfigurationError(
            "this is a golden set: questions, and no answers to score",
            where=path,
            remedy=f"genaiops score --url ADDRESS --questions {path} asks an application",
        )
    rows = read_rows(path, format=format_, answered=answered)
    if not rows:
        raise ConfigurationError(f"there is no {'row' if answered else 'question'} in this file", where=path)
    return rows


def _scored(
    file: Path | None, rows: list[AnswerRow] | None, measures: list[str] | None, tools: Tools, judged: Judged
) -> Run:
    from genaiops.evaluation.row_runs import default_measures, run_of_rows

    assert file is not None and rows is not None  # see Http.check and _rows
    wanted = judged.measures(measures, default_measures(rows))
    with stages("scoring") as told:
        return judged.of_rows(
            run_of_rows(rows, wanted, name=file.name, tools=tools, progress=told, passports=judged.passports)
        )


def _print(
    run: Run, rows: list[AnswerRow], out: Path | None, *, table: bool, verdict: Decision | None, as_json: bool
) -> None:
    from genaiops.evaluation.row_runs import scores_of
    from genaiops.files import write_durably

    scores = scores_of(run, rows)
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in scores)
    if out is not None:
        write_durably(out, lines)
    if as_json:
        judged = {} if verdict is None else plain_decision(verdict)
        alone = verdict is None and run.repeats == 1
        print_json(scores if alone else {**judged, "run": run.id, "scores": scores, **repeats_of(run)})
    elif table:
        return
    elif out is None:
        print(lines, end="")
    else:
        say(f"{len(scores)} scores in {out}")


def _tell(run: Run, judged: Judged, tell: Callable[[str], None], *, table: bool) -> None:
    """The scorecard, where a table is wanted, and what the run can show; of repeats, how far they agreed."""
    from genaiops.evaluation.repeating import told
    from genaiops.evaluation.reports import told_of

    if table:
        print_scorecard(run, baseline=judged.champion)
    for line in told_of(run) if table else told(run):
        tell(line)


def _print_plan(
    measures: list[str] | None, rows: list[AnswerRow] | None, tools: Tools, judged: Judged, *, asks: bool, as_json: bool
) -> None:
    from genaiops.delivery.judge_tools import plan_scoring
    from genaiops.errors import ConfigurationError
    from genaiops.evaluation.row_runs import default_measures

    if asks or rows is None or not (measures or judged.gate):
        raise ConfigurationError(
            "--plan tells what measures of models would spend on rows", remedy="genaiops score --plan -m llm:… FILE"
        )
    wanted = judged.measures(measures, default_measures(rows))
    print_plan(plan_scoring(wanted, [row.sample for row in rows], tools), as_json=as_json)


def _tools(judge: str, settings: list[str] | None) -> Tools:
    from genaiops.delivery.judge_tools import scoring_tools
    from genaiops.embedding import EmbeddingSettings, load_embedder
    from genaiops.project import Project

    project = Project.find()
    embedder = load_embedder(EmbeddingSettings(), cache_file=project.cache)
    return replace(scoring_tools(project, judge, settings or ()), embedder=embedder)
