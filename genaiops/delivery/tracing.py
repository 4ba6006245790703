"""A flow's way from its sources to its prompt, as the failure waterfall wants to be told it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from genaiops.delivery.losing import lost_before_the_index
from genaiops.errors import NotFound
from genaiops.evaluation.records import Failure
from genaiops.evaluation.waterfall import Passage, Standing
from genaiops.flow import FlowSettings
from genaiops.flow.pipeline import Pipeline
from genaiops.project import Project
from genaiops.records import Answer, Evidence, Hit

if TYPE_CHECKING:
    from genaiops.flow import Flow
    from genaiops.retrieval.tracing import Ranks

CONTEXT = "context"  # the variable of a prompt that the hits are put into


@dataclass(frozen=True)
class FlowTrace:
    """The trace of what `pipeline` answered. `settings` and `base` say where its documents come from.

    Sources are read only for a quote that the index does not hold, and only files of this machine.
    """

    project: Project
    settings: FlowSettings
    base: Path
    pipeline: Pipeline

    @classmethod
    def of(cls, flow: Flow, pipeline: Pipeline) -> FlowTrace:
        return cls(flow.project, flow.settings, flow.folder, pipeline)

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


def _nearest(ranks: Ranks) -> tuple[bool, float, float]:
    """How near a chunk came to being a hit: allowed ones first, then by their joined and their best single rank."""
    alone = [rank for rank in ranks.legs.values() if rank]
    return not ranks.allowed, ranks.steps["search"] or float("inf"), min(alone, default=float("inf"))
