"""The work on the cases of a golden set: ask, measure, attribute. The loop does it here, an engine elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Protocol, runtime_checkable

from genaiops.evaluation.asking import Ask, ask_safely
from genaiops.evaluation.judged import KeptOutcomes, Verdicts
from genaiops.evaluation.records import CaseResult, Failure, Measure, Sample, Selective
from genaiops.evaluation.waterfall import attribute
from genaiops.records import Answer, Case, Outcome, Query, Unscored

Progress = Callable[[str, int, int], None]  # what is going on ("ask" or a measure), done, total
Attribute = Callable[[CaseResult], Failure | None]


@runtime_checkable
class Reusing(Protocol):
    """An application that may take over what it said earlier. Optional."""

    def reused(self, case: str) -> tuple[str, ...]:
        """Which stages of the answer to this case were taken over: `retrieval`, `answer`."""
        ...


def silent(what: str, done: int, total: int) -> None:
    """The default progress: nobody looks."""


@dataclass(frozen=True, slots=True)
class CaseWork:
    """Asks `ask`, measures the answers, and says of wrong ones why; `kept` holds judgements of earlier evaluations."""

    ask: Ask
    measures: Sequence[Measure]
    attribute: Attribute = attribute
    kept: KeptOutcomes = field(default_factory=KeptOutcomes)

    def results(self, cases: Sequence[Case], *, workers: int = 1, report: Progress = silent) -> tuple[CaseResult, ...]:
        """One result for each case, in order; `workers` questions are asked at a time, from threads."""
        asked = list(self._asked(cases, workers, report))
        measured = self._measured(cases, asked, report)
        return tuple(replace(result, failure=self.attribute(result)) for result in measured)

    def _asked(self, cases: Sequence[Case], workers: int, report: Progress) -> Iterator[tuple[Answer | None, str]]:
        def one(case: Case) -> tuple[Answer | None, str]:
            return ask_safely(self.ask, Query(case.question, case.id))

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

    def _measured(
        self, cases: Sequence[Case], asked: Sequence[tuple[Answer | None, str]], report: Progress
    ) -> list[CaseResult]:
        pairs = zip(cases, asked, strict=True)
        samples = [sample_of(case, answer) for case, (answer, _) in pairs if answer is not None]
        found, anew = measured(self.measures, samples, self.kept, report)
        rows = iter(found)
        judges = any(measure.judge for measure in self.measures)
        results = []
        for case, (answer, error) in zip(cases, asked, strict=True):
            if answer is None:
                outcomes = {str(measure): _without_answer(measure, case, error) for measure in self.measures}
                results.append(CaseResult(case, answer, error, outcomes))
                continue
            outcomes, verdicts = next(rows)
            reused = list(self.ask.reused(case.id)) if isinstance(self.ask, Reusing) else []
            if judges and case.id not in anew:
                reused.append("judges")
            results.append(CaseResult(case, answer, error, outcomes, verdicts, reused=tuple(reused)))
        return results


def measured(
    measures: Sequence[Measure], samples: Sequence[Sample], kept: KeptOutcomes, report: Progress
) -> tuple[list[tuple[dict[str, Outcome], dict[str, Verdicts]]], set[str]]:
    """For each sample its outcomes and its verdicts by measure; and the ids of those that some judge had to look at."""
    found: list[tuple[dict[str, Outcome], dict[str, Verdicts]]] = [({}, {}) for _ in samples]
    anew: set[str] = set()
    for done, measure in enumerate(measures, start=1):
        name = str(measure)
        outcomes, said, judged = kept.outcomes_of(measure, samples)
        for sample, outcome, (of_sample, verdicts) in zip(samples, outcomes, found, strict=True):
            of_sample[name] = outcome
            if sample.id in said:
                verdicts[name] = said[sample.id]
        anew |= judged
        report(name, done, len(measures))
    return found, anew


def sample_of(case: Case, answer: Answer) -> Sample:
    """What measures see of one answered case."""
    contexts = tuple(hit.chunk.text for hit in answer.hits)
    return Sample(case.id, case.question, answer.text, contexts, case.reference, answer.refused, case, answer)


def _without_answer(measure: Measure, case: Case, error: str) -> Outcome:
    none = measure.not_applicable(case) if isinstance(measure, Selective) else None
    return none or Unscored(f"no answer: {error}", outage=True)
