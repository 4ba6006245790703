"""What judges said of the same samples in earlier evaluations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from genaiops.evaluation.kept import KeptResults, result_key
from genaiops.evaluation.outcomes import outcome_from_json, outcome_to_json
from genaiops.evaluation.records import Measure, Sample, SentenceVerdict, Steady
from genaiops.evaluation.scoring import explained_outcomes_of
from genaiops.records import Outcome, Unscored, as_json

BLOCK = 32  # samples that are judged, and then kept, together: a kill loses one block of one judge

Verdicts = tuple[SentenceVerdict, ...]


@dataclass(frozen=True, slots=True)
class KeptOutcomes:
    """Judgements by the judge's digest and all that a judge sees; `code` is the version of what computes them.

    Only measures that name a judge are looked up: the others cost less than the look. A measurement that failed is
    never kept, so that it is tried again. Made without anything, it remembers nothing.
    """

    results: KeptResults = field(default_factory=lambda: KeptResults(None))
    code: str = ""
    active: bool = False
    shared: dict[bytes, tuple[Outcome, Verdicts]] | None = None  # what steady judges said in this run; None: not kept

    def sharing(self) -> KeptOutcomes:
        """These, for one run of several rounds: the same answer is judged once by judges that are steady.

        What shares a batch moves the rounding of vectors, and repeats would differ by it.
        """
        return replace(self, shared={})

    def outcomes_of(
        self, measure: Measure, samples: Sequence[Sample]
    ) -> tuple[list[Outcome], dict[str, Verdicts], set[str]]:
        """Outcomes in order, verdicts by sample id, and the ids of samples that this judge looked at for this run."""
        if not measure.judge:
            return *explained_outcomes_of(measure, samples), set()
        if self.shared is None or not (isinstance(measure, Steady) and measure.steady):
            return self._each(measure, samples)
        keys = [self._key(measure, sample) for sample in samples]
        first: dict[bytes, Sample] = {}
        for key, sample in zip(keys, samples, strict=True):
            if key not in self.shared:
                first.setdefault(key, sample)
        outcomes, said, looked = self._each(measure, list(first.values()))
        told = {
            key: (outcome, said.get(sample.id, ()))
            for (key, sample), outcome in zip(first.items(), outcomes, strict=True)
        }
        self.shared.update((key, one) for key, one in told.items() if not isinstance(one[0], Unscored))
        told = {**self.shared, **told}
        earlier = {key for key, sample in first.items() if sample.id not in looked}
        by_sample = list(zip(samples, keys, strict=True))
        return (
            [told[key][0] for key in keys],
            {sample.id: told[key][1] for sample, key in by_sample if told[key][1]},
            {sample.id for sample, key in by_sample if key not in earlier},
        )

    def _each(self, measure: Measure, samples: Sequence[Sample]) -> tuple[list[Outcome], dict[str, Verdicts], set[str]]:
        keys = [self._key(measure, sample) for sample in samples] if self.active else []
        known = {key: told for key, data in self.results.get(keys).items() if (told := _read(data)) is not None}
        missing = [s for s, key in zip(samples, keys, strict=True) if key not in known] if self.active else samples
        fresh: dict[str, Outcome] = {}
        verdicts: dict[str, Verdicts] = {}
        # A judge behind a prefix (llm:…) bounds and keeps its own calls, and is slower in small blocks.
        size = max(1, len(missing)) if ":" in str(measure) or not self.active else BLOCK
        for at in range(0, len(missing), size):
            block = missing[at : at + size]
            outcomes, said = explained_outcomes_of(measure, block)
            fresh.update((sample.id, outcome) for sample, outcome in zip(block, outcomes, strict=True))
            verdicts.update(said)
            if self.active:
                self._keep(measure, block, outcomes, said)
        found = []
        for number, sample in enumerate(samples):
            if sample.id in fresh:
                found.append(fresh[sample.id])
                continue
            outcome, of_sentences = known[keys[number]]
            found.append(outcome)
            if of_sentences:
                verdicts[sample.id] = of_sentences
        return found, {s.id: verdicts[s.id] for s in samples if s.id in verdicts}, {s.id for s in missing}

    def _keep(
        self, measure: Measure, samples: Sequence[Sample], outcomes: Sequence[Outcome], said: dict[str, Verdicts]
    ) -> None:
        self.results.put(
            {
                self._key(measure, sample): {
                    "outcome": outcome_to_json(outcome),
                    "verdicts": as_json(said.get(sample.id, ())),
                }
                for sample, outcome in zip(samples, outcomes, strict=True)
                if not isinstance(outcome, Unscored)
            }
        )

    def _key(self, measure: Measure, sample: Sample) -> bytes:
        """All that a judge may look at, but what an answer took and where its index and release were.

        The model that answered is in it: no judge scores what it wrote itself.
        """
        case, response = sample.case, sample.response
        told = (
            []
            if response is None
            else [
                response.model,
                [[c.marker, c.document_id, c.quote] for c in response.citations],
                [hit.chunk.document_id for hit in response.hits],
            ]
        )
        of_case = [] if case is None else [case.kind, case.evidence]
        seen = [sample.question, sample.answer, sample.contexts, sample.reference, sample.refused, of_case, told]
        return result_key("outcome", self.code, str(measure), measure.judge, _precision(measure), seen)


def _precision(measure: Measure) -> str:
    """Of the vectors that a judge decides by, itself or through groundedness; its digest knows only their weights."""
    decides = getattr(measure, "groundedness", measure)
    return str(getattr(getattr(decides, "embedder", None), "precision", ""))


def _read(data: Any) -> tuple[Outcome, Verdicts] | None:
    """None for what `_keep` did not write."""
    try:
        return outcome_from_json(data["outcome"]), tuple(SentenceVerdict(**item) for item in data["verdicts"])
    except (KeyError, TypeError, ValueError):
        return None
