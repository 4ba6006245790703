"""An audit log in which no entry can be changed, removed or moved without being found out.

Each entry's hash covers the hash before it. Whoever can rewrite the whole database can
also recompute the whole chain; keep the head that `genaiops audit verify` prints
somewhere else to rule that out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from genaiops.promotion.database import tables
from genaiops.records import Metadata, canonical_json, digest_of

if TYPE_CHECKING:
    from sqlalchemy import Connection, RowMapping

GENESIS = "0" * 64
REISSUE = "reissue"  # of a release, told before the moves to it
REPLACE = "replace"  # of what an environment serves, by the release in its place
MOVES = ("promote", "rollback", REPLACE)


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What checking the log found: how many entries, the hash of the last, and the first that is bad."""

    entries: int
    head: str
    first_bad: str | None

    @property
    def ok(self) -> bool:
        return self.first_bad is None


def append(connection: Connection, *, at: str, actor: str, action: str, payload: Metadata) -> int:
    """Add an entry in the caller's transaction; returns its sequence number (from 1, without gaps)."""
    count, previous = _tail(connection)
    entry: dict[str, Any] = {
        "sequence": count + 1,
        "at": at,
        "actor": actor,
        "action": action,
        "payload": canonical_json(payload),
        "previous": previous,
    }
    entry["hash"] = digest_of(entry)
    connection.execute(tables().audit.insert(), [entry])
    _set_tail(connection, {"audit_count": str(count + 1), "audit_head": entry["hash"]})
    return count + 1


def verify(connection: Connection) -> AuditReport:
    """Check every entry, the end of the log, and that releases, history and pointers say what the log says."""
    from sqlalchemy import select

    audit = tables().audit
    entries = connection.execute(select(audit).order_by(audit.c.sequence)).mappings().all()
    first_bad = _broken_link(entries) or _broken_end(connection, entries)
    if first_bad is None:
        first_bad = _disagreement(connection, entries)
    return AuditReport(len(entries), str(entries[-1]["hash"]) if entries else GENESIS, first_bad)


def _broken_link(entries: Sequence[RowMapping]) -> str | None:
    previous = GENESIS
    for expected, entry in enumerate(entries, start=1):
        if entry["sequence"] != expected:
            return f"entry {expected} is missing"
        if entry["previous"] != previous:
            return f"entry {expected} does not follow the entry before it"
        if entry["hash"] != _hash(entry):
            return f"entry {expected} was changed"
        previous = entry["hash"]
    return None


def _hash(entry: RowMapping) -> str:
    try:
        return digest_of({key: value for key, value in entry.items() if key != "hash"})
    except TypeError:  # a value of another type than we write
        return ""


def _broken_end(connection: Connection, entries: Sequence[RowMapping]) -> str | None:
    count, head = _tail(connection)
    if count > len(entries):
        return f"entry {len(entries) + 1} is missing (the log had {count})"
    if count < len(entries):
        return f"entry {count + 1} was added by another program"
    if entries and head != entries[-1]["hash"]:
        return f"entry {count} is not the one the log ended with"
    return None


def _disagreement(connection: Connection, entries: Sequence[RowMapping]) -> str | None:
    """The first place where the quick tables say something else than the log."""
    from sqlalchemy import select

    t = tables()
    releases, moves, pointers = _replay(entries)
    recorded = connection.execute(select(t.releases).order_by(t.releases.c.sequence)).mappings().all()
    history = connection.execute(select(t.history).order_by(t.history.c.sequence)).mappings().all()
    found_now = connection.execute(select(t.pointers)).mappings()
    current = {(row["environment"], row["flow"]): dict(row) for row in found_now}
    for name, told, found in (("release", releases, recorded), ("history", moves, history)):
        for mine, other in zip(told, found, strict=False):
            if mine != dict(other):
                return f"{name} entry {min(mine['sequence'], other['sequence'])} is not what the audit log says"
        if len(told) != len(found):
            return f"the audit log tells of {len(told)} {name} entries, the registry holds {len(found)}"
    for key in sorted({*pointers, *current}):
        if pointers.get(key) != current.get(key):
            return f"{key[0]} of {key[1]} does not point where the audit log says"
    return None


def _replay(
    entries: Sequence[RowMapping],
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], dict[tuple[str, str], dict[str, Any]]]:
    """What the log says the tables hold: releases, history, and pointers by (environment, flow)."""
    releases: list[dict[str, Any]] = []
    moves: list[dict[str, Any]] = []
    pointers: dict[tuple[str, str], dict[str, Any]] = {}
    for entry in entries:
        payload: Mapping[str, Any] = json.loads(entry["payload"])
        common = {"sequence": entry["sequence"], "actor": entry["actor"]}
        if entry["action"] == "release":
            releases.append({**payload, **common, "created_at": entry["at"]})
        elif entry["action"] in MOVES:
            moves.append({**payload, **common, "action": entry["action"], "at": entry["at"]})
            pointer = {key: payload[key] for key in ("environment", "flow", "release", "generation")}
            key = (payload["environment"], payload["flow"])
            pointers[key] = {**pointer, "since": entry["at"], "actor": entry["actor"]}
    return releases, moves, pointers


def _tail(connection: Connection) -> tuple[int, str]:
    from sqlalchemy import select

    meta = tables().meta
    rows = connection.execute(select(meta).where(meta.c.key.in_(("audit_count", "audit_head"))))
    found = {row.key: row.value for row in rows}
    count = found.get("audit_count", "0")
    return int(count) if count.isdigit() else 0, found.get("audit_head", GENESIS)


def _set_tail(connection: Connection, values: Mapping[str, str]) -> None:
    meta = tables().meta
    for key, value in values.items():
        changed = connection.execute(meta.update().where(meta.c.key == key).values(value=value)).rowcount
        if not changed:
            connection.execute(meta.insert(), [{"key": key, "value": value}])
