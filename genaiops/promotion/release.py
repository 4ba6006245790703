"""A release: everything that is served together, with the evidence that earned it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from genaiops.configuration import leaves
from genaiops.errors import ConfigurationError, GateRefused, IntegrityError, NotFound
from genaiops.files import check_name, write_durably
from genaiops.promotion.decision import Decision
from genaiops.promotion.evidence import run_digest
from genaiops.promotion.gate import LEARNT_FROM
from genaiops.records import Metadata, Summary, as_json, canonical_json, digest_of, digest_of_text

if TYPE_CHECKING:
    from genaiops.evaluation.records import Run
    from genaiops.promotion.gate import GateSettings

RELEASE_FORMAT = 1
_UNSAID = ("part", "holdout_looks")  # of a Proof, where the golden set is not divided
SHORT = 12  # digits of a digest shown to people
PREFIX = re.compile(r"[0-9a-f]{6,64}")


class NotProven(GateRefused):
    """The evidence neither supports nor refutes this release: more cases or another evaluation may."""

    exit_code = 3


@dataclass(frozen=True, slots=True)
class Proof:
    """What a release was measured on and what the gate decided. `digests` are those of the run's subject.

    `part` and `holdout_looks` are the run's: "" and 0 for a golden set that is not divided.
    """

    run: str
    run_digest: str
    golden_set: str
    golden_set_digest: str
    digests: Mapping[str, str]
    decision: Decision
    summaries: tuple[Summary, ...]
    part: str = ""
    holdout_looks: int = 0


@dataclass(frozen=True, slots=True)
class Release:
    """The content-addressed bundle of one flow.

    `served` is plain JSON data: whatever the flow needs to answer as it was measured
    (index id, prompt, retrieval and generation settings, embedding fingerprint, model).
    Nothing in here depends on when or where the release was made.
    """

    flow: str
    served: Metadata
    evidence: Proof

    @property
    def content(self) -> str:
        """The exact text of the release's file."""
        data: dict[str, Any] = as_json(self)
        for name in _UNSAID:
            # Said by silence, as releases did before there were parts: their digests stay the same.
            if not data["evidence"][name]:
                del data["evidence"][name]
        return canonical_json({"format": RELEASE_FORMAT, **data})

    @property
    def digest(self) -> str:
        """sha256 of `content`: the name of the file, and what `sha256sum` prints for it."""
        return digest_of_text(self.content)

    def save(self, folder: Path) -> Path:
        """Write `folder/<digest>.json` durably; returns its path. A release that is already there stays."""
        content = self.content
        path = folder / f"{digest_of_text(content)}.json"
        if not path.is_file() or path.read_bytes() != content.encode():
            write_durably(path, content)
        return path


def bundle(served: Metadata, run: Run, gate: GateSettings, decision: Decision) -> Release:
    """The release of what `run` measured, if `decision` is this gate's pass on this very run.

    `served` must be what was measured: its digest (`digest_of(served)`) is the digest
    that the run's subject has under "flow". Raises GateRefused when the gate failed, and
    NotProven when it was inconclusive, when the decision is about another run or gate,
    when the run stopped early or asked the part of a divided golden set that settings
    are learnt from, and when `served` is not what was measured.
    """
    measured = run_digest(run)
    if decision.run != measured or decision.gate != gate.digest:
        other = "run" if decision.run != measured else "gate"
        raise NotProven(f"the verdict is about another {other}", where=run.id, remedy="run: genaiops gate FLOW")
    refuse_unless_passed(decision, where=run.id)
    if run.not_asked:
        raise NotProven(
            f"the run left out {len(run.not_asked)} cases that its verdict did not need; a release takes one on all",
            where=run.id,
            remedy="run: genaiops gate FLOW",
        )
    if run.part == LEARNT_FROM:
        raise NotProven(
            f"the run asked the {run.part} part of the golden set, where settings are learnt; that proves nothing",
            where=run.id,
            remedy="leave --split and evaluation.split away (dev is asked), or name dev, holdout or all",
        )
    if run.subject.digests.get("flow") != digest_of(served):
        raise NotProven(
            f"the flow of now is not the flow that run {run.id} measured",
            remedy="run: genaiops evaluate FLOW, then genaiops gate FLOW",
        )
    proof = Proof(
        run=run.id,
        run_digest=measured,
        golden_set=run.golden_set,
        golden_set_digest=run.golden_set_digest,
        digests=dict(run.subject.digests),
        decision=decision,
        summaries=run.summaries,
        part=run.part,
        holdout_looks=run.holdout_looks,
    )
    release = Release(check_name(run.subject.flow, "flow"), served, proof)
    return _parsed(release.content)  # as it will be read: lists for tuples, 1.0 for a float given as 1


