"""One case of a run, followed stage by stage from its source to its answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from genaiops.delivery.tracing import FlowTrace
from genaiops.errors import ConfigurationError, GenaiopsError, NotFound
from genaiops.evaluation.records import Run
from genaiops.evaluation.runs import find_run, list_runs
from genaiops.evaluation.waterfall import WRONG_BELOW, Step, traced_case
from genaiops.evaluation.waterfall.attributing import TracedCase
from genaiops.flow import Flow, Pipeline
from genaiops.records import as_json

_MARKS = {True: "ok  ", False: "LOST", None: "?   "}


@dataclass(frozen=True, slots=True)
class Explained:
    """A case of `run`, traced. `problem` tells why its index could not be opened; then only the hits are known."""

    run: str
    traced: TracedCase
    problem: str = ""

    def to_json(self) -> dict[str, Any]:
        result = self.traced.result
        quotes = [
            {"document": evidence.document, "quote": evidence.quote, "steps": as_json(steps)}
            for evidence, steps in self.traced.quotes
        ]
        return {
            "run": self.run, "case": result.case.id, "question": result.case.question,
            "answer": result.answer.text if result.answer else None, "error": result.error,
            "wrong": list(self.traced.wrong), "failure": as_json(self.traced.failure),
            "quotes": quotes, "answering": as_json(self.traced.answering), "problem": self.problem,
        }  # fmt: skip


def explain_case(flow: Flow, case: str, *, run: str = "") -> Explained:
    """Trace one case of a run (an id or the end of one; default: the flow's newest) with the index it was made from.

    Raises NotFound for a run or a case that there is not.
    """
    found = find_run(flow.project.runs, run) if run else newest_run(flow)
    result = next((result for result in found.results if result.case.id == case), None)
    if result is None:
        wrong = [result.case.id for result in found.results if result.failure is not None]
        shown = ", ".join((wrong or [result.case.id for result in found.results])[:8])
        raise NotFound(f"run {found.id} has no case {case!r}", where=flow.project.runs / found.id,
                       remedy=f"it has {shown}, …")  # fmt: skip
    below = dict(found.subject.settings.get("evaluation", {}).get("wrong_below") or WRONG_BELOW)
    try:
        pipeline = _pipeline(flow, found)
        trace = FlowTrace.of(flow, lambda: pipeline)
        return Explained(found.id, traced_case(result, trace, below=below))
    except GenaiopsError as error:
        return Explained(found.id, traced_case(result, below=below), f"{error.what} ({error.where})")


def newest_run(flow: Flow) -> Run:
    """The newest kept run of this flow. Raises NotFound."""
    for folder in reversed(list_runs(flow.project.runs)):
        run = Run.load(folder)
        if run.subject.flow == flow.name:
            return run
    raise NotFound(f"flow {flow.name!r} has no run", where=flow.project.runs, remedy=f"genaiops evaluate {flow.folder}")


def _pipeline(flow: Flow, run: Run) -> Pipeline:
    """What the run asked, opened again from its record."""
    served = {key: value for key, value in run.subject.settings.items() if key != "evaluation"}
    if not served:
        raise ConfigurationError("the run does not say what it asked")
    return Flow.from_release(served, flow.project)


def lines_of(explained: Explained) -> list[str]:
    """For people: what is wrong, every quote's stages, what became of the answer, and the knob."""
    traced = explained.traced
    result = traced.result
    lines = [f"case {result.case.id} of run {explained.run}", f"question: {result.case.question}"]
    lines.append(f"answer: {result.answer.text}" if result.answer else f"no answer: {result.error}")
    lines += [f"wrong: {reason}" for reason in traced.wrong] or ["right"]
    if explained.problem:
        lines.append(f"its index cannot be opened, so only its hits are known: {explained.problem}")
    for number, (evidence, steps) in enumerate(traced.quotes, start=1):
        lines.append(f"evidence {number}: {evidence.quote!r} of {evidence.document}")
        lines += [_line(step) for step in steps]
    lines.append("answer")
    lines += [_line(step) for step in traced.answering]
    if failure := traced.failure:
        lines.append(f"lost at: {failure.stage}; turn {failure.knob}" if failure.knob else f"lost at: {failure.stage}")
    return [" ".join(line.splitlines()) for line in lines]  # a line break in an answer cannot begin a line of ours


def _line(step: Step) -> str:
    return f"  {_MARKS[step.held]} {step.stage:<12} {step.detail}"
