"""Answers of any application as rows: read from a file of any known format, checked, scored."""

from __future__ import annotations

import difflib
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genaiops.errors import ConfigurationError
from genaiops.evaluation.measures import measures_named
from genaiops.evaluation.operational import FACTS as NUMBERS
from genaiops.evaluation.records import Measure, Sample
from genaiops.evaluation.row_files import read_records
from genaiops.evaluation.row_formats import FACTS, FORMATS, OWN, RowFormat, format_named, format_of
from genaiops.evaluation.scoring import outcomes_of
from genaiops.generation import is_refusal
from genaiops.golden_sets.json_lines import Fault, Row, all_faults
from genaiops.records import Metadata, NotApplicable, Outcome, Score

if TYPE_CHECKING:
    from genaiops.embedding import Embedder
    from genaiops.evaluation.tools import Tools

REQUIRED = ("question", "answer")
OPTIONAL = ("contexts", "reference")


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """One answer of any application, and the texts it was made from. `id` comes back as it was given.

    `facts` are numbers and lists that some measures read: see row_formats.FACTS.
    """

    id: str | int
    question: str
    answer: str
    contexts: tuple[str, ...] = ()
    reference: str = ""
    facts: Metadata = field(default_factory=dict)

    @property
    def sample(self) -> Sample:
        refused = is_refusal(self.answer)
        return Sample(
            str(self.id), self.question, self.answer, self.contexts, self.reference, refused, facts=self.facts
        )


def read_rows(path: Path, *, format: str = "", answered: bool = True) -> list[AnswerRow]:
    """The rows of a JSON-lines, CSV or TSV file.

    `format` names one of row_formats.FORMATS; without it the columns tell. Columns that no
    format knows are the application's own and are left alone, unless they look like a
    misspelt one that is missing. A row without an `id` gets the number of its line. With
    `answered=False` the rows are questions, and their answers stay empty. One
    ConfigurationError lists every broken line with `file:line`; ids must differ. NotFound
    without the file.
    """
    records, faults = read_records(path)
    rows = _read(records, faults, format, answered=answered)
    if faults:
        raise all_faults(ConfigurationError, path, faults)
    return rows


def as_rows(
    given: Iterable[AnswerRow | Mapping[str, Any]], *, format: str = "", answered: bool = True
) -> list[AnswerRow]:
    """Rows that are in memory, read like those of a file; a row without an `id` gets its number, from 1."""
    items = list(given)
    records = [Row(number, dict(item)) for number, item in enumerate(items, 1) if not isinstance(item, AnswerRow)]
    faults: list[Fault] = []
    read = iter(_read(records, faults, format, answered=answered, unit="row"))
    if faults:
        told = [f"row {fault.line}: {fault.what}" for fault in faults]
        raise ConfigurationError(faults[0].what, where=f"row {faults[0].line}", remedy="\n  ".join(told[1:]))
    rows = [item if isinstance(item, AnswerRow) else next(read) for item in items]
    name, times = next(iter(Counter(str(row.id) for row in rows).most_common(1)), ("", 0))
    if times > 1:
        raise ConfigurationError(f"id {name!r} is there {times} times", remedy="rows need ids of their own")
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
    given = as_rows(rows)
    samples = [row.sample for row in given]
    columns = {str(measure): outcomes_of(measure, samples) for measure in wanted}
    return [
        {"id": row.id, "measure": name, **written(outcomes[position])}
        for position, row in enumerate(given)
        for name, outcomes in columns.items()
    ]


def written(outcome: Outcome) -> dict[str, float | str | None]:
    """`value` and `unscored` of one outcome, one of them None."""
    if isinstance(outcome, Score):
        return {"value": outcome.value, "unscored": None}
    reason = f"not applicable: {outcome.reason}" if isinstance(outcome, NotApplicable) else outcome.reason
    return {"value": None, "unscored": reason}


# --- reading ------------------------------------------------------------------------


def _read(
    records: Sequence[Row], faults: list[Fault], named: str, *, answered: bool, unit: str = "line"
) -> list[AnswerRow]:
    """The rows of the records; what is wrong with others joins `faults`."""
    if not records:
        return []
    columns = dict.fromkeys(name for record in records for name in record.data)
    format_ = format_named(named) if named else format_of(columns, answered=answered)
    if not named and (mixed := _two_formats(records, format_, answered=answered, unit=unit)):
        faults.append(mixed)
        return []
    if len(records) > 1 and (missing := _names(columns, format_, answered=answered, required=True)):
        faults.extend(Fault(records[0].line, f"{problem} (in every row)") for problem in missing)
        return []  # said once, and not of every line
    rows: list[AnswerRow] = []
    first_line: dict[str, int] = {}
    for record in records:
        problems, row = _row(record, format_, answered=answered)
        if row and (before := first_line.setdefault(str(row.id), record.line)) != record.line:
            problems = [f"id {row.id!r} stands on {unit} {before} already"]
        faults.extend(Fault(record.line, problem) for problem in problems)
        if row and not problems:
            rows.append(row)
    return rows


