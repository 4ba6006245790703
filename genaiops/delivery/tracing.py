"""A flow's way from its sources to its prompt, as the failure waterfall wants to be told it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from genaiops.delivery.losing import lost_before_the_index
from genaiops.errors import NotFound
from genaiops.evaluation.kept import KeptResults, result_key
from genaiops.evaluation.outcomes import outcome_to_json
from genaiops.evaluation.records import CaseResult, Failure
from genaiops.evaluation.waterfall import Passage, Standing, attribute, wrong_because
from genaiops.flow import FlowSettings
from genaiops.flow.pipeline import Pipeline
from genaiops.project import Project
from genaiops.records import Answer, Evidence, Hit, as_json

if TYPE_CHECKING:
    from genaiops.flow import Flow
    from genaiops.retrieval.tracing import Ranks

CONTEXT = "context"  # the variable of a prompt that the hits are put into


@dataclass(frozen=True)
class FlowTrace:
    """The trace of what a pipeline answered, which `opened` gives. `settings` and `base` say where its documents
    come from.

    Sources are read only for a quote that the index does not hold, and only files of this machine.
    """

    project: Project
    settings: FlowSettings
    base: Path
    opened: Callable[[], Pipeline]

    @classmethod
    def of(cls, flow: Flow, opened: Callable[[], Pipeline]) -> FlowTrace:
        return cls(flow.project, flow.settings, flow.folder, opened)

    @cached_property
    def pipeline(self) -> Pipeline:
        return self.opened()

    def text(self, document: str) -> str | None:
        try:
            return self.pipeline.retriever.index.document_text(document)
        except NotFound:
            return None

    def lost(self, evidence: Evidence) -> Failure:
        quarantined = self.pipeline.retriever.index.manifest.facts.get("quarantined") or ()
        return lost_before_the_index(
            evidence, project=self.project, settings=self.settings, base=self.base,
            indexed=self.text(evidence.document) is not None, quarantined=dict(map(tuple, quarantined)),
        )  # fmt: skip

    def passages(self, document: str) -> Sequence[Passage]:
        from genaiops.retrieval.tracing import windows_of

        windows = windows_of(self.pipeline.retriever, self._positions.get(document, range(0)))
        return [Passage(position, start, end) for position, (start, end) in windows.items()]

    def standing(self, answer: Answer, passages: Sequence[Passage]) -> Standing:
        from genaiops.retrieval.tracing import ranks_of

        wanted = self.pipeline.served.retrieval.top_k
        positions = [passage.id for passage in passages]
        found = ranks_of(self.pipeline.retriever, answer.query, wanted, positions, searched=answer.searched)
        best = min(found.values(), key=_nearest)
        steps = {name: rank for name, rank in best.steps.items() if name != "search"}
        return Standing(best.legs, best.steps["search"], wanted, best.depth, steps, best.allowed)

    def shown(self, answer: Answer) -> Sequence[Hit]:
        return answer.hits if CONTEXT in self.pipeline.served.prompt.inputs else ()

    def answering(self) -> str:
        served = self.pipeline.served
        return f"prompt {served.prompt.name}, generation.model {served.generation.model}"

    @cached_property
    def _positions(self) -> Mapping[str, range]:
        from genaiops.retrieval.tracing import positions_by_document

        return positions_by_document(self.pipeline.retriever.index)


@dataclass(frozen=True, slots=True)
class KeptAttribution:
    """`attribute` of a flow's results, taken from `results` where nothing it depends on differs.

    `key` names what answered and the code. What files beside the index decided is looked at each time.
    """

    trace: FlowTrace
    below: Mapping[str, float]
    results: KeptResults
    key: str

    def __call__(self, result: CaseResult) -> Failure | None:
        if not wrong_because(result, self.below) or result.answer is None:
            return attribute(result, below=self.below)
        key = self._key(result)
        known = self.results.get([key]).get(key)
        if isinstance(known, dict) and set(known) == {"stage", "detail", "knob"}:
            return Failure(**known)
        failure = attribute(result, self.trace, below=self.below)
        if failure is not None and failure.stage not in _BESIDE:
            self.results.put({key: as_json(failure)})
        return failure

    def _key(self, result: CaseResult) -> bytes:
        answer = result.answer
        said = None if answer is None else [answer.text, answer.refused, answer.searched, answer.model]
        shown = [] if answer is None else [[h.chunk.document_id, h.chunk.start, h.chunk.text] for h in answer.hits]
        outcomes = {name: outcome_to_json(result.outcomes[name]) for name in self.below if name in result.outcomes}
        return result_key("failure", self.key, dict(self.below), result.case, said, shown, outcomes, result.verdicts)


_BESIDE = ("corpus", "parser", "unknown")


def _nearest(ranks: Ranks) -> tuple[bool, float, float]:
    """How near a chunk came to being a hit: allowed ones first, then by their joined and their best single rank."""
    alone = [rank for rank in ranks.legs.values() if rank]
    return not ranks.allowed, ranks.steps["search"] or float("inf"), min(alone, default=float("inf"))
