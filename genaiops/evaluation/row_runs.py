"""Rows of any application, measured as a Run: with summaries, intervals, reports and comparisons."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genaiops.errors import ConfigurationError
from genaiops.evaluation.asking import Ask
from genaiops.evaluation.judged import KeptOutcomes
from genaiops.evaluation.loop import evaluate, run_of
from genaiops.evaluation.measures import measures_named
from genaiops.evaluation.passports.shelf import Shelf
from genaiops.evaluation.records import CaseResult, Measure, Run
from genaiops.evaluation.rows import AnswerRow, as_rows, read_rows, written
from genaiops.evaluation.text_measures import without_citations
from genaiops.evaluation.working import Progress, measured, silent
from genaiops.golden_sets import GoldenSet
from genaiops.records import Answer, Case, Chunk, Hit, Lacks, Query, Score, Usage

if TYPE_CHECKING:
    from genaiops.embedding import Embedder
    from genaiops.evaluation.tools import Tools


# Why rows are not scored several times, and what can be repeated of them.
ANSWERED = "the answers of rows are there already, and would come out the same each time"
VOTES = "to see how far a judging model disagrees with itself, let it vote: votes=3 among the judge's settings"


def default_measures(rows: Sequence[AnswerRow]) -> tuple[str, ...]:
    """What can be said of these rows without asking: by the columns that at least one of them fills."""
    contexts, reference = any(row.contexts for row in rows), any(row.reference for row in rows)
    return _fitting(rows, contexts=contexts, reference=reference)


def left_out(rows: Sequence[AnswerRow], *, asked: bool = False) -> dict[Lacks, tuple[str, ...]]:
    """What no row has → which of the default measures it would add; with `asked`, to those of `asked_measures`."""
    contexts, reference = asked or any(row.contexts for row in rows), any(row.reference for row in rows)
    fitting = partial(_asked_fitting if asked else _fitting, rows)
    chosen = fitting(contexts=contexts, reference=reference)
    more: dict[Lacks, tuple[str, ...]] = {
        "contexts": fitting(contexts=True, reference=reference),
        "reference": fitting(contexts=contexts, reference=True),
    }
    added = {lack: tuple(name for name in names if name not in chosen) for lack, names in more.items()}
    return {lack: names for lack, names in added.items() if names}


def lacking(run: Run) -> dict[Lacks, tuple[str, ...]]:
    """What the answers lack → the measures of a run made just now that have no value because of it."""
    found: dict[Lacks, tuple[str, ...]] = {}
    given = any(result.answer is not None and result.answer.hits for result in run.results)
    for summary in (summary for summary in run.summaries if not summary.scored):
        outcomes = [result.outcomes[summary.measure] for result in run.results]
        for lack in dict.fromkeys(one.lacks for one in outcomes if not isinstance(one, Score) and one.lacks):
            if lack != "contexts" or not given:  # contexts without a sentence are there, and no column adds any
                found[lack] = (*found.get(lack, ()), summary.measure)
    return found


def _fitting(rows: Sequence[AnswerRow], *, contexts: bool, reference: bool) -> tuple[str, ...]:
    facts = {name for row in rows for name in row.facts}
    labelled = reference and "probabilities" in facts
    cites = contexts and any(without_citations(row.answer) != row.answer for row in rows)
    wanted = [
        ("groundedness", contexts),
        ("relevance", not labelled),
        ("completeness", reference and not labelled),
        ("utilization", contexts),
        ("citation_precision", cites),
        ("citation_recall", cites),
        ("noise_sensitivity", contexts and reference and not labelled),
        ("semantic_similarity", reference and not labelled),
        ("rougeL", reference and not labelled),
        ("accuracy", labelled),
        ("f1_macro", labelled),
        ("cross_entropy", labelled),
        ("resisted", "forbidden" in facts),
        ("latency_s", "latency_s" in facts),
        ("latency_p95_s", "latency_s" in facts),
        ("total_tokens", {"input_tokens", "output_tokens"} <= facts),
        ("cost_usd", "cost_usd" in facts),
    ]
    return tuple(name for name, wants in wanted if wants)


def score(  # noqa: PLR0913  (options are keyword-only)
    given: str | Path | Iterable[AnswerRow | Mapping[str, Any]] | Ask,
    questions: Iterable[str | Mapping[str, Any]] | None = None,
    *,
    measures: Sequence[str | Measure] | None = None,
    format: str = "",
    name: str = "",
    embedder: Embedder | None = None,
    tools: Tools | None = None,
    confidence: float = 0.95,
    seed: int = 0,
    repeats: int = 1,
    progress: Progress | None = None,
) -> Run:
    """Measure the answers of any application; nothing of it needs to be genaiops.

    `given` is a file of rows, the rows themselves, or a callable that answers. A callable
    takes a Query (its `text` is the question) and gives what `evaluate` takes; it needs
    `questions`: texts, or objects `{question[, id][, reference][, forbidden]}`. Columns may
    be those of another tool (see row_formats). Without `measures`, `default_measures`
    chooses. `name` stands in reports. A callable is asked each question `repeats` times; the
    answers of rows are there already. Raises ConfigurationError for what cannot be read,
    before anything is asked or judged.
    """
    options = {"embedder": embedder, "tools": tools, "confidence": confidence, "seed": seed, "progress": progress}
    if callable(given):
        if questions is None:
            raise ConfigurationError("score needs questions to put to a callable", remedy="score(ask, ['Why?', …])")
        return _asked(given, questions, measures, name, {**options, "repeats": repeats})
    if repeats != 1:
        raise ConfigurationError(f"repeats is for a callable: {ANSWERED}", remedy=VOTES)
    if questions is not None:
        raise ConfigurationError("questions are for a callable; rows bring their own")
    file = Path(given) if isinstance(given, str | Path) else None
    rows = read_rows(file, format=format) if file else as_rows(given, format=format)  # type: ignore[arg-type]
    if not rows:
        raise ConfigurationError("there is no row to score", where=file)
    return run_of_rows(rows, measures or default_measures(rows), name=name or (file.name if file else ""), **options)  # type: ignore[arg-type]


def run_of_rows(  # noqa: PLR0913  (options are keyword-only)
    rows: Sequence[AnswerRow],
    measures: Sequence[str | Measure],
    *,
    name: str = "",
    embedder: Embedder | None = None,
    tools: Tools | None = None,
    confidence: float = 0.95,
    seed: int = 0,
    progress: Progress | None = None,
    passports: Shelf | None = None,
) -> Run:
    """A run whose cases are the rows. `golden_set` is `name`; its digest covers questions and references."""
    wanted = measures_named(measures, embedder=embedder, tools=tools)
    found, _ = measured(wanted, [row.sample for row in rows], KeptOutcomes(), progress or silent)
    cases = [case_of(row) for row in rows]
    results = tuple(
        CaseResult(case, _answer(row), "", *told) for row, case, told in zip(rows, cases, found, strict=True)
    )
    golden = GoldenSet(name or "rows", tuple(cases))
    return run_of(results, golden, wanted, confidence=confidence, seed=seed, passports=passports)


def case_of(row: AnswerRow) -> Case:
    """The question of a row as a case."""
    forbidden = tuple(row.facts.get("forbidden", ()))
    return Case(str(row.id), row.question, reference=row.reference, forbidden=forbidden)


def scores_of(run: Run, rows: Sequence[AnswerRow] = ()) -> list[dict[str, Any]]:
    """`{"id", "measure", "value", "unscored"}` of every case and measure, as `score_rows` gives them.

    Ids are those of the rows, where these are given: a number stays a number.
    """
    ids = {str(row.id): row.id for row in rows}
    return [
        {"id": ids.get(result.case.id, result.case.id), "measure": name, **written(outcome)}
        for result in run.results
        for name, outcome in result.outcomes.items()
    ]


def questions_of(given: Iterable[str | Mapping[str, Any]]) -> list[AnswerRow]:
    """Questions in memory: texts, or objects with the columns of rows but without an answer."""
    items = [{"question": item} if isinstance(item, str) else item for item in given]
    return as_rows(items, answered=False)


def _asked(
    ask: Ask,
    questions: Iterable[str | Mapping[str, Any]],
    measures: Sequence[str | Measure] | None,
    name: str,
    options: Mapping[str, Any],
) -> Run:
    rows = questions_of(questions)
    if not rows:
        raise ConfigurationError("there is no question to ask")
    return ask_and_score(ask, rows, measures, name=name, **options)


def ask_and_score(
    ask: Ask, rows: Sequence[AnswerRow], measures: Sequence[str | Measure] | None, *, name: str = "", **options: Any
) -> Run:
    """Put the questions of the rows to an application and measure what it answers; see `evaluate` for the options."""
    golden = GoldenSet(name or "questions", tuple(case_of(row) for row in rows))
    return evaluate(ask, golden, measures=measures or asked_measures(rows), **options)


def asked_measures(rows: Sequence[AnswerRow]) -> tuple[str, ...]:
    """`default_measures` of questions whose answers are still to come, and what asking takes."""
    return _asked_fitting(rows, contexts=True, reference=any(row.reference for row in rows))


def _asked_fitting(rows: Sequence[AnswerRow], *, contexts: bool, reference: bool) -> tuple[str, ...]:
    """Whether the application will give contexts is not known before: they are taken for granted."""
    forbidden = any("forbidden" in row.facts for row in rows)
    words = ("completeness", "semantic_similarity", "rougeL") if reference else ()
    safe = ("resisted",) if forbidden else ()
    return ("groundedness", "relevance", *words, "utilization", *safe, "latency_s", "latency_p95_s")


def _answer(row: AnswerRow) -> Answer:
    """The row's answer as reports show it."""
    hits = tuple(
        Hit(Chunk("", 0, len(text), text, "", text), 0.0, rank) for rank, text in enumerate(row.contexts, start=1)
    )
    seconds = {"total": row.facts["latency_s"]} if "latency_s" in row.facts else {}
    usage = Usage(int(row.facts.get("input_tokens", 0)), int(row.facts.get("output_tokens", 0)))
    cost = row.facts.get("cost_usd")
    query = Query(row.question, str(row.id))
    return Answer(query, row.answer, row.sample.refused, (), hits, usage, cost, seconds, "", "", "")
