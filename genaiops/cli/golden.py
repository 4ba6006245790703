"""golden lint: care of golden sets."""

from __future__ import annotations

import typer

from genaiops.cli.output import FlowFolder, Json, Set, leave, print_json, say

app = typer.Typer(rich_markup_mode=None, add_completion=False, help="Care of golden sets.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Care of golden sets."""


@app.command()
def lint(flow: FlowFolder, settings: Set = None, as_json: Json = False) -> None:
    """Find cases that cannot be won or mislead.

    Quotes in no document, duplicates, imbalance. Exit 2 on errors.
    """
    from genaiops.flow import Flow
    from genaiops.flow.building import read_corpus
    from genaiops.golden_sets import GoldenSet
    from genaiops.golden_sets import lint as problems_of
    from genaiops.records import as_json as plain

    opened = Flow.load(flow, overrides=settings or ())
    golden = GoldenSet.load(opened.golden_set_path)
    corpus = read_corpus(opened.project, opened.settings, opened.folder)
    problems = problems_of(golden, corpus.documents)
    errors = [problem for problem in problems if problem.severity == "error"]
    if as_json:
        print_json({"golden_set": golden.name, "cases": len(golden.cases), "problems": plain(problems)})
    else:
        where = opened.golden_set_path
        file = where / "golden.jsonl" if where.is_dir() else where
        for problem in problems:
            place = f"{file}:{problem.line}" if problem.line else str(file)
            case = f"case {problem.case_id}: " if problem.case_id else ""
            say(f"{place}: {problem.severity}: {case}{problem.what}\n  {problem.remedy}")
        say(f"{golden.name}: {len(golden.cases)} cases, {len(errors)} errors, {len(problems) - len(errors)} warnings")
    leave(2 if errors else 0)
