"""The lock file of a golden set: what each quote's document said when its case was accepted, by whom, and when."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from genaiops.configuration import Settings
from genaiops.errors import GoldenSetError
from genaiops.files import write_durably
from genaiops.golden_sets.sections import around
from genaiops.records import Case, as_json, digest_of_text

MAX_BYTES = 200_000_000
VERSION = 2


class PinnedQuote(Settings):
    """One quote's document: the digest of its whole text, and of what stands around the quote; "" where unknown."""

    document: str
    text: str
    around: str


class Pin(Settings):
    """A case as it was accepted: `case` is its digest, `evidence` follows its quotes in order."""

    case: str
    evidence: tuple[PinnedQuote, ...] = ()
    accepted_by: str = ""
    accepted_at: str = ""


class _LockFile(Settings):
    version: Literal[1, 2] = 1  # 1 counted characters before white space was made one, so its digests tell nothing
    cases: dict[str, Pin] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pins:
    """Case id → pin. A case without one was never accepted by command, which is no fault."""

    cases: Mapping[str, Pin]

    def of(self, case: Case) -> Pin | None:
        """The pin of exactly this case; None when it has none or was edited since."""
        pin = self.cases.get(case.id)
        return pin if pin is not None and pin.case == case.digest else None

    def with_cases(self, cases: Iterable[Case], texts: Mapping[str, str], *, by: str, at: str) -> Pins:
        """These pins and new ones for `cases`, whose quotes the documents hold."""
        return replace(self, cases={**self.cases, **{case.id: pinned(case, texts, by=by, at=at) for case in cases}})

    def without(self, ids: Iterable[str] = (), document: str = "") -> Pins:
        """These pins without some cases, and without every case that quotes `document`."""
        gone = set(ids)
        kept = {
            name: pin
            for name, pin in self.cases.items()
            if name not in gone and not any(quote.document == document for quote in pin.evidence)
        }
        return replace(self, cases=kept)


NO_PINS = Pins({})


def pinned(case: Case, texts: Mapping[str, str], *, by: str = "", at: str = "") -> Pin:
    """The pin of a case against the documents as they are (id → text)."""
    quotes = tuple(
        PinnedQuote(
            document=item.document,
            text=digest_of_text(texts.get(item.document, "")),
            around=around(texts.get(item.document, ""), item.quote),
        )
        for item in case.evidence
    )
    return Pin(case=case.digest, evidence=quotes, accepted_by=by, accepted_at=at)


def read_pins(path: Path) -> Pins:
    """The lock file; empty where there is none. One of version 1 does not know what stood around its quotes.

    GoldenSetError when it is not one that this version wrote."""
    if not path.exists():
        return Pins({})
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ValueError(f"larger than {MAX_BYTES:,} bytes")
        read = _LockFile.model_validate_json(path.read_bytes())
    except (OSError, ValidationError, ValueError) as error:
        first = str(error).splitlines()[0]
        raise GoldenSetError(
            f"the lock file cannot be used: {first}",
            where=path,
            remedy="take it from version control, or delete it and run: genaiops golden lock FLOW",
        ) from None
    return Pins(read.cases if read.version == VERSION else {name: _unknown(pin) for name, pin in read.cases.items()})


def _unknown(pin: Pin) -> Pin:
    quotes = tuple(quote.model_copy(update={"around": ""}) for quote in pin.evidence)
    return pin.model_copy(update={"evidence": quotes})


def write_pins(path: Path, pins: Pins) -> None:
    """Write the lock file, a case a line and in order of ids, so that two branches merge."""
    rows = [
        f"{json.dumps(name)}: {json.dumps(as_json(pin), ensure_ascii=False)}"
        for name, pin in sorted(pins.cases.items())
    ]
    body = ",\n".join(rows)
    write_durably(path, f'{{"version": {VERSION}, "cases": {{\n{body}\n}}}}\n')
