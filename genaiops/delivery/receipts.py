"""The receipt of an erasure: what was changed, and what was looked for and not found. It holds no text and no id."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from genaiops.display import counted
from genaiops.errors import IntegrityError
from genaiops.files import write_durably
from genaiops.project import Project
from genaiops.records import as_json, canonical_json, digest_of

GENESIS = "0" * 64
RECEIPTS_FOLDER = "receipts"
OUTSIDE = (
    "the source itself: remove it where it lies, or it stays there unread",
    "settings that name it, in flow.yaml, the history of builds and releases: a page or file that is read, a filter",
    "copies and backups of the state folder or of the golden sets, and their version control",
    "reports written elsewhere (--html, --junit, --markdown) and files that other programs made",
    "the memory of processes that were running: restart them",
    "questions and answers of users: this version keeps none",
)


@dataclass(frozen=True, slots=True)
class Artefact:
    """One thing that was changed: what it is, its name before and after ("" for what is gone), and a word on it."""

    store: str
    before: str
    after: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Probe:
    """One way of looking in one store: how many things were looked at, and where something was found."""

    by: str  # id | text | vector
    store: str
    looked_at: int
    hits: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Receipt:
    """One erasure. `document` is a pseudonym: a keyed hash of the id, the same in every receipt of this project.

    `versions` counts the texts it had, `same_text` the other ids under which its words were found. `previous` is the
    digest of the receipt before this one; `digest` covers everything else. `outside` says what was not looked at,
    and `source_present` is None where that holds for a source that may have it.
    """

    sequence: int
    at: str
    actor: str
    flow: str
    document: str
    versions: int
    same_text: int
    passages: int
    tombstones: int
    artefacts: tuple[Artefact, ...]
    probes: tuple[Probe, ...]
    source_present: bool | None
    outside: tuple[str, ...] = OUTSIDE
    previous: str = GENESIS
    digest: str = ""

    @property
    def proved(self) -> bool:
        """Whether no probe found anything."""
        return not any(probe.hits for probe in self.probes)

    def __str__(self) -> str:
        lines = [f"receipt {self.sequence} of {self.at}, {self.digest[:12]}: document {self.document} of {self.flow}"]
        for item in self.artefacts:
            to = f" -> {_short(item.after)}" if item.after and item.after != item.before else ""
            gone = "" if item.after else " removed"
            lines.append(f"  {item.store} {_short(item.before)}{to}{gone}{f' ({item.note})' if item.note else ''}")
        for probe in self.probes:
            found = f"FOUND in {', '.join(probe.hits)}" if probe.hits else "0 hits"
            lines.append(f"  looked by {probe.by} in {probe.looked_at} {probe.store}: {found}")
        keep = "keeps" if self.tombstones == 1 else "keep"
        lines.append(f"  {counted(self.tombstones, 'tombstone')} {keep} it from coming back")
        if self.source_present:
            lines.append("  its source is still there; builds leave it out")
        elif self.source_present is None:
            lines.append("  whether its source is still there is unknown; builds leave it out")
        return "\n".join([*lines, *(f"  not looked at: {text}" for text in self.outside)])


def _short(name: str) -> str:
    return " ".join(part[:12] if len(part) == 64 else part for part in name.split(" "))


def write_receipt(project: Project, receipt: Receipt) -> Receipt:
    """Number it, chain it to the one before, and write `receipts/<sequence>.json`."""
    before = read_receipts(project)
    previous = before[-1].digest if before else GENESIS
    numbered = replace(
        receipt,
        sequence=len(before) + 1,
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        previous=previous,
        digest="",
    )
    sealed = replace(numbered, digest=digest_of(numbered))
    write_durably(_file(project, sealed.sequence), canonical_json(sealed) + "\n")
    return sealed


def read_receipts(project: Project) -> Sequence[Receipt]:
    """All receipts, oldest first, each checked by its digest and against the one before. IntegrityError if bad."""
    found: list[Receipt] = []
    for number, path in enumerate(sorted((project.home / RECEIPTS_FOLDER).glob("[0-9]*.json")), start=1):
        try:
            receipt = _parsed(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise IntegrityError(f"the receipt cannot be read ({error})", where=path) from None
        previous = found[-1].digest if found else GENESIS
        is_next = receipt.sequence == number and receipt.previous == previous
        if not is_next or receipt.digest != digest_of(replace(receipt, digest="")):
            raise IntegrityError("the receipt was changed, or one before it is missing", where=path)
        found.append(receipt)
    return found


def _parsed(data: dict[str, object]) -> Receipt:
    plain = dict(as_json(data))
    plain["artefacts"] = tuple(Artefact(**item) for item in plain["artefacts"])
    plain["probes"] = tuple(Probe(**{**item, "hits": tuple(item["hits"])}) for item in plain["probes"])
    plain["outside"] = tuple(plain["outside"])
    return Receipt(**plain)


def _file(project: Project, sequence: int) -> Path:
    return project.home / RECEIPTS_FOLDER / f"{sequence:06d}.json"
