"""score: answers of any application become measured values."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from genaiops.cli.output import Json, note, print_json, progress, say
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
)

if TYPE_CHECKING:
    from genaiops.cli.commands import Registry
    from genaiops.evaluation.http_application import HttpApplication
    from genaiops.evaluation.passports.shelf import Shelf
    from genaiops.evaluation.records import Run
    from genaiops.evaluation.rows import AnswerRow
    from genaiops.evaluation.tools import Tools


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
    judge: Annotated[
        str, typer.Option("--judge", metavar="MODEL", help="Model of models.yaml that decides llm:… measures.")
    ] = "",
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="A setting of the judge, for example votes=3. Repeatable."),
    ] = None,
    plan: Plan = False,
    as_json: Json = False,
) -> None:
    """Score any application's answers.

    With --measure, one JSON line {id, measure, value, unscored} for each row and measure.
    Without, the measures that fit the columns, as a table.
    """
    from genaiops.evaluation.measures import check_measures

    check_measures(measure or ())
    http = Http(url, questions, tuple(jmespath or ()), body, tuple(header or ()), timeout, workers)
    http.check(file)
    tools = _tools(judge, settings)
    rows = _rows(questions if url else file, format, answered=not url)
    if plan:
        _print_plan(measure, rows, tools, asks=bool(url), as_json=as_json)
        return
    run = http.run(rows, measure, tools) if url else _scored(file, rows, measure, tools)
    _print(run, rows or [], out, table=not measure, as_json=as_json)
    wanted = Wanted(html=html, junit=junit, markdown=markdown, report_json=report_json, csv=csv)
    wanted.write(run)
    if not measure and not as_json:
        print_scorecard(run)
        for path in filter(None, (out, html, junit, markdown, report_json, csv)):
            say(f"written: {path}")
    leave_where_nothing_was_measured(run)


@dataclass(frozen=True, slots=True)
class Http:
    """The options of an application that is asked over HTTP; `url` is empty when none is."""

    url: str
    questions: Path | None
    paths: tuple[str, ...]
    body: str
    headers: tuple[str, ...]
    timeout: float
    workers: int

    def check(self, file: Path | None) -> None:
        """Refuse options that do not go together, with what to write instead."""
        from genaiops.errors import ConfigurationError

        if self.url:
            if file is not None or self.questions is None:
                raise ConfigurationError(
                    "an application needs questions, and no rows",
                    remedy="genaiops score --url ADDRESS --questions FILE",
                )
            self.application()
            return
        idle = {"--questions": self.questions, "--jmespath": self.paths, "--body": self.body, "--header": self.headers}
        given = next((name for name, value in idle.items() if value), "")
        if given:
            raise ConfigurationError(f"{given} is for an application that is asked", remedy="give --url too")
        if file is None:
            raise ConfigurationError(
                "there is nothing to score", remedy="genaiops score FILE, or --url and --questions"
            )

    def application(self) -> HttpApplication:
        from genaiops.errors import ConfigurationError
        from genaiops.evaluation.http_application import DEFAULT_BODY, HttpApplication, Manner, parsed_paths

        try:
            posted = json.loads(self.body) if self.body else DEFAULT_BODY
        except (ValueError, RecursionError) as error:
            remedy = 'for example {"q": "{question}"}'
            raise ConfigurationError(f"--body is not JSON: {error}", remedy=remedy) from None
        given = [header.partition(":") for header in self.headers]
        if any(not colon or not name.strip() for name, colon, _ in given):
            raise ConfigurationError("--header needs NAME: VALUE", remedy="--header 'Authorization: Bearer ${API_KEY}'")
        manner = Manner(posted, {name.strip(): value.strip() for name, _, value in given}, self.timeout)
        return HttpApplication(self.url, parsed_paths(self.paths) if self.paths else None, manner=manner)

    def run(self, rows: list[AnswerRow] | None, measures: list[str] | None, tools: Tools) -> Run:
        """The questions asked and the answers measured; without rows, the golden set (dev of a divided one)."""
        from genaiops.evaluation import DEFAULT_MEASURES, evaluate
        from genaiops.evaluation.row_runs import ask_and_score
        from genaiops.evaluation.runs import new_run
        from genaiops.golden_sets import GoldenSet, Places
        from genaiops.golden_sets.splitting import part_of_set, read_split

        assert self.questions is not None  # see check
        with closing(self.application()) as application, progress("asking") as shown:

            def told(_what: str, done: int, total: int) -> None:
                shown(done, total)

            if rows is not None:
                name, workers = self.questions.name, self.workers
                return ask_and_score(
                    application, rows, measures, name=name, workers=workers, tools=tools, progress=told,
                    passports=_shelf(),
                )  # fmt: skip
            split = read_split(Places.of(self.questions).split)
            golden, part = part_of_set(GoldenSet.load(self.questions), split, "")
            run = evaluate(
                application, golden, measures=measures or DEFAULT_MEASURES, workers=self.workers, tools=tools,
                progress=told, passports=_shelf(),
            )  # fmt: skip
        if part:
            note(f"golden set {golden.name} is divided: only the {part} part was asked")
            run = new_run(replace(run, part=part))
        return run


def _rows(path: Path | None, format_: str, *, answered: bool) -> list[AnswerRow] | None:
    """The rows of a file; None for a golden set, whose cases say more than rows do."""
    from genaiops.errors import ConfigurationError
    from genaiops.evaluation.rows import read_rows
    from genaiops.golden_sets import GOLDEN_FILE, Places

    assert path is not None  # see Http.check
    if not answered and (path.is_dir() or path.name == GOLDEN_FILE or Places.of(path).split.exists()):
        return None
    rows = read_rows(path, format=format_, answered=answered)
    if not rows:
        raise ConfigurationError(f"there is no {'row' if answered else 'question'} in this file", where=path)
    return rows


def _scored(file: Path | None, rows: list[AnswerRow] | None, measures: list[str] | None, tools: Tools) -> Run:
    from genaiops.evaluation.row_runs import default_measures, run_of_rows

    assert file is not None and rows is not None  # see Http.check and _rows
    wanted = measures or default_measures(rows)
    with progress("scoring") as shown:

        def told(_what: str, done: int, total: int) -> None:
            shown(done, total)

        return run_of_rows(rows, wanted, name=file.name, tools=tools, progress=told, passports=_shelf())


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


def _print_plan(
    measures: list[str] | None, rows: list[AnswerRow] | None, tools: Tools, *, asks: bool, as_json: bool
) -> None:
    from genaiops.delivery.judge_tools import plan_scoring
    from genaiops.errors import ConfigurationError

    if asks or rows is None or not measures:
        raise ConfigurationError(
            "--plan tells what measures of models would spend on rows", remedy="genaiops score --plan -m llm:… FILE"
        )
    print_plan(plan_scoring(measures, [row.sample for row in rows], tools), as_json=as_json)


def _shelf() -> Shelf:
    from genaiops.evaluation.passports.shelf import Shelf
    from genaiops.project import Project

    return Shelf(Project.find().passports)


def _tools(judge: str, settings: list[str] | None) -> Tools:
    from genaiops.delivery.judge_tools import scoring_tools
    from genaiops.embedding import EmbeddingSettings, load_embedder
    from genaiops.project import Project

    project = Project.find()
    embedder = load_embedder(EmbeddingSettings(), cache_file=project.cache)
    return replace(scoring_tools(project, judge, settings or ()), embedder=embedder)