def _two_formats(records: Sequence[Row], format_: RowFormat, *, answered: bool, unit: str) -> Fault | None:
    """The first record of another format than the first, where what all columns together tell does not fit each."""

    def told(each: RowFormat) -> str:
        return f"{each.name} ({', '.join(each.columns[key][0] for key in keys)})"

    keys = REQUIRED if answered else REQUIRED[:1]
    of_one = [
        (record.line, found)
        for record in records
        if (found := format_ if format_.has_pair(record.data, answered=answered) else _fitting(record, answered))
    ]
    names = {found.name for _, found in of_one}
    if len(names) < 2:
        return None
    line, taken = of_one[0]
    other, differs = next((at, found) for at, found in of_one if found is not taken)
    return Fault(
        other,
        f"the lines are of two formats: this one of {told(differs)}, {unit} {line} of {told(taken)}, which was taken; "
        f"bring all into one format, and name it where the columns do not tell: --format {taken.name}",
    )


def _fitting(record: Row, answered: bool) -> RowFormat | None:
    return next((each for each in FORMATS.values() if each.has_pair(record.data, answered=answered)), None)


def _row(record: Row, format_: RowFormat, *, answered: bool) -> tuple[list[str], AnswerRow | None]:
    """What is wrong with a record, and the row it makes where nothing is."""
    raw = record.data
    problems = _names(raw, format_, answered=answered)
    try:
        data = format_.read(raw)
    except ValueError as error:
        return [*problems, str(error)], None
    data["id"] = raw.get("id", record.line)
    problems += [f"{format_.column(key, raw) if key != 'id' else key} {what}" for key, what in _problems(data)]
    facts = {name: raw[name] for name in FACTS if raw.get(name) is not None}
    problems += _fact_problems(facts)
    if problems:
        return problems, None
    contexts = tuple(data.get("contexts") or ())
    row = AnswerRow(data["id"], data["question"], data.get("answer", ""), contexts, data.get("reference") or "", facts)
    return [], row


def _names(raw: Mapping[str, Any], format_: RowFormat, *, answered: bool, required: bool = False) -> list[str]:
    """Required columns that are missing, and optional ones (not with `required`) that look misspelt."""
    found = []
    for key in REQUIRED if answered else REQUIRED[:1]:
        column = format_.column(key, raw)
        if column not in raw:
            close = _misspelt(column, raw, format_)
            found.append(f"{column} is missing" + (f"; is it {close!r}?" if close else ""))
    for key in OPTIONAL if format_ is OWN and not required else ():
        column = format_.column(key, raw)
        if column not in raw and (close := _misspelt(column, raw, format_)):
            found.append(f"unknown key {close!r}; did you mean {column!r}?")
    return found


def _problems(data: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(our column, what is wrong with its value)."""
    found = []
    name = data["id"]
    if not isinstance(name, (str, int)) or isinstance(name, bool) or name == "":
        found.append(("id", f"must be a text or a whole number, got {name!r:.80}"))
    found += [
        (key, f"must be a text, got {data[key]!r:.80}")
        for key in REQUIRED
        if key in data and not isinstance(data[key], str)
    ]
    reference, contexts = data.get("reference"), data.get("contexts")
    if reference is not None and not isinstance(reference, str):
        found.append(("reference", f"must be a text, got {reference!r:.80}"))
    if contexts is not None and not _are_texts(contexts):
        found.append(("contexts", f"must be a list of texts, got {contexts!r:.80}"))
    return found


def number_problems(facts: Mapping[str, Any]) -> list[str]:
    """What is wrong with seconds, tokens and dollars: a number from 0 is wanted, and one that is finite as a float."""
    numbers = [(name, facts[name]) for name in NUMBERS if name in facts]
    return [
        f"{name} must be a number from 0, got {value!r:.80}"
        for name, value in numbers
        if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value <= sys.float_info.max
    ]


def _fact_problems(facts: Mapping[str, Any]) -> list[str]:
    found = number_problems(facts)
    if "probabilities" in facts and not isinstance(facts["probabilities"], Mapping):
        found.append(f"probabilities must be an object of label and number, got {facts['probabilities']!r:.80}")
    if "forbidden" in facts and not _are_texts(facts["forbidden"]):
        found.append(f"forbidden must be a list of texts, got {facts['forbidden']!r:.80}")
    return found


def _are_texts(value: object) -> bool:
    return isinstance(value, (list, tuple)) and all(isinstance(text, str) for text in value)


def _misspelt(column: str, raw: Mapping[str, Any], format_: RowFormat) -> str:
    """The key of `raw` that looks like a column which is not there."""
    known = {*format_.all_columns, *FACTS, "id"}
    others = [name for name in raw if isinstance(name, str) and name not in known]
    return next(iter(difflib.get_close_matches(column, others, n=1, cutoff=0.8)), "")
