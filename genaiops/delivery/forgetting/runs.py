"""Run records without the document: its hits, its quotes, and what was answered from it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from genaiops.delivery.forgetting.erasure import FEWEST, Erasure
from genaiops.evaluation.records import CaseResult, Run
from genaiops.evaluation.runs import new_run
from genaiops.evaluation.scoring import summarise
from genaiops.records import Answer, Case, Chunk, Hit, as_json, digest_of

ERASED = "[erased]"


def redacted(erasure: Erasure, run: Run) -> Run | None:
    """The run without the document: itself when it holds nothing of it, None when nothing would be left.

    Cases that ask about the document go, and the summaries are computed again from those that stay. In the others
    its hits are emptied, its citations go, and so does an answer that cites it, quotes it, or cites nothing and was
    written with it in view. The values that were measured stay. The new run has the time of the old and an id of
    its own.
    """
    results = tuple(
        _result(erasure, run, result) for result in run.results if not about(erasure, run.subject.flow, result.case)
    )
    settings = _settings(run.subject.settings, erasure)
    if results == run.results and settings == run.subject.settings:
        return run
    if not results:
        return None
    summaries = tuple(
        summarise(
            old.measure,
            [result.outcomes[old.measure] for result in results],
            run.scales[old.measure],
            confidence=run.confidence,
            seed=run.seed,
            cases=[result.case for result in results],
        )
        for old in run.summaries
    )
    changed = replace(
        run,
        results=results,
        summaries=summaries if results != run.results else run.summaries,
        golden_set_digest=digest_of(sorted(result.case.digest for result in results)),
        subject=replace(run.subject, settings=settings),
        not_asked={},
    )
    return new_run(changed, now=datetime.fromisoformat(run.created_at))


def about(erasure: Erasure, flow: str, case: Case) -> bool:
    """Whether a case about `flow` quotes the document, or holds a passage of it."""
    texts = (case.question, case.reference)
    return any(_is_of(erasure, flow, item.document, item.quote) for item in case.evidence) or any(
        erasure.is_quoted_in(text) for text in texts
    )


def _is_of(erasure: Erasure, flow: str, document_id: str, text: str) -> bool:
    # An older version may be in no snapshot any more: in runs of the flow itself the id decides.
    if flow == erasure.flow and document_id == erasure.document:
        return True
    # Where no snapshot held it, the same id is mostly another document: a few words that both have tell nothing.
    return (flow in erasure.flows or len(text.split()) >= FEWEST) and erasure.is_of(document_id, text)


def _result(erasure: Erasure, run: Run, result: CaseResult) -> CaseResult:
    error = ERASED if erasure.is_quoted_in(result.error) else result.error
    answer = None if result.answer is None else _answer(erasure, run.subject.flow, result.answer)
    if answer == result.answer and error == result.error:
        return result
    return replace(result, answer=answer, error=error)


def _answer(erasure: Erasure, flow: str, answer: Answer) -> Answer:
    hits = tuple(_hit(erasure, flow, hit) for hit in answer.hits)
    citations = tuple(c for c in answer.citations if not _is_of(erasure, flow, c.document_id, c.quote))
    seen, cited = hits != answer.hits, citations != answer.citations
    tainted = cited or (seen and not citations and not answer.refused) or erasure.is_quoted_in(answer.text)
    return replace(answer, hits=hits, citations=citations, text=ERASED if tainted else answer.text)


def _hit(erasure: Erasure, flow: str, hit: Hit) -> Hit:
    chunk = hit.chunk
    if not _is_of(erasure, flow, chunk.document_id, chunk.text):
        return hit
    return replace(hit, chunk=Chunk(ERASED, 0, 0, "", chunk.settings, ""))


def _settings(settings: Any, erasure: Erasure) -> Any:
    """What the run says of itself may name the document: a filter on its id, for one."""
    return _cleaned(as_json(settings), set(erasure.texts)) if settings else settings


def _cleaned(value: Any, names: set[str]) -> Any:
    if isinstance(value, dict):
        return {key: _cleaned(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return [_cleaned(item, names) for item in value]
    return ERASED if isinstance(value, str) and value in names else value
