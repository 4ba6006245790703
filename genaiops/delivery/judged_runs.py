"""What gates said of kept runs: a file beside a run's record, newest verdict last written.

The record itself is never changed: releases and audits name it by its digest, and another gate.yaml may judge it again.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, cast

from pydantic import TypeAdapter

from genaiops.delivery.evaluating import Evaluated, write_report
from genaiops.errors import IntegrityError, NotFound
from genaiops.evaluation.records import RUN_FILE, Run
from genaiops.evaluation.sealed_file import load_sealed, sealed
from genaiops.files import locked, write_durably
from genaiops.promotion.decision import Decision
from genaiops.records import Verdict, as_json, canonical_json

if TYPE_CHECKING:
    from genaiops.project import Project
    from genaiops.records import VerdictKind

VERDICT_FILE = "verdict.json"
DAMAGED = "damaged"  # in the place of a verdict that cannot be read: the run counts neither as passed nor as unjudged
_BEFORE = "said before a document was erased from this run; what is left was not judged again"
_UNREADABLE = "what a gate said of it could not be read"
_AGAIN = "delete this file; genaiops gate FLOW then writes it anew where the run is of the present state"


def keep_verdict(project: Project, evaluated: Evaluated, decision: Decision) -> None:
    """Write a gate's verdict beside the run, and the run's report anew with it; nothing where that is there already.

    Of a champion's own run compared with itself, a second pass of the gate that it passed before says less than the
    first, which stays. Every other verdict is kept: absolute rules decide there as anywhere. Raises StorageError
    where something has to be written and cannot be.
    """
    if not decision.run or _is_told(evaluated, decision, _known(project, evaluated.run)):
        return
    # A report that is written while a document is erased would bring it back.
    with locked(project.lock, shared=True, what="cleans up or erases"):
        if (evaluated.folder / RUN_FILE).is_file():
            known = _known(project, evaluated.run)
            write_verdict(evaluated, known if known is not None and _stays(known, decision) else decision)


def write_verdict(evaluated: Evaluated, decision: Decision) -> None:
    """The run's report with the verdict, then the verdict: the newer of both says whether the other followed."""
    write_report(evaluated, verdict=decision)
    write_durably(evaluated.folder / VERDICT_FILE, canonical_json(sealed("verdict", as_json(decision))) + "\n")


def carry_verdict(project: Project, before: Run, after: Evaluated) -> None:
    """Let a run that was issued again without an erased document keep what a gate said of it; writes its report too.

    Verdict and digests stay, but for the run's own; reasons and rules go, as they tell of what was erased. A verdict
    that cannot be read becomes inconclusive: as unjudged, a run that failed might be somebody's champion.
    """
    from genaiops.promotion.evidence import run_digest

    if before.verdict:
        write_report(after, verdict=Verdict(cast("VerdictKind", before.verdict), (_BEFORE,)))
        return
    try:
        known = kept_verdict(project, before)
    except IntegrityError:
        known = Decision("inconclusive", (_UNREADABLE,))
    if known is None:
        write_report(after)
        return
    now = run_digest(after.run)
    champion = now if known.champion and known.champion == known.run else known.champion
    reasons = (_BEFORE, _UNREADABLE) if _UNREADABLE in known.reasons else (_BEFORE,)
    write_verdict(after, replace(known, reasons=reasons, rules=(), run=now, champion=champion))


def _known(project: Project, run: Run) -> Decision | None:
    try:
        return kept_verdict(project, run)
    except IntegrityError:  # whatever it is, a new verdict takes its place
        return None


def _is_told(evaluated: Evaluated, decision: Decision, known: Decision | None) -> bool:
    """Whether what is kept needs no writing: the verdict stands, and the report was written before it."""
    if known is None or not _stays(known, decision):
        return False
    try:
        written = evaluated.report.stat().st_mtime_ns
        return written <= (evaluated.folder / VERDICT_FILE).stat().st_mtime_ns
    except FileNotFoundError:
        return False


def _stays(known: Decision, decision: Decision) -> bool:
    """Whether the verdict that is kept is this one, or the same gate's pass before this pass of a run beside itself."""
    alike = (known.gate, known.verdict) == (decision.gate, "pass")
    return known == decision or (alike and decision.verdict == "pass" and decision.champion == decision.run)


def kept_verdict(project: Project, run: Run) -> Decision | None:
    """What a gate said last of a kept run of a flow; None where none did. IntegrityError for what is no such file."""
    from genaiops.promotion.evidence import run_digest

    path = project.runs / run.id / VERDICT_FILE
    try:
        found = load_sealed(path, "verdict", _reader().validate_python, again=_AGAIN)
    except NotFound:
        return None
    if found.run != run_digest(run):
        raise IntegrityError("the verdict is about another run", where=path, remedy=_AGAIN)
    return found


def verdict_of(project: Project, run: Run) -> str:
    """`pass`, `fail`, `inconclusive`: of the gate that a run was kept under, else of the last that judged it; or "".

    DAMAGED where what was kept cannot be read: nobody knows then, and whoever must know that it passed does not.
    """
    if run.verdict or not run.id:
        return run.verdict
    try:
        found = kept_verdict(project, run)
    except IntegrityError:
        return DAMAGED
    return "" if found is None else found.verdict


def verdicts_told(project: Project, *runs: Run) -> tuple[str, ...]:
    """A line for each run that a gate judged, or whose verdict cannot be read, with the remedy."""
    told = {run.id: _told(project, run) for run in runs}
    return tuple(f"the gate's verdict on run {name}: {verdict}" for name, verdict in told.items() if verdict)


def _told(project: Project, run: Run) -> str:
    if (verdict := verdict_of(project, run)) != DAMAGED:
        return verdict
    try:
        kept_verdict(project, run)
    except IntegrityError as error:
        return f"not known, {error.what}: {error.where} ({error.remedy})"
    return verdict_of(project, run)  # written anew meanwhile


@cache
def _reader() -> TypeAdapter[Decision]:
    return TypeAdapter(Decision)
