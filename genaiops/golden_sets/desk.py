"""Where proposals become cases: every decision is on disk before the next is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from genaiops.errors import GoldenSetError, NotFound
from genaiops.golden_sets.golden_set import GoldenSet, line_of
from genaiops.golden_sets.linting import CHECKS, Ground, Problem
from genaiops.golden_sets.pins import read_pins, write_pins
from genaiops.golden_sets.places import Places
from genaiops.golden_sets.proposals import Proposal, Queue, append_lines
from genaiops.records import Case

Hold = Callable[[], AbstractContextManager[None]]
_JUDGED = ("unwinnable", "duplicate", "near_duplicate", "ambiguous")


@dataclass(frozen=True, slots=True)
class Desk:
    """The golden set, its proposals and its rejections. `hold` keeps other writers away; `texts` are the documents.

    Each decision reads the files again, so that two people may sit at it.
    """

    places: Places
    texts: Mapping[str, str]
    hold: Hold

    def pending(self) -> list[Proposal]:
        """What waits for a decision, in order. An acceptance that was killed half-way is finished first."""
        with self.hold():
            golden = {case.id: case for case in self._cases()}
            waiting = Queue.read(self.places.proposed)
            done = [case for case in waiting.cases if golden.get(case.id) == case]
            if done:
                self._pin(done, by="", at="")
                waiting.drop({case.id for case in done})
            return [proposal for proposal in waiting.proposals.values() if proposal.case not in done]

    def add(self, proposals: Iterable[Proposal]) -> list[Proposal]:
        """Put proposals behind those that wait; returns those that were new.

        Left out is what has the id of a case, a proposal or a rejection.
        """
        with self.hold():
            waiting = Queue.read(self.places.proposed)
            known = {case.id for case in (*self._cases(), *waiting.cases, *Queue.read(self.places.rejected).cases)}
            new = {p.case.id: p for p in reversed(list(proposals)) if p.case.id not in known}
            added = list(reversed(new.values()))
            waiting.add(added)
            return added

    def problems(self, case: Case) -> list[Problem]:
        """What lint would say of the case if it were in the set."""
        others = tuple(other for other in self._cases() if other.id != case.id)
        ground = Ground(GoldenSet(self.places.name, (*others, case)), self.texts)
        return [p for code in _JUDGED for look in CHECKS[code] for p in look(ground) if p.case_id == case.id]

    def accept(self, case_id: str, *, by: str, edited: Case | None = None) -> Case:
        """Append a proposal to the golden set, as it is or as it was `edited`, and note who did so.

        Raises NotFound for an id that nothing waits under, and GoldenSetError for a case that lint calls an error.
        """
        with self.hold():
            waiting = Queue.read(self.places.proposed)
            proposed = _proposed(waiting, case_id).case
            case = edited or proposed
            cases = self._cases()
            taken = next((other for other in cases if other.id == case.id), None)
            if taken not in (None, case):
                raise GoldenSetError(f"the set has another case {case.id!r}", remedy="give this one another id")
            errors = [problem for problem in self.problems(case) if problem.severity == "error"]
            if errors:
                told = "; ".join(f"{problem.what}: {problem.remedy}" for problem in errors)
                raise GoldenSetError(f"case {case.id!r} cannot be accepted: {told}", remedy="edit it, or reject it")
            if taken is None:
                append_lines(self.places.golden, line_of(case))
            self._pin([case], by=by, at=_now())
            waiting.drop({case_id})
            return case

    def reject(self, case_id: str, *, by: str, note: str = "") -> None:
        """Remember a proposal as turned down, so that it is not made again. Raises NotFound as `accept` does."""
        with self.hold():
            waiting = Queue.read(self.places.proposed)
            proposal = _proposed(waiting, case_id)
            rejected = Queue.read(self.places.rejected)
            if rejected.find(case_id) is None:
                note = note or proposal.note
                rejected.add([replace(proposal, rejected_by=by, rejected_at=_now(), note=note)])
            waiting.drop({case_id})

    def lock(self, cases: Iterable[Case], *, by: str) -> None:
        """Remember what the documents say around the quotes of these cases."""
        with self.hold():
            self._pin(list(cases), by=by, at=_now())

    def _cases(self) -> tuple[Case, ...]:
        """The cases of the golden set; none where the file is not there yet, or its last case was erased."""
        path = self.places.golden
        return GoldenSet.load(path).cases if path.exists() and path.read_bytes().strip() else ()

    def _pin(self, cases: list[Case], *, by: str, at: str) -> None:
        pins = read_pins(self.places.lock)
        new = [case for case in cases if by or pins.of(case) is None]
        if new:
            write_pins(self.places.lock, pins.with_cases(new, self.texts, by=by, at=at))


def _proposed(waiting: Queue, case_id: str) -> Proposal:
    found = waiting.find(case_id)
    if found is None:
        some = ", ".join(case.id for case in waiting.cases[:5])
        raise NotFound(
            f"no proposal has the id {case_id!r}",
            where=waiting.path,
            remedy=f"among those that wait: {some}" if some else "nothing waits: genaiops golden draft FLOW",
        )
    return found


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
