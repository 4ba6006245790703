"""The files beside a golden set."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from genaiops.golden_sets.golden_set import GOLDEN_FILE


@dataclass(frozen=True, slots=True)
class Places:
    """Where a golden set lies, and what belongs to it; only `golden` has to exist.

    In a folder: `proposed.jsonl`, `rejected.jsonl`, `golden.lock.json` and `golden.split.json` beside `golden.jsonl`;
    for a lone file `faq.jsonl` they are called `faq.proposed.jsonl` and so on.
    """

    golden: Path
    proposed: Path
    rejected: Path
    lock: Path
    split: Path

    @classmethod
    def of(cls, path: str | Path) -> Places:
        """Of a folder, or of one `.jsonl` file."""
        path = Path(path)
        golden = path if path.suffix == ".jsonl" and not path.is_dir() else path / GOLDEN_FILE
        folder, stem = golden.parent, "" if golden.name == GOLDEN_FILE else f"{golden.stem}."
        named = stem or "golden."
        return cls(
            golden,
            folder / f"{stem}proposed.jsonl",
            folder / f"{stem}rejected.jsonl",
            folder / f"{named}lock.json",
            folder / f"{named}split.json",
        )

    @property
    def name(self) -> str:
        """The golden set's name: that of its folder, or of its lone file."""
        return self.golden.resolve().parent.name if self.golden.name == GOLDEN_FILE else self.golden.stem
