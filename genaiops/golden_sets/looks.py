"""The ledger of looks at a holdout: append-only, each entry forced to disk before the scores are shown."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from genaiops.files import fsync_folder, storing
from genaiops.golden_sets.json_lines import Row, read_json_lines
from genaiops.records import canonical_json

LEDGER_FILE = "holdout_looks.jsonl"


@dataclass(frozen=True, slots=True)
class Look:
    """One evaluation that scored holdout cases. `split` is the split's digest; a new division begins at zero.

    It names no case and no document, so nothing in it has to be erased.
    """

    at: str
    by: str
    flow: str
    golden_set: str
    split: str
    run: str
    cases: int


def note_look(ledger: Path, look: Look) -> None:
    """Append one look. Raises StorageError."""
    with storing(ledger):
        ledger.parent.mkdir(parents=True, exist_ok=True)
        new = not ledger.exists()
        with ledger.open("ab") as stream:
            # A look that was cut off by a power loss ends without a line break.
            cut = stream.tell() > 0 and ledger.read_bytes()[-1:] != b"\n"
            stream.write((b"\n" if cut else b"") + canonical_json(look).encode() + b"\n")
            stream.flush()
            os.fsync(stream.fileno())
        if new:
            fsync_folder(ledger.parent)


def read_looks(ledger: Path, golden_set: str, split: str) -> tuple[Look, ...]:
    """The looks at one division's holdout, oldest first. A line that cannot be read counts as a look at it."""
    if not ledger.exists():
        return ()
    rows, faults = read_json_lines(ledger, "ledger of looks at the holdout")
    known = [(row.line, _look(row)) for row in rows]
    broken = [(fault.line, Look("", "", "", golden_set, split, "", 0)) for fault in faults]
    return tuple(look for _, look in sorted(known + broken, key=lambda item: item[0])
                 if (look.golden_set, look.split) == (golden_set, split))  # fmt: skip


def _look(row: Row) -> Look:
    at, by, flow, golden_set, split, run = (
        str(row.data.get(name, "")) for name in ("at", "by", "flow", "golden_set", "split", "run")
    )
    cases = row.data.get("cases", 0)
    return Look(at, by, flow, golden_set, split, run, cases if isinstance(cases, int) else 0)
