"""What measures are made with in a project, and what an evaluation would spend on models: its plan."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from genaiops.configuration import validated_data
from genaiops.delivery.golden_parts import measured_part
from genaiops.evaluation.llm_judges.planning import SECONDS_ASSUMED, planned_calls
from genaiops.evaluation.measures import measures_named
from genaiops.evaluation.records import Sample
from genaiops.evaluation.tools import JudgeSettings, Tools
from genaiops.evaluation.working import sample_of
from genaiops.flow.models import catalog_of
from genaiops.project import Project
from genaiops.records import Query

if TYPE_CHECKING:
    from genaiops.embedding import Embedder
    from genaiops.evaluation.llm_judges.planning import PlannedCalls
    from genaiops.flow import Flow, Pipeline
    from genaiops.flow.pipeline import Served
    from genaiops.records import Answer, Case

_BYTES_PER_TOKEN = 4
ENDPOINT = "endpoint"  # the precision of vectors that are not made on this machine
_ANSWER = "A sentence of an answer that is not written yet, as long as such sentences are. " * 3


def tools_of(flow: Flow, served: Served, embedder: Embedder, *, anew: bool = False) -> Tools:
    """The measures' tools for a flow, or for a release of it. The model that answers is barred from judging.

    `anew`: no judgement of an earlier evaluation is taken over, as with `evaluation.reuse: none`.
    """
    card = served.generation.card
    tested = (served.generation.model, card.model) if card is not None else ()
    judge = flow.settings.evaluation.judge
    fresh = anew or flow.settings.evaluation.reuse == "none"
    return Tools(embedder, catalog_of(flow.project), judge.model, flow.project.cache, judge, tested, fresh)


def scoring_tools(project: Project, judge: str = "", overrides: Sequence[str] = ()) -> Tools:
    """The tools for scoring rows: the judging model by name, and `key=value` for the settings of `evaluation.judge`."""
    from genaiops.flow.settings import parsed_overrides

    data = {**parsed_overrides(overrides), **({"model": judge} if judge else {})}
    settings = validated_data(JudgeSettings, data, where=lambda key: "--set" if key != ("model",) else "--judge")
    return Tools(None, catalog_of(project), settings.model, project.cache, settings)


def plan_scoring(
    measures: Sequence[str], samples: Sequence[Sample], tools: Tools, *, repeats: int = 1
) -> tuple[PlannedCalls, ...]:
    """The model calls that scoring these samples, so many times each, would make. Makes none."""
    from genaiops.evaluation.llm_judges.planning import plan_judging

    return plan_judging(measures_named(measures, tools=tools), samples, repeats=repeats)


def plan_evaluation(flow: Flow, pipeline: Pipeline) -> tuple[PlannedCalls, ...]:
    """The model calls that evaluating the flow, or a release of it, would make, after what the cache holds. Makes none.

    Answers that a model has yet to write cannot be known: those of the newest run of this very state stand for them,
    or else answers of three sentences to the passages that are found now. Each of `evaluation.repeats` rounds asks for
    everything again.
    """
    from genaiops.delivery.evaluating import find_evaluation

    golden, _ = measured_part(flow)
    measures, repeats = flow.settings.evaluation.measures, flow.settings.evaluation.repeats
    tools = tools_of(flow, pipeline.served, flow.embedder, anew=repeats > 1)  # as an evaluation does
    searches_here = flow.embedder.precision != ENDPOINT and pipeline.served.retrieval.rewrite == "none"
    if pipeline.served.generation.card is None and searches_here:  # the answers can be had for nothing
        answers = ((case, pipeline.ask(Query(case.question, case.id))) for case in golden.cases)
        return plan_scoring(measures, [sample_of(case, answer) for case, answer in answers], tools, repeats=repeats)
    run = find_evaluation(flow, pipeline.served) or find_evaluation(flow, pipeline.served, repeats=1)
    known = {result.case.id: result.answer for result in run.results if result.answer} if run else {}
    samples = [
        sample_of(case, known[case.id])
        if case.id in known
        else _unwritten(flow, case, pipeline if searches_here else None)
        for case in golden.cases
    ]
    judging = plan_scoring(measures, samples, tools, repeats=repeats)
    note = f"the answers of run {run.id} stand for those to come" if run else "answers of three sentences are assumed"
    noted = tuple(replace(line, notes=(note, *line.notes)) for line in judging)
    return (*_answering(flow, pipeline.served, samples, known), *noted)


def _unwritten(flow: Flow, case: Case, pipeline: Pipeline | None) -> Sample:
    """What the judge may get to see of a case whose answer does not exist yet."""
    if pipeline is not None:
        contexts = tuple(hit.chunk.text for hit in pipeline.search(case.question))
    else:
        contexts = ("x" * flow.settings.chunking.size,) * flow.settings.retrieval.top_k
    return Sample(case.id, case.question, _ANSWER, contexts, case.reference, case=case)


def _answering(
    flow: Flow, served: Served, samples: Sequence[Sample], known: Mapping[str, Answer]
) -> tuple[PlannedCalls, ...]:
    """The calls that write the answers; none for the generator that needs no model."""
    card = served.generation.card
    if card is None:
        return ()
    repeats = flow.settings.evaluation.repeats
    prompt = sum(len(message.content.encode()) for message in served.prompt.template)
    given = [prompt + len(f"{s.question}{''.join(s.contexts)}".encode()) for s in samples]
    made = [answer.usage.output_tokens for answer in known.values()]
    seconds = [answer.seconds.get("total", SECONDS_ASSUMED) for answer in known.values()] or [SECONDS_ASSUMED]
    each = statistics.mean(made) if made else min(card.max_output_tokens, math.ceil(len(_ANSWER) / _BYTES_PER_TOKEN))
    line = planned_calls(
        "answers", served.generation.model, card, calls=len(samples) * repeats, cached=0,
        input_tokens=math.ceil(sum(given) / _BYTES_PER_TOKEN) * repeats,
        output_tokens=math.ceil(each * len(samples)) * repeats,
        seconds=statistics.mean(seconds), at_once=flow.settings.evaluation.workers,
        notes=() if known else (f"{SECONDS_ASSUMED:g} s for each answer are assumed",),
    )  # fmt: skip
    return (line,)
