"""The loop: every question asked once, every answer measured, one run record."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from genaiops.errors import ConfigurationError
from genaiops.evaluation.asking import Ask, ask_safely
from genaiops.evaluation.measures import DEFAULT_MEASURES, measures_named
from genaiops.evaluation.provenance import git_state, versions
from genaiops.evaluation.records import (
    CaseResult,
    Measure,
    Run,
    Sample,
    Scale,
    Selective,
    SentenceVerdict,
    Subject,
)
from genaiops.evaluation.repeating import combined
from genaiops.evaluation.runs import new_run
from genaiops.evaluation.scoring import explained_outcomes_of, scales_of, summarise
from genaiops.evaluation.stopping import Until, ask_until
from genaiops.golden_sets import GoldenSet
from genaiops.records import Answer, Case, Outcome, Query, Summary, Unscored

if TYPE_CHECKING:
    from genaiops.embedding import Embedder

Progress = Callable[[str, int, int], None]  # what is going on ("ask" or a measure), done, total
MOST_WORKERS = 64
MOST_REPEATS = 100
AT_ONCE = 8  # cases between two looks, at least


def evaluate(  # noqa: PLR0913  (options are keyword-only)
    ask: Ask,
    golden: GoldenSet,
    *,
    measures: Sequence[str | Measure] = DEFAULT_MEASURES,
    subject: Subject | None = None,
    embedder: Embedder | None = None,
    confidence: float = 0.95,
    seed: int = 0,
    workers: int = 1,
    repeats: int = 1,
    until: Until | None = None,
    progress: Progress | None = None,
) -> Run:
    """Ask every question of a golden set and measure the answers.

    `ask` is a flow's `ask`, or any callable that takes a Query and returns an Answer, a
    text, or `{"answer": text, "contexts": [texts]}`. A question it fails on is never
    graded: the case keeps the error, its measures are Unscored, coverage falls. Each case
    is asked `repeats` times, in rounds over the whole set. `workers` questions are asked
    at a time, from threads; results are in the order of the set. With `until` the cases
    are asked document by document in a random order, and no more once it says so: see
    `genaiops.promotion.sequential`. Raises ConfigurationError for unknown measures and
    options out of range, before anything is asked.
    """
    if not 0.5 < confidence < 1:
        raise ConfigurationError(f"confidence must be above 0.5 and below 1, got {confidence}")
    if not 1 <= workers <= MOST_WORKERS:
        raise ConfigurationError(f"workers must be from 1 to {MOST_WORKERS}, got {workers}")
    if not 1 <= repeats <= MOST_REPEATS:
        raise ConfigurationError(f"repeats must be from 1 to {MOST_REPEATS}, got {repeats}")
    wanted = measures_named(measures, embedder=embedder)
    report = progress or _silent
    scales = scales_of(wanted)

    def results_of(cases: Sequence[Case], before: int) -> tuple[CaseResult, ...]:
        rounds = []
        for number in range(repeats):
            shown = _after(report, before * repeats + number * len(cases), repeats * len(golden))
            rounds.append(_measure(wanted, cases, list(_ask_all(ask, cases, workers, shown)), report))
        return combined(rounds, scales)

    if until is None:
        results = results_of(golden.cases, 0)
    else:
        results = ask_until(results_of, golden.cases, until, seed=seed, at_once=max(workers, AT_ONCE))
    asked = {result.case.id for result in results}
    summaries = summaries_of(results, scales, confidence=confidence, seed=seed)
    return new_run(
        Run(
            id="",
            created_at="",
            subject=subject or Subject(),
            golden_set=golden.name,
            golden_set_digest=golden.digest,
            results=results,
            summaries=summaries,
            scales=scales,
            judges={str(measure): measure.judge for measure in wanted if measure.judge},
            seed=seed,
            confidence=confidence,
            versions=versions(),
            git=git_state(),
            repeats=repeats,
            not_asked={case.id: case.digest for case in golden.cases if case.id not in asked},
        )
    )


def summaries_of(
    results: Sequence[CaseResult], scales: Mapping[str, Scale], *, confidence: float, seed: int
) -> tuple[Summary, ...]:
    """The summary of every measure, its interval clustered by document."""
    cases = [result.case for result in results]
    return tuple(
        summarise(
            name, [result.outcomes[name] for result in results], scale, confidence=confidence, seed=seed, cases=cases
        )
        for name, scale in scales.items()
    )


def sample_of(case: Case, answer: Answer) -> Sample:
    """What measures see of one answered case."""
    contexts = tuple(hit.chunk.text for hit in answer.hits)
    return Sample(case.id, case.question, answer.text, contexts, case.reference, answer.refused, case, answer)


def _silent(what: str, done: int, total: int) -> None:
    """The default progress: nobody looks."""


def _after(report: Progress, before: int, total: int) -> Progress:
    """`report` for one round of several."""
    return lambda what, done, _: report(what, before + done, total)


def _ask_all(ask: Ask, cases: Sequence[Case], workers: int, report: Progress) -> Iterator[tuple[Answer | None, str]]:
    def one(case: Case) -> tuple[Answer | None, str]:
        return ask_safely(ask, Query(case.question, case.id))

    if workers == 1:
        for done, case in enumerate(cases, start=1):
            yield one(case)
            report("ask", done, len(cases))
        return
    pool = ThreadPoolExecutor(workers, thread_name_prefix="evaluate")
    try:
        for done, asked in enumerate(pool.map(one, cases), start=1):
            yield asked
            report("ask", done, len(cases))
    finally:
        pool.shutdown(cancel_futures=True)  # on an interrupt, do not ask the rest


def _measure(
    measures: Sequence[Measure],
    cases: Sequence[Case],
    asked: Sequence[tuple[Answer | None, str]],
    report: Progress,
) -> tuple[CaseResult, ...]:
    samples = [sample_of(case, answer) for case, (answer, _) in zip(cases, asked, strict=True) if answer is not None]
    columns: dict[str, Iterator[Outcome]] = {}
    said: dict[str, dict[str, tuple[SentenceVerdict, ...]]] = {}
    for done, measure in enumerate(measures, start=1):
        found, verdicts = explained_outcomes_of(measure, samples)
        columns[str(measure)] = iter(found)
        if verdicts:
            said[str(measure)] = verdicts
        report(str(measure), done, len(measures))
    results = []
    for case, (answer, error) in zip(cases, asked, strict=True):
        if answer is None:
            outcomes = {str(measure): _without_answer(measure, case, error) for measure in measures}
        else:
            outcomes = {name: next(column) for name, column in columns.items()}
        explained = {name: verdicts[case.id] for name, verdicts in said.items() if case.id in verdicts}
        results.append(CaseResult(case, answer, error, outcomes, explained))
    return tuple(results)


def _without_answer(measure: Measure, case: Case, error: str) -> Outcome:
    none = measure.not_applicable(case) if isinstance(measure, Selective) else None
    return none or Unscored(f"no answer: {error}")
