"""A run with every kind of case, small and made by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from genaiops.evaluation.records import CaseResult, Git, Run, Subject
from genaiops.evaluation.scale import Scale
from genaiops.records import (
    Answer,
    Case,
    Chunk,
    Citation,
    Evidence,
    Hit,
    NotApplicable,
    Outcome,
    Query,
    Score,
    Summary,
    Unscored,
    Usage,
)


def answer_of(case: Case, text: str, *, refused: bool = False) -> Answer:
    chunk = Chunk("port/fees.md", 10, 58, "Fees are paid in cash. Boats over 12 m need one.", "s", "Fees")
    citation = Citation(1, chunk.id, "port/fees.md", 10, 32, "Fees are paid in cash.")
    return Answer(
        query=Query(case.question, case.id),
        text=text,
        refused=refused,
        citations=() if refused else (citation,),
        hits=(Hit(chunk, 0.75, 1),),
        usage=Usage(20, 10),
        cost_usd=None,
        seconds={"total": 0.25},
        model="extractive",
        prompt="p",
        index="i",
    )


def result(case: Case, text: str, outcomes: dict[str, Outcome]) -> CaseResult:
    return CaseResult(case, answer_of(case, text), "", outcomes)


@pytest.fixture
def run() -> Run:
    good = Case("fees", "How are fees paid?", reference="In cash.", tags=("money", "port"))
    weak = Case("pilot", "Who needs a pilot?", evidence=(Evidence("port/fees.md", "Boats over 12 m need one."),))
    failed = Case("crane", "What does the crane lift?", "adversarial", tags=("port",))
    broken = Case("moon", "How far is the moon?", "unanswerable")
    latency = Score(0.25)
    return Run(
        id="20261121t080000z-0a1b2c3d",
        created_at="2026-11-21T08:00:00Z",
        subject=Subject("handbook", {"flow": "f" * 64, "prompt": "e" * 64}, {"retrieval": {"top_k": 6}}),
        golden_set="harbour",
        golden_set_digest="d" * 64,
        results=(
            result(good, "Fees are paid in cash [1].", {"groundedness": Score(0.9), "latency_s": latency}),
            result(weak, "Cats. Boats over 12 m [1].", {"groundedness": Score(0.2), "latency_s": latency}),
            result(failed, "20 tonnes.", {"groundedness": Unscored("the judge is down"), "latency_s": latency}),
            CaseResult(
                broken, None, "ModelError: no answer in 30 s", {"groundedness": NotApplicable("no answer is wanted")}
            ),
        ),
        summaries=(
            Summary("groundedness", 0.55, 0.2, 0.9, scored=2, unscored=1, not_applicable=1),
            Summary("latency_s", 0.25, 0.2, 0.31, scored=3, unscored=1),
        ),
        scales={"groundedness": Scale(True), "latency_s": Scale(False, lower_is_better=True)},
        judges={"groundedness": "c" * 64},
        versions={"genaiops": "0.1.0"},
        git=Git("abc1234", dirty=True),
    )


@pytest.fixture
def baseline(run: Run) -> Run:
    """The same cases, where fees were worse and the pilot better."""
    values = {"fees": 0.5, "pilot": 0.8}
    results = tuple(
        replace(item, outcomes={**item.outcomes, "groundedness": Score(values[item.case.id])})
        if item.case.id in values
        else item
        for item in run.results
    )
    summaries = (Summary("groundedness", 0.65, 0.3, 0.95, scored=2, unscored=1), *run.summaries[1:])
    return replace(run, id="20261120t080000z-00000000", results=results, summaries=summaries)
