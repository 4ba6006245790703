"""Asking questions several times, and no more of them than a verdict needs."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

from genaiops.evaluation.records import CaseResult
from genaiops.evaluation.repeating import combined
from genaiops.evaluation.scoring import document_of, scales_of
from genaiops.evaluation.working import CaseWork, Progress
from genaiops.records import Case

AT_ONCE = 8  # cases between two looks, at least

Until = Callable[[Sequence[CaseResult]], bool]  # takes the newest results; whether it has seen enough


@runtime_checkable
class InRounds(Protocol):
    """A measure whose judge may say something else when it is asked again. Optional."""

    def begin_round(self, number: int) -> None:
        """What is judged from now on is judged for the round of this number, from 0: nothing of another one counts."""
        ...


@dataclass(frozen=True, slots=True)
class Asking:
    """How often each case is asked, and when it is enough; `seed` decides the order of an asking that may stop."""

    repeats: int = 1
    until: Until | None = None
    seed: int = 0

    def results(
        self, work: CaseWork, cases: Sequence[Case], *, workers: int, report: Progress
    ) -> tuple[CaseResult, ...]:
        """One result for each case that was asked, in the order of `cases`."""
        scales = scales_of(work.measures)
        if self.repeats > 1:
            work = replace(work, kept=work.kept.sharing())

        def results_of(batch: Sequence[Case], before: int) -> tuple[CaseResult, ...]:
            rounds = []
            for number in range(self.repeats):
                for measure in work.measures:
                    if isinstance(measure, InRounds):
                        measure.begin_round(number)
                done = before * self.repeats + number * len(batch)
                shown = _after(report, done, self.repeats * len(cases))
                rounds.append(work.results(batch, workers=workers, report=shown))
            return combined(rounds, scales)

        if self.until is None:
            return results_of(cases, 0)
        return ask_until(results_of, cases, self.until, seed=self.seed, at_once=max(workers, AT_ONCE))


def _after(report: Progress, before: int, total: int) -> Progress:
    """`report` of questions for one batch of several."""

    def shown(what: str, done: int, of: int) -> None:
        report(what, before + done if what == "ask" else done, total if what == "ask" else of)

    return shown


def ask_until(
    results_of: Callable[[Sequence[Case], int], tuple[CaseResult, ...]],
    cases: Sequence[Case],
    until: Until,
    *,
    seed: int,
    at_once: int,
) -> tuple[CaseResult, ...]:
    """The results of as many cases as `until` needed, in the order of `cases`.

    `results_of` asks some cases; its second argument is how many were asked before.
    """
    found: dict[str, CaseResult] = {}
    for batch in batches(cases, seed=seed, at_once=at_once):
        results = results_of(batch, len(found))
        found.update((result.case.id, result) for result in results)
        if until(results):
            break
    return tuple(found[case.id] for case in cases if case.id in found)


def batches(cases: Sequence[Case], *, seed: int, at_once: int) -> Iterator[list[Case]]:
    """All cases in a random order that `seed` decides: whole documents, so many that a batch has `at_once` cases.

    Cases of one document hang together; documents in random order are exchangeable,
    which is what a look after any of them rests on.
    """
    documents: dict[str, list[Case]] = {}
    for case in sorted(cases, key=lambda case: case.id):  # the order of the file decides nothing
        documents.setdefault(document_of(case), []).append(case)
    names = sorted(documents)
    random.Random(seed).shuffle(names)
    batch: list[Case] = []
    for name in names:
        batch += documents[name]
        if len(batch) >= at_once:
            yield batch
            batch = []
    if batch:
        yield batch
