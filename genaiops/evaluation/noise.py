"""Noise sensitivity: wrong claims that an answer took from its contexts.

RAGChecker (Ru et al., RAGChecker: A Fine-grained Framework for Diagnosing Retrieval-Augmented Generation, NeurIPS 2024
Datasets and Benchmarks): of all claims of the answer, the share that the reference does not support and a retrieved
text does. `noise_sensitivity` counts those found in irrelevant texts only, `noise_sensitivity_relevant` those found
in a relevant one. A text is relevant when it supports a claim of the reference. Claims are sentences, and the local
groundedness judge decides support where the paper asks a language model. Less is better.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from genaiops.evaluation.plain_measure import NO_REFERENCE
from genaiops.evaluation.records import Measure, Sample
from genaiops.evaluation.supported import Question, SupportMeasure, claims, mean
from genaiops.records import Case, NotApplicable, Outcome, Score, Unscored


@dataclass(frozen=True, slots=True)
class _Plan:
    from_relevant: bool
    said: tuple[str, ...]
    expected: tuple[str, ...]
    reference: str
    contexts: tuple[str, ...]

    def questions(self) -> Iterator[Question]:
        for claim in self.said:
            yield claim, (self.reference,)
            yield from ((claim, (text,)) for text in self.contexts)
        yield from ((claim, (text,)) for claim in self.expected for text in self.contexts)

    def value(self, supported: Mapping[Question, bool]) -> Outcome:
        def holds(claim: str, text: str) -> bool:
            return supported.get((claim, (text,)), False)

        relevant = [text for text in self.contexts if any(holds(claim, text) for claim in self.expected)]
        irrelevant = [text for text in self.contexts if text not in relevant]
        wrong = [claim for claim in self.said if not holds(claim, self.reference)]
        # A claim that a relevant text supports too is laid to that one, so that none counts in both.
        from_relevant = {claim for claim in wrong if any(holds(claim, text) for text in relevant)}
        from_irrelevant = {claim for claim in wrong if any(holds(claim, text) for text in irrelevant)} - from_relevant
        taken = from_relevant if self.from_relevant else from_irrelevant
        return Score(mean([claim in taken for claim in self.said]))


@dataclass(frozen=True, slots=True)
class NoiseSensitivity(SupportMeasure):
    """The share of an answer's claims that are wrong and come from an irrelevant (or a relevant) context."""

    from_relevant: bool
    groundedness: Measure
    lower_is_better: ClassVar[bool] = True

    def __str__(self) -> str:
        return "noise_sensitivity_relevant" if self.from_relevant else "noise_sensitivity"

    def not_applicable(self, case: Case) -> NotApplicable | None:
        return None if case.reference else NO_REFERENCE

    def _plan(self, sample: Sample) -> _Plan | Unscored | NotApplicable:
        if not sample.reference:
            return NO_REFERENCE
        if sample.refused:
            return NotApplicable("a refusal claims nothing")
        said = tuple(claim for claim, _ in claims(sample.answer))
        if not said:
            return NotApplicable("the answer claims nothing")
        contexts = tuple(dict.fromkeys(text for text in sample.contexts if text.strip()))
        if not contexts:
            return Unscored("no contexts to judge the answer by", lacks="contexts")
        expected = tuple(claim for claim, _ in claims(sample.reference))
        return _Plan(self.from_relevant, said, expected, sample.reference, contexts)
