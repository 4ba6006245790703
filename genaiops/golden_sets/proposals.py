"""Cases that wait for a decision, and those that were turned down."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from genaiops.errors import GoldenSetError
from genaiops.files import write_durably
from genaiops.golden_sets.golden_set import case_of, line_of
from genaiops.golden_sets.json_lines import Fault, Row, all_faults, read_json_lines
from genaiops.records import Case

_OWN = ("proposed_by", "proposed_at", "rejected_by", "rejected_at", "note")  # what a line says besides its case


@dataclass(frozen=True, slots=True)
class Proposal:
    """A case that somebody or something proposes. `note` is a word to whoever decides; times are ISO 8601, UTC.

    `proposed_by` is a template (`template:definition`), a model (`model:NAME`), a file (`file:ragas`) or a person.
    """

    case: Case
    proposed_by: str = ""
    proposed_at: str = ""
    note: str = ""
    rejected_by: str = ""
    rejected_at: str = ""

    @property
    def line(self) -> str:
        """As one line of JSON; what is empty is left out."""
        row: dict[str, Any] = json.loads(line_of(self.case))
        row |= {name: value for name in _OWN if (value := getattr(self, name))}
        return json.dumps(row, ensure_ascii=False) + "\n"


@dataclass(frozen=True, slots=True)
class Queue:
    """The proposals of a file in order, each with its line."""

    path: Path
    proposals: Mapping[int, Proposal]

    @classmethod
    def read(cls, path: Path) -> Queue:
        """A file of proposals; none where there is no file. One GoldenSetError lists every broken line."""
        if not path.exists():
            return cls(path, {})
        rows, faults = read_json_lines(path, "file of proposals")
        found: dict[int, Proposal] = {}
        lines: dict[str, int] = {}
        for row in rows:
            proposal, problems = _proposal(row)
            faults.extend(Fault(row.line, problem) for problem in problems)
            if proposal is None:
                continue
            before = lines.setdefault(proposal.case.id, row.line)
            if before != row.line:
                faults.append(Fault(row.line, f"id {proposal.case.id!r} stands on line {before} already"))
            found[row.line] = proposal
        if faults:
            raise all_faults(GoldenSetError, path, faults)
        return cls(path, found)

    @property
    def cases(self) -> tuple[Case, ...]:
        return tuple(proposal.case for proposal in self.proposals.values())

    def find(self, case_id: str) -> Proposal | None:
        return next((p for p in self.proposals.values() if p.case.id == case_id), None)

    def add(self, proposals: Iterable[Proposal]) -> None:
        """Append lines; what is there stays as it is, byte for byte."""
        append_lines(self.path, "".join(proposal.line for proposal in proposals))

    def drop(self, ids: Collection[str]) -> None:
        """Take lines out; every other line stays as it is, byte for byte."""
        gone = {line for line, proposal in self.proposals.items() if proposal.case.id in ids}
        if gone:
            write_durably(self.path, without_lines(self.path.read_bytes(), gone))


def _proposal(row: Row) -> tuple[Proposal | None, list[str]]:
    said = {name: row.data.get(name, "") for name in _OWN}
    wrong = [f"{name}: must be text, got {value!r:.40}" for name, value in said.items() if not isinstance(value, str)]
    case, problems = case_of(replace(row, data={k: v for k, v in row.data.items() if k not in _OWN}))
    if case is None or wrong:
        return None, [*problems, *wrong]
    return Proposal(case, **said), problems


def append_lines(path: Path, lines: str) -> None:
    """Append whole lines in one rename, so that a kill leaves the old file or the new one."""
    if not lines:
        return
    before = path.read_bytes() if path.exists() else b""
    gap = b"" if not before or before.endswith(b"\n") else b"\n"
    write_durably(path, before + gap + lines.encode())


def without_lines(content: bytes, gone: Collection[int]) -> bytes:
    """The lines of a file but some (counted from 1)."""
    return b"\n".join(line for number, line in enumerate(content.split(b"\n"), start=1) if number not in gone)
