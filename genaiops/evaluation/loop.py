"""The loop: every question asked once, every answer measured, one run record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from genaiops.errors import ConfigurationError
from genaiops.evaluation.asking import Ask
from genaiops.evaluation.judged import KeptOutcomes
from genaiops.evaluation.measures import DEFAULT_MEASURES, measures_named
from genaiops.evaluation.passports.shelf import Shelf
from genaiops.evaluation.provenance import git_state, versions
from genaiops.evaluation.records import CaseResult, Measure, Run, Subject
from genaiops.evaluation.runs import new_run
from genaiops.evaluation.scoring import scales_of, summarise
from genaiops.evaluation.stopping import Asking, Until
from genaiops.evaluation.waterfall import attribute as attribute_without_trace
from genaiops.evaluation.working import Attribute, CaseWork, Progress, silent
from genaiops.golden_sets import GoldenSet

if TYPE_CHECKING:
    from genaiops.embedding import Embedder
    from genaiops.evaluation.tools import Tools

MOST_WORKERS = 64
MOST_REPEATS = 100


def evaluate(  # noqa: PLR0913  (options are keyword-only)
    ask: Ask,
    golden: GoldenSet,
    *,
    measures: Sequence[str | Measure] = DEFAULT_MEASURES,
    subject: Subject | None = None,
    embedder: Embedder | None = None,
    tools: Tools | None = None,
    confidence: float = 0.95,
    seed: int = 0,
    workers: int = 1,
    repeats: int = 1,
    until: Until | None = None,
    progress: Progress | None = None,
    passports: Shelf | None = None,
    attribute: Attribute = attribute_without_trace,
    kept: KeptOutcomes | None = None,
) -> Run:
    """Ask every question of a golden set and measure the answers.

    `ask` is a flow's `ask`, or any callable that takes a Query and returns an Answer, a
    text, or `{"answer": text, "contexts": [texts]}`. A question it fails on is never
    graded: the case keeps the error, its measures are Unscored, coverage falls. Each case
    is asked `repeats` times, in rounds over the whole set. `workers` questions are asked
    at a time, from threads; results are in the order of the set. With `until` the cases
    are asked document by document in a random order, and no more once it says so: see
    `genaiops.promotion.sequential`. `passports` is where those of the judges are looked up
    (default: the shipped ones). `attribute` says of a wrong answer where it was lost;
    `kept` holds judgements of earlier evaluations. Raises ConfigurationError for unknown
    measures and options out of range, before anything is asked.
    """
    if not 0.5 < confidence < 1:
        raise ConfigurationError(f"confidence must be above 0.5 and below 1, got {confidence}")
    if not 1 <= workers <= MOST_WORKERS:
        raise ConfigurationError(f"workers must be from 1 to {MOST_WORKERS}, got {workers}")
    if not 1 <= repeats <= MOST_REPEATS:
        raise ConfigurationError(f"repeats must be from 1 to {MOST_REPEATS}, got {repeats}")
    if repeats > 1 and tools is not None:  # asked again is asked for the difference: no judgement comes from a cache
        tools = replace(tools, fresh=True)
    wanted = measures_named(measures, embedder=embedder, tools=tools)
    work = CaseWork(ask, wanted, attribute, kept or KeptOutcomes())
    asking = Asking(repeats, until, seed)
    results = asking.results(work, golden.cases, workers=workers, report=progress or silent)
    return run_of(
        results,
        golden,
        wanted,
        subject=subject,
        confidence=confidence,
        seed=seed,
        passports=passports,
        repeats=repeats,
    )


def run_of(  # noqa: PLR0913  (options are keyword-only)
    results: Sequence[CaseResult],
    golden: GoldenSet,
    measures: Sequence[Measure],
    *,
    subject: Subject | None = None,
    confidence: float = 0.95,
    seed: int = 0,
    passports: Shelf | None = None,
    repeats: int = 1,
) -> Run:
    """The run record of results, one for each case of the golden set in its order, wherever they were made.

    Cases without a result were not needed.
    """
    scales = scales_of(measures)
    cases = [result.case for result in results]
    summaries = tuple(
        summarise(
            name, [result.outcomes[name] for result in results], scale, confidence=confidence, seed=seed, cases=cases
        )
        for name, scale in scales.items()
    )
    asked = {case.id for case in cases}
    judges = {str(measure): measure.judge for measure in measures if measure.judge}
    shelf = passports or Shelf()
    known = {name: shelf.find(name, judge) for name, judge in judges.items()}
    return new_run(
        Run(
            id="",
            created_at="",
            subject=subject or Subject(),
            golden_set=golden.name,
            golden_set_digest=golden.digest,
            results=tuple(results),
            summaries=summaries,
            scales=scales,
            judges=judges,
            seed=seed,
            confidence=confidence,
            versions=versions(),
            git=git_state(),
            passports={name: passport for name, passport in known.items() if passport is not None},
            repeats=repeats,
            not_asked={case.id: case.digest for case in golden.cases if case.id not in asked},
        )
    )
