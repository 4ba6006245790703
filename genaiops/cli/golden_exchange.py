"""golden import, export: golden sets of other tools."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from genaiops.cli.output import FlowFolder, Json, Set, print_json, say
from genaiops.cli.remedies import of_flow
from genaiops.display import counted, one_line

Format = Annotated[
    str,
    typer.Option(
        "--format", metavar="FORMAT", help="ragas, deepeval, mlflow, promptfoo, azure, beir, langsmith or csv."
    ),
]


def register(app: typer.Typer) -> None:
    app.command("import")(import_)
    app.command()(export)


def import_(
    flow: FlowFolder,
    file: Annotated[Path, typer.Argument(help="The file of the other tool; for beir its folder.")],
    form: Format,
    kind: Annotated[str, typer.Option("--kind", help="Kind of the rows that do not tell it.")] = "answerable",
    settings: Set = None,
    as_json: Json = False,
) -> None:
    """Propose the cases of another tool's golden set.

    Into proposed.jsonl, for golden review. Contexts that one document holds word for word become evidence.
    """
    from datetime import UTC, datetime
    from typing import cast, get_args

    from genaiops.delivery.golden_work import desk_of
    from genaiops.errors import ConfigurationError
    from genaiops.flow import Flow
    from genaiops.golden_sets.exchange import import_cases
    from genaiops.golden_sets.proposals import Proposal
    from genaiops.records import CaseKind

    if kind not in get_args(CaseKind):
        raise ConfigurationError(f"there is no kind {kind!r}", remedy=f"kinds are {', '.join(get_args(CaseKind))}")
    desk = desk_of(Flow.load(flow, overrides=settings or ()))
    found = import_cases(file, form, desk.texts, kind=cast("CaseKind", kind))
    now = datetime.now(UTC).isoformat(timespec="seconds")
    added = desk.add([Proposal(case, f"file:{form}", now) for case in found.cases])
    known = len(found.cases) - len(added)
    if as_json:
        print_json({"added": [p.case.id for p in added], "known": known, "lost": found.lost})
        return
    evidenced = sum(bool(proposal.case.evidence) for proposal in added)
    say(f"{counted(len(added), 'proposal')}, {evidenced} with evidence" + (f"; {known} were known" if known else ""))
    _tell(found.lost)
    if added:
        say(of_flow("decide on them with: genaiops golden review FLOW", flow, settings))


def export(
    flow: FlowFolder,
    form: Format,
    out: Annotated[str, typer.Option("--out", metavar="PATH", help="Where it goes: a file, for beir a folder.")],
    settings: Set = None,
    as_json: Json = False,
) -> None:
    """Write the golden set for another tool.

    What the format has no place for is told.
    """
    from dataclasses import astuple

    from genaiops.errors import ConfigurationError
    from genaiops.files import write_durably
    from genaiops.flow import Flow
    from genaiops.flow.building import read_corpus
    from genaiops.golden_sets import GoldenSet, Places
    from genaiops.golden_sets.exchange import export_cases

    if not out.strip():  # as a path it would be the working folder
        raise ConfigurationError("--out is empty", remedy="name a file, or for beir a folder: --out golden-beir")
    opened = Flow.load(flow, overrides=settings or ())
    golden = GoldenSet.load(opened.golden_set_path)
    documents = read_corpus(opened.project, opened.settings, opened.folder).documents if form == "beir" else ()
    found = export_cases(golden, form, {document.id: document.text for document in documents})
    targets = {Path(out) / name if name else Path(out): content for name, content in found.files.items()}
    own = {path.resolve() for path in astuple(Places.of(opened.golden_set_path))}
    for target in targets:
        if target.resolve() in own:
            raise ConfigurationError("the export would replace the golden set's own file", where=target,
                                     remedy="give --out another path")  # fmt: skip
    for target, content in targets.items():
        write_durably(target, content)
    if as_json:
        print_json({"cases": len(golden), "files": [str(target) for target in targets], "lost": found.lost})
        return
    say(f"{counted(len(golden), 'case')} in {out}")
    _tell(found.lost)


def _tell(lost: Mapping[str, int]) -> None:
    for what, times in sorted(lost.items(), key=lambda item: -item[1]):
        say(one_line(f"lost {times} times: {what}"))
