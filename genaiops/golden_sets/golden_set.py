"""A golden set and the file it is read from."""

from __future__ import annotations

import difflib
import json
from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import Field, ValidationError

from genaiops.configuration import Settings
from genaiops.errors import GoldenSetError
from genaiops.golden_sets.json_lines import Fault, Row, all_faults, read_json_lines
from genaiops.records import Case, CaseKind, Evidence, digest_of

GOLDEN_FILE = "golden.jsonl"
T = TypeVar("T", bound=Hashable)


@dataclass(frozen=True, slots=True)
class GoldenSet:
    """Questions with the answers they want. Never empty, and no two cases share an id (GoldenSetError)."""

    name: str
    cases: tuple[Case, ...]
    # Where each case stands in its file, for messages; the underscore keeps it out of JSON and digests.
    _lines: tuple[int, ...] = field(default=(), compare=False, repr=False)

    def __post_init__(self) -> None:
        if not self.cases:
            raise GoldenSetError(f"golden set {self.name!r} is empty", remedy="a set needs at least one case")
        repeated = _repeated(case.id for case in self.cases)
        if repeated:
            raise GoldenSetError(f"golden set {self.name!r} has more than one case with the id {repeated[0]!r}")

    def __len__(self) -> int:
        return len(self.cases)

    def __iter__(self) -> Iterator[Case]:
        return iter(self.cases)

    @property
    def digest(self) -> str:
        """sha256 over the cases, whatever their order in the file and whatever the set's name."""
        return digest_of(sorted(case.digest for case in self.cases))

    def line(self, case_id: str) -> int | None:
        """The line of a case in the file it was read from."""
        return self.lines.get(case_id)

    @property
    def lines(self) -> dict[str, int]:
        """Case id → the line of its file, for a set that was read from one."""
        return {case.id: line for case, line in zip(self.cases, self._lines, strict=False)}

    def part(self, ids: Collection[str], name: str) -> GoldenSet:
        """The cases with these ids as a set of their own. GoldenSetError when there is none of them."""
        lines = self.lines
        kept = tuple(case for case in self.cases if case.id in ids)
        return GoldenSet(name, kept, tuple(lines[case.id] for case in kept if case.id in lines))

    @classmethod
    def load(cls, path: str | Path) -> GoldenSet:
        """Read a folder's `golden.jsonl`, or one `.jsonl` file.

        Raises NotFound without a file, and one GoldenSetError that lists every broken
        line with `file:line`.
        """
        path = Path(path)
        file = path / GOLDEN_FILE if path.is_dir() else path
        rows, faults = read_json_lines(file, "golden set")
        cases: list[Case] = []
        first_line: dict[str, int] = {}
        for row in rows:
            case, problems = case_of(row)
            faults.extend(Fault(row.line, problem) for problem in problems)
            if case is None:
                continue
            if case.id in first_line:
                faults.append(Fault(row.line, f"id {case.id!r} stands on line {first_line[case.id]} already"))
                continue
            first_line[case.id] = row.line
            cases.append(case)
        if faults:
            raise all_faults(GoldenSetError, file, faults)
        if not cases:
            raise GoldenSetError("the golden set is empty", where=file, remedy="a set needs at least one case")
        name = file.resolve().parent.name if file.name == GOLDEN_FILE else file.stem
        return cls(name, tuple(cases), tuple(first_line.values()))


def line_of(case: Case) -> str:
    """A case as one line of `golden.jsonl`, its end of line included."""
    evidence = [{"document": item.document, "quote": item.quote} for item in case.evidence]
    row = {"id": case.id, "question": case.question, "kind": case.kind, "reference": case.reference}
    more = {"forbidden": list(case.forbidden)} if case.forbidden else {}
    return json.dumps({**row, "evidence": evidence, "tags": list(case.tags), **more}, ensure_ascii=False) + "\n"


class _EvidenceRow(Settings):
    document: str = Field(min_length=1)
    quote: str


class _CaseRow(Settings):
    id: str = Field(min_length=1, max_length=200)
    question: str
    kind: CaseKind = "answerable"
    reference: str = ""
    evidence: tuple[_EvidenceRow, ...] = ()
    tags: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()


def case_of(row: Row) -> tuple[Case | None, list[str]]:
    """The case of one row, and everything wrong with it."""
    try:
        read = _CaseRow.model_validate_json(json.dumps(row.data))
    except ValidationError as error:
        return None, [_shape_problem(item) for item in error.errors(include_url=False)]
    evidence = tuple(Evidence(item.document, item.quote) for item in read.evidence)
    case = Case(read.id, read.question, read.kind, read.reference, evidence, read.tags, read.forbidden)
    return case, _contradictions(case)


def _contradictions(case: Case) -> list[str]:
    found = []
    if not case.id.isprintable() or case.id != case.id.strip():
        found.append(f"id {case.id!r} has spaces around it or characters that cannot be printed")
    if not case.question.strip():
        found.append("question is empty")
    if case.reference and not case.reference.strip():
        found.append("reference is blank; leave it out")
    for number, evidence in enumerate(case.evidence, start=1):
        if not evidence.quote.strip():
            found.append(f"evidence {number}: the quote is empty")
    if any(not text.strip() for text in case.forbidden):
        found.append("forbidden: a text is empty, so that every answer would hold it")
    found += [f"the same evidence is given twice: {evidence.quote[:60]!r}" for evidence in _repeated(case.evidence)]
    if case.kind == "answerable" and not case.wants_answer:
        found.append("an answerable case needs evidence or a reference; is its kind 'unanswerable'?")
    if case.kind == "unanswerable" and case.wants_answer:
        found.append("an unanswerable case wants a refusal, so it has neither evidence nor reference")
    return found


def _shape_problem(item: Any) -> str:
    key = ".".join(str(part) for part in item["loc"])
    if item["type"] == "missing":
        return f"{key} is missing"
    if item["type"] == "extra_forbidden":
        known = list((_CaseRow if len(item["loc"]) == 1 else _EvidenceRow).model_fields)
        close = difflib.get_close_matches(str(item["loc"][-1]), known, n=1)
        return f"unknown key {key!r}; " + (f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known)}")
    return f"{key}: {item['msg']}, got {item['input']!r:.80}"


def _repeated(items: Iterable[T]) -> list[T]:
    """The items that come more than once."""
    return [item for item, times in Counter(items).items() if times > 1]
