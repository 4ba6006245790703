"""Which measures an application's answers gave nothing for, and the column or option that changes that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from genaiops.cli.applications import Http
    from genaiops.evaluation.records import Run
    from genaiops.evaluation.rows import AnswerRow
    from genaiops.records import Lacks

_NAMES: Mapping[Lacks, str] = {
    "contexts": "contexts", "documents": "the documents of contexts", "reference": "references",
}  # fmt: skip


def hints_of(run: Run, rows: list[AnswerRow] | None, http: Http, reply: str, *, chosen: bool) -> Iterator[str]:
    """A line for each thing that answers or questions lack: the measures without a score, and what gives them one.

    `reply` says what a reply without contexts held. `chosen`: nobody named the measures, so those that were left out
    for want of a column count.
    """
    from genaiops.evaluation.row_runs import lacking, left_out

    if all(result.answer is None for result in run.results):
        return  # nothing is known of its answers
    missing = dict(left_out(rows, asked=bool(http.url))) if chosen and rows else {}
    for lack, names in lacking(run).items():
        missing[lack] = tuple(dict.fromkeys((*names, *missing.get(lack, ()))))
    for lack, names in sorted(missing.items()):
        remedy = _asked(lack, http, reply) if http.url else _column(lack)
        yield f"for want of {_NAMES[lack]} there is no score of {', '.join(names)}: {remedy}"


def _asked(lack: Lacks, http: Http, reply: str) -> str:
    """What an application that is asked, or its questions, would have to give."""
    from genaiops.evaluation.reply_paths import DEFAULT_PATHS, parsed_paths

    if lack == "reference":
        return f"the answers that are right belong to the questions, {_column(lack)}"
    paths = parsed_paths(http.paths) or {"answer": DEFAULT_PATHS["answer"]}
    held = f"; the reply is {reply}" if reply else ""
    if lack == "contexts" and "contexts" in paths:
        return f"the JMESPath of contexts ({paths['contexts']}) found none in any reply{held}"
    where = "PATH" if lack == "contexts" else "PATH[].{document: NAME, text: NAME}"
    options = f"--jmespath 'answer: {paths['answer']}' --jmespath 'contexts: {where}'"
    return f"{options} says where in the reply they stand{held}"


def _column(lack: Lacks) -> str:
    from genaiops.evaluation.row_formats import FORMATS

    ours = "contexts" if lack == "documents" else lack
    columns = dict.fromkeys(name for each in FORMATS.values() for name in each.columns[ours])
    first, *others = columns
    return f"in a column {first} (in other formats {', '.join(others[:-1])} or {others[-1]})"
