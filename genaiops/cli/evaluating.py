"""score, evaluate, gate: answers become measured values and verdicts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from genaiops.cli.output import FlowFolder, Json, Set, leave, note, print_json, progress, say

if TYPE_CHECKING:
    from genaiops.evaluation import Run
    from genaiops.promotion import Decision

EXIT_CODES = {"pass": 0, "fail": 1, "inconclusive": 3}


def register(app: typer.Typer) -> None:
    for command in (score, evaluate, gate):
        app.command()(command)


def score(
    file: Annotated[Path, typer.Argument(help="JSON lines {id, question, contexts, answer[, reference]}.")],
    measure: Annotated[list[str], typer.Option("--measure", "-m", help="For example groundedness. Repeatable.")],
    out: Annotated[Path | None, typer.Option("--out", help="Where the scores go; default: stdout.")] = None,
    as_json: Json = False,
) -> None:
    """Score any application's answers.

    One JSON line {id, measure, value, unscored} for each row and measure.
    """
    from genaiops.embedding import EmbeddingSettings, load_embedder
    from genaiops.errors import ConfigurationError
    from genaiops.evaluation import read_rows, score_rows
    from genaiops.files import write_durably
    from genaiops.project import Project

    embedder = load_embedder(EmbeddingSettings(), cache_file=Project.find().cache)
    rows = read_rows(file)
    if not rows:
        raise ConfigurationError("there is no row in this file", where=file)
    scores = score_rows(rows, measure, embedder=embedder)
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in scores)
    if out is not None:
        write_durably(out, lines)
    if as_json:
        print_json(scores)
    elif out is None:
        print(lines, end="")
    else:
        say(f"{len(scores)} scores in {out}")


def evaluate(
    flow: FlowFolder,
    html: Annotated[Path | None, typer.Option("--html", help="Also write the HTML report here.")] = None,
    junit: Annotated[Path | None, typer.Option("--junit", help="Write a JUnit report.")] = None,
    markdown: Annotated[Path | None, typer.Option("--markdown", help="Write a Markdown report.")] = None,
    release: Annotated[
        str, typer.Option("--release", help="Measure this release (or the one an environment holds) instead.")
    ] = "",
    settings: Set = None,
    as_json: Json = False,
) -> None:
    """Run the golden set and score every answer.

    Keeps the run, tracks it in MLflow and prints the scorecard.
    """
    from genaiops.delivery import evaluate_flow, evaluate_release, open_release
    from genaiops.flow import Flow

    opened = Flow.load(flow, overrides=settings or ())
    with _stages() as shown:
        if release:
            _, pipeline = open_release(opened.project, release, flow=opened.name)
            evaluated = evaluate_release(opened, pipeline, progress=shown)
        else:
            evaluated = evaluate_flow(opened, progress=shown)
    write_reports(evaluated.run, html, junit, markdown)
    if as_json:
        from genaiops.evaluation.passports import corrected_shares

        told = {"run": evaluated.run.id, "summaries": summaries(evaluated.run), "report": str(evaluated.report)}
        print_json({**told, "corrected": corrected_shares(evaluated.run)})
    else:
        print_scorecard(evaluated.run)
        say(f"run {evaluated.run.id}; report {evaluated.report}")
    if all(result.error for result in evaluated.run.results):
        note(f"no question was answered: {evaluated.run.results[0].error}")
        leave(3)


def gate(
    flow: FlowFolder,
    against: Annotated[
        str, typer.Option("--against", help="Environment of the champion; default: the project's last.")
    ] = "",
    html: Annotated[Path | None, typer.Option("--html", help="Write the HTML report with the verdict.")] = None,
    junit: Annotated[Path | None, typer.Option("--junit", help="Write a JUnit report with the verdict.")] = None,
    markdown: Annotated[Path | None, typer.Option("--markdown", help="Write a Markdown report.")] = None,
    settings: Set = None,
    as_json: Json = False,
) -> None:
    """Say pass, fail or inconclusive, and why.

    Exit code 0 pass, 1 fail, 3 inconclusive. Evaluates first if the present state has no run.
    """
    from genaiops.delivery import gate_flow
    from genaiops.flow import Flow

    with _stages() as shown:
        gated = gate_flow(Flow.load(flow, overrides=settings or ()), against=against, progress=shown)
    write_reports(gated.evaluated.run, html, junit, markdown, decision=gated.decision, champion=gated.champion)
    if as_json:
        print_json({**_plain(gated.decision), "run": gated.evaluated.run.id})
    else:
        print_decision(gated.decision)
    leave(EXIT_CODES[gated.decision.verdict])


def _plain(decision: Decision) -> dict[str, Any]:
    from genaiops.records import as_json

    data: dict[str, Any] = as_json(decision)
    return {"verdict": data["verdict"], "reasons": data["reasons"], "rules": data["rules"]}


def summaries(run: Run) -> dict[str, dict[str, Any]]:
    """Measure → mean, low, high, scored, unscored, not_applicable: the shape of `evaluate --json`."""
    from genaiops.records import as_json

    rows = [as_json(summary) for summary in run.summaries]
    return {row.pop("measure"): row for row in rows}


def write_reports(
    run: Run,
    html: Path | None,
    junit: Path | None,
    markdown: Path | None,
    *,
    decision: Decision | None = None,
    champion: Run | None = None,
) -> None:
    """The reports that were asked for, each in one rename."""
    from genaiops.evaluation import reports
    from genaiops.files import write_durably

    if html is not None:
        write_durably(html, reports.html_report(run, baseline=champion, verdict=decision))
    if junit is not None:
        write_durably(junit, reports.junit_report(run, verdict=decision))
    if markdown is not None:
        write_durably(markdown, reports.markdown_report(run, verdict=decision))


def print_scorecard(run: Run) -> None:
    """The run's table, in the width of the terminal."""
    from rich.console import Console

    from genaiops.evaluation.passports import corrected_shares, correction_line
    from genaiops.evaluation.reports import terminal_table

    Console().print(terminal_table(run))
    for corrected in corrected_shares(run).values():
        if (corrected.low, corrected.high) != (0.0, 1.0):  # that would say nothing
            say(correction_line(corrected))


def print_decision(decision: Decision) -> None:
    """The verdict, each rule, and what else was said."""
    say(f"verdict: {decision.verdict}")
    marks = {"pass": "ok  ", "fail": "FAIL", "inconclusive": "?   "}
    for rule in decision.rules:
        say(f"  {'skip' if rule.skipped else marks[rule.verdict]} {rule.reason}")
    told = {rule.reason for rule in decision.rules}
    for reason in decision.reasons:
        if reason not in told:
            say(f"  {reason}")


@contextmanager
def _stages() -> Iterator[Any]:
    """Progress of an evaluation: questions first, then one step per measure."""
    with progress("evaluating") as shown:
        yield lambda what, done, total: shown(done, total)
