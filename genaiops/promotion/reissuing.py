"""Releases that took another's place because a document had to be erased. The log says so; nothing is edited."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from genaiops.promotion.audit import REISSUE
from genaiops.promotion.database import tables
from genaiops.promotion.release import SHORT, Release
from genaiops.records import Metadata, Summary, as_json, digest_of

if TYPE_CHECKING:
    from sqlalchemy import Connection


def reissued(
    release: Release, *, served: Metadata, run: str, run_digest: str, golden_set_digest: str,
    summaries: tuple[Summary, ...],
) -> Release:  # fmt: skip
    """`release` serving `served` in place of what it was measured with.

    Its evidence stays that of the measurement, since nothing was measured again, and says so: in the reasons of its
    verdict, and as the digests `measured_flow` and `replaces`. The run is the one without the erased document.
    """
    proof, before = release.evidence, release.digest
    note = f"re-issued without an erased document; measured as release {before[:SHORT]}, not measured again"
    measured = proof.digests.get("measured_flow", proof.digests.get("flow", ""))
    digests = {**proof.digests, "flow": digest_of(served), "measured_flow": measured, "replaces": before}
    if "index" in served:
        digests["index"] = str(served["index"])
    reasons = (*(reason for reason in proof.decision.reasons if not reason.startswith("re-issued")), note)
    evidence = replace(
        proof,
        run=run,
        run_digest=run_digest,
        golden_set_digest=golden_set_digest,
        digests=digests,
        decision=replace(proof.decision, reasons=reasons, run=run_digest),
        summaries=summaries,
    )
    return replace(release, served=as_json(served), evidence=evidence)


def replacements(connection: Connection) -> Mapping[str, str]:
    """Release → the release that stands in its place now, as the log tells."""
    from sqlalchemy import select

    table = tables().audit
    query = select(table.c.payload).where(table.c.action == REISSUE).order_by(table.c.sequence)
    found: dict[str, str] = {}
    for payload in connection.execute(query).scalars():
        entry = json.loads(payload)
        before, after = str(entry["before"]), str(entry["after"])
        found = {old: after if new == before else new for old, new in found.items()}
        found[before] = after
    return found


def all_names(replaced: Mapping[str, str], digest: str) -> Iterable[str]:
    """The digest and those of every release in whose place it stands."""
    return [digest, *(old for old, new in replaced.items() if new == digest)]