def refuse_unless_passed(decision: Decision, *, where: str) -> None:
    """GateRefused (exit code 1) for a failed gate, NotProven (3) for an inconclusive one; every reason is in it."""
    if decision.verdict == "pass":
        return
    refusal = GateRefused if decision.verdict == "fail" else NotProven
    reasons = "".join(f"\n  - {reason}" for reason in decision.reasons)
    raise refusal(f"the gate's verdict is {decision.verdict}:{reasons}", where=where)


def load_release(folder: Path, digest: str) -> Release:
    """The release of that full digest.

    Its bytes are checked before they are parsed. Raises NotFound, IntegrityError for a
    file that is not the one that was written, ConfigurationError for a newer format.
    """
    path = folder / f"{digest}.json"
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise NotFound(f"there is no release {digest[:SHORT]}", where=folder, remedy="run: genaiops releases") from None
    except OSError as error:
        raise IntegrityError(f"the release cannot be read: {error.strerror}", where=path) from None
    try:
        text = content.decode()
        release = _parsed(text) if digest_of_text(text) == digest else None
        if release is not None and release.evidence.digests.get("flow") != digest_of(release.served):
            release = None  # a file made by hand: its evidence is about something else
    except (UnicodeDecodeError, ValidationError, ValueError, TypeError, RecursionError):
        release = None
    if release is None or release.digest != digest:
        raise IntegrityError(
            "the release is not the file that was written",
            where=path,
            remedy="restore it from any copy of that name, or run: genaiops release FLOW",
        )
    return release


def find_release(folder: Path, prefix: str) -> str:
    """The full digest that starts with `prefix` (at least 6 hex digits).

    Raises NotFound when there is none, ConfigurationError for several or for a prefix
    that is no part of a digest.
    """
    if not PREFIX.fullmatch(prefix):
        raise ConfigurationError(
            f"{prefix[:80]!r} is not the id of a release",
            remedy="give at least its first 6 hex digits; genaiops releases lists them",
        )
    found = sorted(path.stem for path in folder.glob(f"{prefix}*.json"))
    if not found:
        raise NotFound(f"there is no release {prefix[:SHORT]}", where=folder, remedy="run: genaiops releases")
    if len(found) > 1:
        shown = ", ".join(digest[: len(prefix) + 6] for digest in found)
        raise ConfigurationError(f"{len(found)} releases start with {prefix}: {shown}", remedy="give more digits")
    return found[0]


@dataclass(frozen=True, slots=True)
class Change:
    """One part (a dotted key) in which two releases differ; None where a release lacks it."""

    part: str
    before: Any
    after: Any


def diff(before: Release, after: Release) -> tuple[Change, ...]:
    """The parts in which two releases differ, what is served first, then what they were measured on."""
    changes: list[Change] = []
    for view in (_served_parts, _proof_parts):
        old, new = view(before), view(after)
        changes += [Change(part, old.get(part), new.get(part)) for part in sorted(_differing(old, new))]
    return tuple(changes)


def _differing(old: Mapping[str, Any], new: Mapping[str, Any]) -> set[str]:
    return {key for key in {*old, *new} if old.get(key) != new.get(key)}


def _served_parts(release: Release) -> dict[str, Any]:
    return {"flow": release.flow, **dict(leaves(as_json(release.served), "served"))}


def _proof_parts(release: Release) -> dict[str, Any]:
    proof = release.evidence
    means = {f"mean.{summary.measure}": summary.mean for summary in proof.summaries}
    return {
        "golden_set": proof.golden_set,
        "golden_set_digest": proof.golden_set_digest,
        "part": proof.part,
        "gate": proof.decision.gate,
        "run": proof.run,
        **means,
    }


def _parsed(content: str) -> Release:
    data = json.loads(content)
    found = data.pop("format", None) if isinstance(data, dict) else None
    if isinstance(found, int) and found > RELEASE_FORMAT:
        raise ConfigurationError(
            f"the release was made by a newer genaiops (format {found}, this one reads {RELEASE_FORMAT})",
            remedy="upgrade: pip install --upgrade genaiops",
        )
    if found != RELEASE_FORMAT:
        raise ValueError(f"not a release: format {found!r}")
    return _reader().validate_python(data)


@cache
def _reader() -> TypeAdapter[Release]:
    return TypeAdapter(Release)
