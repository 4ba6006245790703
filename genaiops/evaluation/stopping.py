"""Asking no more questions than a verdict needs."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence

from genaiops.evaluation.records import CaseResult
from genaiops.evaluation.scoring import document_of
from genaiops.records import Case

Until = Callable[[Sequence[CaseResult]], bool]  # takes the newest results; whether it has seen enough


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
