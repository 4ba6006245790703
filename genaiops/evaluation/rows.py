"""Scoring what any application said, from a file of rows."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genaiops.errors import ConfigurationError
from genaiops.evaluation.measures import measures_named
from genaiops.evaluation.records import Measure, Sample
from genaiops.evaluation.scoring import outcomes_of
from genaiops.generation import is_refusal
from genaiops.golden_sets.json_lines import Fault, all_faults, read_json_lines
from genaiops.records import NotApplicable, Outcome, Score

if TYPE_CHECKING:
    from genaiops.embedding import Embedder
    from genaiops.evaluation.tools import Tools

REQUIRED = ("id", "question", "answer")
OPTIONAL = ("contexts", "reference")


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """One answer of any application, and the texts it was made from. `id` comes back as it was given."""

    id: str | int
    question: str
    answer: str
    contexts: tuple[str, ...] = ()
    reference: str = ""

    @property
    def sample(self) -> Sample:
        refused = is_refusal(self.answer)
        return Sample(str(self.id), self.question, self.answer, self.contexts, self.reference, refused)


def read_rows(path: Path) -> list[AnswerRow]:
    """The rows `{id, question, answer[, contexts][, reference]}` of a JSON-lines file.

    Other keys are the application's own and are left alone, unless they look like a
    misspelt one of ours that is missing. One ConfigurationError lists every broken line
    with `file:line`; ids must differ. NotFound without the file.
    """
    lines, faults = read_json_lines(path, "file of rows")
    rows: list[AnswerRow] = []
    first_line: dict[str, int] = {}
    for line in lines:
        problems = _problems(line.data)
        if not problems and (before := first_line.setdefault(str(line.data["id"]), line.line)) != line.line:
            problems = [f"id {line.data['id']!r} stands on line {before} already"]
        faults.extend(Fault(line.line, problem) for problem in problems)
        if not problems:
            rows.append(_row(line.data))
    if faults:
        raise all_faults(ConfigurationError, path, faults)
    return rows


def score_rows(
    rows: Iterable[AnswerRow | Mapping[str, Any]],
    measures: Sequence[str | Measure],
    *,
    embedder: Embedder | None = None,
    tools: Tools | None = None,
) -> list[dict[str, Any]]:
    """`{"id", "measure", "value", "unscored"}` for each row and measure, rows in order.

    Exactly one of `value` (a number) and `unscored` (the reason; it starts with "not
    applicable" when the measure has no meaning for the row) is not None.
    """
    wanted = measures_named(measures, embedder=embedder, tools=tools)
    given = [row if isinstance(row, AnswerRow) else _checked(row, number) for number, row in enumerate(rows, start=1)]
    samples = [row.sample for row in given]
    columns = {str(measure): outcomes_of(measure, samples) for measure in wanted}
    return [
        {"id": row.id, "measure": name, **_written(outcomes[position])}
        for position, row in enumerate(given)
        for name, outcomes in columns.items()
    ]


def _written(outcome: Outcome) -> dict[str, float | str | None]:
    if isinstance(outcome, Score):
        return {"value": outcome.value, "unscored": None}
    reason = f"not applicable: {outcome.reason}" if isinstance(outcome, NotApplicable) else outcome.reason
    return {"value": None, "unscored": reason}


def _checked(data: Mapping[str, Any], number: int) -> AnswerRow:
    problems = _problems(data)
    if problems:
        raise ConfigurationError("; ".join(problems), where=f"row {number}")
    return _row(data)


def _row(data: Mapping[str, Any]) -> AnswerRow:
    return AnswerRow(
        data["id"],
        data["question"],
        data["answer"],
        tuple(data.get("contexts") or ()),
        data.get("reference") or "",
    )


def _problems(data: Mapping[str, Any]) -> list[str]:
    found = [f"{key} is missing{_hint(key, data)}" for key in REQUIRED if key not in data]
    found += [f"unknown key {close!r}; did you mean {key!r}?" for key in OPTIONAL if (close := _misspelt(key, data))]
    if "id" in data and (not isinstance(data["id"], (str, int)) or isinstance(data["id"], bool) or data["id"] == ""):
        found.append(f"id must be a text or a whole number, got {data['id']!r:.80}")
    found += [
        f"{key} must be a text, got {data[key]!r:.80}"
        for key in ("question", "answer")
        if key in data and not isinstance(data[key], str)
    ]
    reference, contexts = data.get("reference"), data.get("contexts")
    if reference is not None and not isinstance(reference, str):
        found.append(f"reference must be a text, got {reference!r:.80}")
    if contexts is not None and not (
        isinstance(contexts, (list, tuple)) and all(isinstance(text, str) for text in contexts)
    ):
        found.append(f"contexts must be a list of texts, got {contexts!r:.80}")
    return found


def _misspelt(key: str, data: Mapping[str, Any]) -> str:
    """The key of `data` that looks like `key`, when `key` itself is not there."""
    if key in data:
        return ""
    others = [name for name in data if isinstance(name, str) and name not in (*REQUIRED, *OPTIONAL)]
    return next(iter(difflib.get_close_matches(key, others, n=1, cutoff=0.8)), "")


def _hint(key: str, data: Mapping[str, Any]) -> str:
    close = _misspelt(key, data)
    return f"; is it {close!r}?" if close else ""
