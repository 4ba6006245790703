"""score: answers of any application become measured values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from genaiops.cli.output import Json, leave, note, print_json, progress, say

if TYPE_CHECKING:
    from genaiops.evaluation.http_application import HttpApplication
    from genaiops.evaluation.records import Run
    from genaiops.evaluation.rows import AnswerRow
    from genaiops.evaluation.tools import Tools


def register(app: typer.Typer) -> None:
    app.command()(score)


def score(  # noqa: PLR0913, PLR0917  (typer reads the options off the signature)
    file: Annotated[Path | None, typer.Argument(help="Rows with answers: JSON lines, CSV or TSV.")] = None,
    measure: Annotated[
        list[str] | None, typer.Option("--measure", "-m", help="For example groundedness. Repeatable.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Where the scores go, as JSON lines.")] = None,
    format: Annotated[str, typer.Option("--format", help="Whose columns: genaiops, ragas, deepeval, mlflow …")] = "",
    html: Annotated[Path | None, typer.Option("--html", help="Also write an HTML report here.")] = None,
    junit: Annotated[Path | None, typer.Option("--junit", help="Write a JUnit report.")] = None,
    markdown: Annotated[Path | None, typer.Option("--markdown", help="Write a Markdown report.")] = None,
    url: Annotated[str, typer.Option("--url", help="Ask the application at this address instead.")] = "",
    questions: Annotated[
        Path | None, typer.Option("--questions", help="What to ask it: rows with questions, or a golden set.")
    ] = None,
    jmespath: Annotated[
        list[str] | None,
        typer.Option("--jmespath", metavar="'NAME: PATH'", help="Where in its JSON the answer (contexts …) stands."),
    ] = None,
    body: Annotated[str, typer.Option("--body", help='What to post; default: {"question": "{question}"}.')] = "",
    header: Annotated[
        list[str] | None,
        typer.Option("--header", metavar="'NAME: VALUE'", help="${VARIABLE} is filled in. Repeatable."),
    ] = None,
    timeout: Annotated[float, typer.Option("--timeout", help="Seconds for one attempt.")] = 60.0,
    workers: Annotated[int, typer.Option("--workers", help="Questions asked at once.")] = 1,
    as_json: Json = False,
) -> None:
    """Score any application's answers.

    With --measure, one JSON line {id, measure, value, unscored} for each row and measure.
    Without, measures that fit the columns, as a table.
    """
    from genaiops.cli.evaluating import print_scorecard, write_reports

    if url:
        asked = _application(url, jmespath, body, header, timeout)
        run, rows = _asked(asked, file, questions, format, measure, workers)
    else:
        idle = {"--questions": questions, "--jmespath": jmespath, "--body": body, "--header": header}
        run, rows = _scored(file, format, measure, [name for name, given in idle.items() if given])
    _print(run, rows, out, table=not measure, as_json=as_json)
    write_reports(run, html, junit, markdown)
    if not measure and not as_json:
        print_scorecard(run)
        for path in filter(None, (out, html, junit, markdown)):
            say(f"written: {path}")
    if url and all(result.error for result in run.results):
        note(f"no question was answered: {run.results[0].error}")
        leave(3)


def _print(run: Run, rows: list[AnswerRow], out: Path | None, *, table: bool, as_json: bool) -> None:
    from genaiops.evaluation.row_runs import scores_of
    from genaiops.files import write_durably

    scores = scores_of(run, rows)
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in scores)
    if out is not None:
        write_durably(out, lines)
    if as_json:
        print_json(scores)
    elif table:
        return
    elif out is None:
        print(lines, end="")
    else:
        say(f"{len(scores)} scores in {out}")


def _scored(
    file: Path | None, format_: str, measures: list[str] | None, idle: list[str]
) -> tuple[Run, list[AnswerRow]]:
    from genaiops.errors import ConfigurationError
    from genaiops.evaluation.measures import check_measures
    from genaiops.evaluation.row_runs import default_measures, run_of_rows
    from genaiops.evaluation.rows import read_rows

    if idle:
        raise ConfigurationError(f"{idle[0]} is for an application that is asked", remedy="give --url too")
    if file is None:
        raise ConfigurationError("there is nothing to score", remedy="genaiops score FILE, or --url with --questions")
    check_measures(measures or ())
    rows = read_rows(file, format=format_)
    if not rows:
        raise ConfigurationError("there is no row in this file", where=file)
    with progress("scoring") as shown:
        run = run_of_rows(
            rows,
            measures or default_measures(rows),
            name=file.name,
            tools=_tools(),
            progress=lambda what, done, total: shown(done, total),
        )
    return run, rows


def _asked(
    ask: HttpApplication,
    file: Path | None,
    questions: Path | None,
    format_: str,
    measures: list[str] | None,
    workers: int,
) -> tuple[Run, list[AnswerRow]]:
    from genaiops.errors import ConfigurationError
    from genaiops.evaluation import DEFAULT_MEASURES, evaluate
    from genaiops.evaluation.measures import check_measures
    from genaiops.evaluation.row_runs import ask_and_score
    from genaiops.evaluation.rows import read_rows
    from genaiops.golden_sets import GoldenSet

    if file is not None or questions is None:
        raise ConfigurationError("an application needs questions", remedy="--url ADDRESS --questions FILE, and no FILE")
    check_measures(measures or ())
    options: dict[str, Any] = {"tools": _tools(), "workers": workers}
    with progress("asking") as shown:
        options["progress"] = lambda what, done, total: shown(done, total)
        if questions.is_dir() or questions.name == "golden.jsonl":
            golden = GoldenSet.load(questions)
            return evaluate(ask, golden, measures=measures or DEFAULT_MEASURES, **options), []
        rows = read_rows(questions, format=format_, answered=False)
        if not rows:
            raise ConfigurationError("there is no question in this file", where=questions)
        return ask_and_score(ask, rows, measures, name=questions.name, **options), rows


def _application(
    url: str, jmespath: list[str] | None, body: str, headers: list[str] | None, timeout: float
) -> HttpApplication:
    from genaiops.errors import ConfigurationError
    from genaiops.evaluation.http_application import DEFAULT_BODY, HttpApplication, Manner, parsed_paths

    try:
        posted = json.loads(body) if body else DEFAULT_BODY
    except ValueError as error:
        raise ConfigurationError(f"--body is not JSON: {error}", remedy='for example {"q": "{question}"}') from None
    given = [header.partition(":") for header in headers or ()]
    if any(not colon or not name.strip() for name, colon, _ in given):
        raise ConfigurationError("--header needs NAME: VALUE", remedy="--header 'Authorization: Bearer ${API_KEY}'")
    manner = Manner(posted, {name.strip(): value.strip() for name, _, value in given}, timeout)
    return HttpApplication(url, parsed_paths(jmespath) if jmespath else None, manner=manner)


def _tools() -> Tools:
    from genaiops.embedding import EmbeddingSettings, load_embedder
    from genaiops.evaluation.tools import Tools
    from genaiops.project import Project

    cache = Project.find().cache
    return Tools(load_embedder(EmbeddingSettings(), cache_file=cache), cache_file=cache)
