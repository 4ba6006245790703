"""evaluate, gate: answers become measured values and verdicts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from genaiops.cli.commands import Registry
from genaiops.cli.output import FlowFolder, Json, Set, leave, print_json, say, stages
from genaiops.cli.planning import Plan, print_plan
from genaiops.cli.remedies import of_flow
from genaiops.cli.reporting import (
    Csv,
    Html,
    Junit,
    Markdown,
    ReportJson,
    StepSummary,
    Wanted,
    leave_where_nothing_was_measured,
    print_scorecard,
    tell_untracked,
)

if TYPE_CHECKING:
    from genaiops.delivery import Gated
    from genaiops.evaluation import Run
    from genaiops.promotion import Decision

EXIT_CODES = {"pass": 0, "fail": 1, "inconclusive": 3}


Split = Annotated[
    str,
    typer.Option("--split", metavar="PART", help="Part of a divided golden set: train, dev (default), holdout, all."),
]


Repeat = Annotated[
    int | None, typer.Option("--repeat", min=1, max=100, help="Ask each question so often; tells what is chance.")
]


def with_split(split: str, settings: list[str] | None) -> list[str]:
    """The overrides of a command, with the part that --split names."""
    return [*(settings or ()), *([f"evaluation.split={split}"] if split else [])]


def register(app: Registry) -> None:
    for command in (evaluate, gate):
        app.command()(command)


def evaluate(  # noqa: PLR0913, PLR0917  (a command's options)
    flow: FlowFolder,
    html: Html = None,
    junit: Junit = None,
    markdown: Markdown = None,
    step_summary: StepSummary = None,
    report_json: ReportJson = None,
    csv: Csv = None,
    release: Annotated[
        str, typer.Option("--release", help="Measure this release (or the one an environment holds) instead.")
    ] = "",
    plan: Plan = False,
    engine: Annotated[str, typer.Option("--engine", help="local, or ray (the cluster of RAY_ADDRESS).")] = "local",
    split: Split = "",
    repeat: Repeat = None,
    settings: Set = None,
    as_json: Json = False,
) -> None:
    """Run the golden set and score every answer.

    Keeps the run, tracks it in MLflow and prints the scorecard and where wrong answers were lost.
    """
    from genaiops.delivery import evaluate_flow, evaluate_release, load_checked, open_release
    from genaiops.delivery.judge_tools import plan_evaluation
    from genaiops.evaluation.anew import anew
    from genaiops.evaluation.reports import told_of
    from genaiops.evaluation.waterfall import told_in_lines, waterfall

    often = [] if repeat is None else [f"evaluation.repeats={repeat}"]
    opened = load_checked(flow, overrides=[*with_split(split, settings), *often])
    pipeline = open_release(opened.project, release, flow=opened.name)[1] if release else None
    if plan:
        print_plan(plan_evaluation(opened, pipeline or opened.pipeline), as_json=as_json)
        return
    with stages("evaluating") as shown:
        evaluated = (
            evaluate_release(opened, pipeline, progress=shown, engine=engine)
            if pipeline is not None
            else evaluate_flow(opened, progress=shown, engine=engine)
        )
    Wanted(html, junit, markdown, step_summary, report_json, csv).write(evaluated.run)
    if as_json:
        from genaiops.evaluation.passports import corrected_shares
        from genaiops.evaluation.reactions import reactions

        run = evaluated.run
        told: dict[str, Any] = {"run": run.id, "summaries": summaries(run), "report": str(evaluated.report)}
        told |= {"part": run.part, "holdout_looks": run.holdout_looks}
        told |= {"waterfall": waterfall(run), "reuse": anew(run), "reactions": reactions(run)}
        print_json({**told, "corrected": corrected_shares(run), **repeats_of(run)})
    else:
        print_scorecard(evaluated.run)
        if evaluated.run.part:
            say(f"golden set {evaluated.run.measured_on}")
        for line in (*told_in_lines(evaluated.run), *told_of(evaluated.run)):
            say(line)
        say(f"run {evaluated.run.id}; report {evaluated.report}")
    code = tell_untracked(evaluated)
    leave_where_nothing_was_measured(evaluated.run)
    leave(code)


def gate(  # noqa: PLR0913, PLR0917  one for each option
    flow: FlowFolder,
    against: Annotated[
        str, typer.Option("--against", help="Environment of the champion; default: the project's last.")
    ] = "",
    html: Html = None,
    junit: Junit = None,
    markdown: Markdown = None,
    step_summary: StepSummary = None,
    report_json: ReportJson = None,
    csv: Csv = None,
    split: Split = "",
    sequential: Annotated[
        bool, typer.Option("--sequential", help="Ask questions only until the verdict is certain.")
    ] = False,
    settings: Set = None,
    as_json: Json = False,
) -> None:
    """Say pass, fail or inconclusive, and why.

    Exit code 0 pass, 1 fail, 3 inconclusive. Evaluates first if the present state has no run.
    """
    from genaiops.delivery import gate_flow, load_checked

    with stages("evaluating") as shown:
        opened = load_checked(flow, overrides=with_split(split, settings))
        gated = gate_flow(opened, against=against, sequential=sequential, progress=shown)
    named = partial(of_flow, flow=flow, settings=with_split(split, settings))
    run, decision = gated.evaluated.run, _told(gated.decision, named)
    wanted = Wanted(html, junit, markdown, step_summary, report_json, csv)
    wanted.write(run, baseline=gated.champion, verdict=decision)
    if as_json:
        counts = {"asked": len(run.results), "not_asked": len(run.not_asked), "taken_over": gated.taken_over}
        print_json({**plain_decision(decision), "run": run.id, **counts, "kept": not gated.unkept})
    else:
        print_decision(decision)
        if gated.taken_over:
            say(of_flow(told_of_taken_over(gated, split), flow, settings))
        if gated.unkept:
            say(f"this verdict is not kept beside the run: {gated.unkept}")
        if run.not_asked:
            total = len(run.results) + len(run.not_asked)
            say(f"{len(run.results)} of {total} cases were asked; the rest was not needed")
    tell_untracked(gated.evaluated)
    leave(EXIT_CODES[gated.decision.verdict])


def _told(decision: Decision, named: Callable[[str], str]) -> Decision:
    """The decision with every reason as `named` makes it."""
    rules = tuple(replace(rule, reason=named(rule.reason)) for rule in decision.rules)
    return replace(decision, reasons=tuple(map(named, decision.reasons)), rules=rules)


def told_of_taken_over(gated: Gated, split: str = "") -> str:
    """Which run was judged, and how to have one made that the next gate takes: asked as often, of the same part."""
    run = gated.evaluated.run
    often = f" --repeat {run.repeats}" if run.repeats > 1 else ""
    part = f" --split {split}" if split else ""
    return (
        f"nothing was asked: run {run.id} has the same index, prompt, settings, model, golden set, "
        f"judges and code; a new one: genaiops evaluate FLOW{often}{part}"
    )


def plain_decision(decision: Decision) -> dict[str, Any]:
    """Verdict, reasons and rules as plain data."""
    from genaiops.records import as_json

    data: dict[str, Any] = as_json(decision)
    return {"verdict": data["verdict"], "reasons": data["reasons"], "rules": data["rules"]}


def summaries(run: Run) -> dict[str, dict[str, Any]]:
    """Measure → mean, low, high, scored, unscored, not_applicable: the shape of `evaluate --json`."""
    from genaiops.records import as_json

    rows = [as_json(summary) for summary in run.summaries]
    return {row.pop("measure"): row for row in rows}


def repeats_of(run: Run) -> dict[str, Any]:
    """What `evaluate --json` adds when each question was asked several times."""
    from genaiops.evaluation.repeating import flakiness
    from genaiops.records import as_json

    if run.repeats == 1:
        return {}
    rows: list[dict[str, Any]] = [as_json(found) for found in flakiness(run)]
    return {"repeats": run.repeats, "flakiness": {row.pop("measure"): row for row in rows}}


def print_decision(decision: Decision, tell: Callable[[str], None] = say) -> None:
    """The verdict, each rule, and what else was said."""
    tell(f"verdict: {decision.verdict}")
    marks = {"pass": "ok  ", "fail": "FAIL", "inconclusive": "?   "}
    for rule in decision.rules:
        tell(f"  {'skip' if rule.skipped else marks[rule.verdict]} {rule.reason}")
    told = {rule.reason for rule in decision.rules}
    for reason in decision.reasons:
        if reason not in told:
            tell(f"  {reason}")
