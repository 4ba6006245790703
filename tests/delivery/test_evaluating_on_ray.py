"""An evaluation whose cases are spread over two workers of a Ray on this machine finds what it finds here."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest

from genaiops.delivery import evaluate_flow
from genaiops.embedding.loading import LocalEmbedder
from genaiops.errors import ConfigurationError
from genaiops.evaluation.anew import anew
from genaiops.evaluation.records import CaseResult, Run
from genaiops.flow import Flow
from genaiops.records import Score
from tests.faults.build_children import LONG
from tests.small_project import GOLDEN, SmallProject

# Search by words and sentence vectors from the cache: no worker has to load a model.
LIGHT = (
    "retrieval.search=full_text",
    "evaluation.measures=[recall@6, groundedness, completeness, refusal, answered]",
)


@pytest.fixture(scope="module")
def ray() -> Iterator[None]:
    ray = pytest.importorskip("ray")
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    paths = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, runtime_env={"env_vars": paths})
    yield
    ray.shutdown()


def timeless(run: Run) -> list[CaseResult]:
    """The results without seconds, and with scores as exact as sums in another order are."""
    return [
        replace(
            result,
            reused=(),
            answer=replace(result.answer, seconds={}) if result.answer else None,
            outcomes={
                name: Score(round(outcome.value, 4)) if isinstance(outcome, Score) else outcome
                for name, outcome in result.outcomes.items()
            },
            verdicts={},
        )
        for result in run.results
    ]


def test_the_results_are_those_of_the_local_engine(
    ray: None, small_project: SmallProject, embedder: LocalEmbedder
) -> None:
    trap = {"id": "trap", "question": "How long does the warranty of a toaster last?", "kind": "unanswerable"}
    small_project.golden.write_text(small_project.golden.read_text() + json.dumps(trap) + "\n")
    flow = Flow.load(small_project.flow, overrides=[*LIGHT, "evaluation.reuse=none"])
    flow.build()
    local = evaluate_flow(flow).run
    told: list[int] = []
    spread = evaluate_flow(flow, engine="ray", progress=lambda what, done, total: told.append(done)).run
    assert timeless(spread) == timeless(local)
    assert (spread.subject, spread.judges, spread.golden_set_digest) == (
        local.subject, local.judges, local.golden_set_digest,
    )  # fmt: skip
    assert told[-1] == len(GOLDEN) + 1
    assert any(result.failure for result in spread.results)


def test_workers_leave_their_answers_for_the_next_evaluation(
    ray: None, small_project: SmallProject, embedder: LocalEmbedder
) -> None:
    flow = Flow.load(small_project.flow, overrides=LIGHT)
    flow.build()
    evaluate_flow(Flow.load(small_project.flow, overrides=[*LIGHT, "evaluation.reuse=none"]))  # fills in vectors
    first = evaluate_flow(flow, engine="ray").run
    assert anew(first)["answered"] == len(GOLDEN)
    assert anew(evaluate_flow(flow, engine="ray").run) == {
        "cases": len(GOLDEN), "searched": 0, "answered": 0, "judged": 0,
    }  # fmt: skip


@pytest.mark.skipif(not LONG, reason="each worker loads the embedder")
def test_workers_embed_and_judge_for_themselves(
    ray: None, small_project: SmallProject, embedder: LocalEmbedder
) -> None:
    flow = Flow.load(small_project.flow, overrides=[LIGHT[1], "evaluation.reuse=none"])
    flow.build()
    spread = evaluate_flow(flow, engine="ray").run
    assert timeless(spread) == timeless(evaluate_flow(flow).run)


def test_an_engine_that_nobody_knows_is_refused(small_project: SmallProject, embedder: LocalEmbedder) -> None:
    flow = Flow.load(small_project.flow)
    flow.build()
    with pytest.raises(ConfigurationError, match="no engine 'spark'"):
        evaluate_flow(flow, engine="spark")
