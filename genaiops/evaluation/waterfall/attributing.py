"""One stage for each wrong answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from genaiops.errors import GenaiopsError
from genaiops.evaluation.records import CaseResult, Failure
from genaiops.evaluation.waterfall.steps import Step, steps_of_quote
from genaiops.evaluation.waterfall.totals import ORDER
from genaiops.evaluation.waterfall.trace import Trace
from genaiops.evaluation.waterfall.wrong import WRONG_BELOW, wrong_because
from genaiops.records import Answer, Evidence

_ANSWERING = "prompt, generation.model"
_NO_EVIDENCE = "the case has no evidence quote, so nobody can tell whether its context held the answer"


@dataclass(frozen=True, slots=True)
class TracedCase:
    """A case with what is wrong about it and every step of its quotes; the last ones are of the answer itself."""

    result: CaseResult
    wrong: tuple[str, ...]
    quotes: tuple[tuple[Evidence, tuple[Step, ...]], ...]
    answering: tuple[Step, ...]

    @property
    def failure(self) -> Failure | None:
        """The earliest stage that lost anything the case needed; None for a right answer."""
        if not self.wrong:
            return None
        steps = [step for _, found in self.quotes for step in found] + list(self.answering)
        lost = [step for step in steps if step.held is False]
        return min(lost, key=lambda step: ORDER[step.stage]).failure if lost else None


def attribute(
    result: CaseResult, trace: Trace | None = None, *, below: Mapping[str, float] = WRONG_BELOW
) -> Failure | None:
    """The first stage that lost what a wrong answer needed; None for a right answer. Exactly one for each wrong one.

    `below` says which measures make an answer wrong: see wrong_because. A trace that fails (the index was removed)
    makes the stage `unknown`, never an error.
    """
    if not wrong_because(result, below):
        return None
    try:
        return traced_case(result, trace, below=below).failure
    except GenaiopsError as error:
        return Failure("unknown", f"the way of this answer cannot be followed: {error.what}", error.remedy)


def traced_case(
    result: CaseResult, trace: Trace | None = None, *, below: Mapping[str, float] = WRONG_BELOW
) -> TracedCase:
    """Every step of one case, whether its answer is right or wrong."""
    wrong = wrong_because(result, below)
    answer = result.answer
    if answer is None:
        step = Step("error", False, result.error or "no answer", "the model's endpoint (models.yaml), evaluate again")
        return TracedCase(result, wrong, (), (step,))
    if not result.case.wants_answer:
        return TracedCase(result, wrong, (), (_refusal_wanted(answer, trace),))
    quotes = tuple((e, tuple(steps_of_quote(e, answer, trace))) for e in result.case.evidence)
    held = bool(quotes) and all(steps[-1].held for _, steps in quotes)
    return TracedCase(result, wrong, quotes, tuple(_of_answer(result, answer, trace, wrong, held=held)))


def _refusal_wanted(answer: Answer, trace: Trace | None) -> Step:
    if answer.refused:
        return Step("refused", True, "refused, as is wanted")
    return Step("refused", False, "answered, though no document is to answer this", _refusing(answer, trace))


def _of_answer(
    result: CaseResult, answer: Answer, trace: Trace | None, wrong: tuple[str, ...], *, held: bool
) -> Iterator[Step]:
    """What the generator made of its context."""
    if not wrong:
        yield Step("unused", True, "the answer is right")
        return
    if result.case.evidence and not held:
        yield Step("unused", None, "; ".join(wrong) + "; what it needed was lost before")
        return
    if answer.refused:
        said = "refused although the prompt held the evidence" if held else f"refused; {_NO_EVIDENCE}"
        yield Step("refused", False, said, _refusing(answer, trace))
        return
    if contradicted := _contradicted(result, answer):
        yield Step("contradicted", False, contradicted, _making(trace))
        return
    if held or _holds_reference(result, answer):
        yield Step("unused", False, "in the prompt, but " + "; ".join(wrong) + _unsupported(result), _making(trace))
        return
    yield Step("unknown", False, "; ".join([*wrong, _NO_EVIDENCE]), "evidence of the golden case")


def _contradicted(result: CaseResult, answer: Answer) -> str:
    """The first sentence of the answer that a judge says its context denies."""
    for measure, verdicts in result.verdicts.items():
        for verdict in verdicts:
            if verdict.label == "contradicted":
                said = " ".join(answer.text[verdict.start : verdict.end].split())
                return f"{measure}: context {verdict.context + 1} says otherwise than {said[:160]!r}"
    return ""


def _unsupported(result: CaseResult) -> str:
    for measure, verdicts in result.verdicts.items():
        if bad := sum(verdict.label != "supported" for verdict in verdicts):
            return f"; {measure}: {bad} of {len(verdicts)} sentences are not supported"
    return ""


def _holds_reference(result: CaseResult, answer: Answer) -> bool:
    """Without evidence quotes: whether a context says the reference answer word for word."""
    wanted = " ".join(result.case.reference.casefold().split())
    return bool(wanted) and any(wanted in " ".join(hit.chunk.text.casefold().split()) for hit in answer.hits)


def _making(trace: Trace | None) -> str:
    return trace.answering() if trace is not None else _ANSWERING


def _refusing(answer: Answer, trace: Trace | None) -> str:
    if answer.model == "extractive":
        return "support in the prompt's model.options"
    return _making(trace)
