"""The loop: every question asked once, every answer measured, one run record."""

from __future__ import annotations

from collections.abc import Sequence
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
from genaiops.evaluation.waterfall import attribute as attribute_without_trace
from genaiops.evaluation.working import Attribute, CaseWork, Progress, silent
from genaiops.golden_sets import GoldenSet

if TYPE_CHECKING:
    from genaiops.embedding import Embedder
    from genaiops.evaluation.tools import Tools

MOST_WORKERS = 64


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
    progress: Progress | None = None,
    passports: Shelf | None = None,
    attribute: Attribute = attribute_without_trace,
    kept: KeptOutcomes | None = None,
) -> Run:
    """Ask every question of a golden set and measure the answers.

    `ask` is a flow's `ask`, or any callable that takes a Query and returns an Answer, a
    text, or `{"answer": text, "contexts": [texts]}`. A question it fails on is never
    graded: the case keeps the error, its measures are Unscored, coverage falls. Nothing
    is asked twice. `workers` questions are asked at a time, from threads; results are
    in the order of the set. `passports` is where those of the judges are looked up
    (default: the shipped ones). `attribute` says of a wrong answer where it was lost;
    `kept` holds judgements of earlier evaluations. Raises ConfigurationError for unknown
    measures and options out of range, before anything is asked.
    """
    if not 0.5 < confidence < 1:
        raise ConfigurationError(f"confidence must be above 0.5 and below 1, got {confidence}")
    if not 1 <= workers <= MOST_WORKERS:
        raise ConfigurationError(f"workers must be from 1 to {MOST_WORKERS}, got {workers}")
    wanted = measures_named(measures, embedder=embedder, tools=tools)
    work = CaseWork(ask, wanted, attribute, kept or KeptOutcomes())
    results = work.results(golden.cases, workers=workers, report=progress or silent)
    return run_of(results, golden, wanted, subject=subject, confidence=confidence, seed=seed, passports=passports)


def run_of(
    results: Sequence[CaseResult],
    golden: GoldenSet,
    measures: Sequence[Measure],
    *,
    subject: Subject | None = None,
    confidence: float = 0.95,
    seed: int = 0,
    passports: Shelf | None = None,
) -> Run:
    """The run record of results, one for each case of the golden set in its order, wherever they were made."""
    scales = scales_of(measures)
    summaries = tuple(
        summarise(name, [result.outcomes[name] for result in results], scale, confidence=confidence, seed=seed)
        for name, scale in scales.items()
    )
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
        )
    )
