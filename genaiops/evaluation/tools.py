"""What measures may be made with, besides the answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genaiops.generation.catalog import JudgeSettings, ModelCatalog

if TYPE_CHECKING:
    from genaiops.embedding import Embedder

__all__ = ["JudgeSettings", "ModelCatalog", "Tools"]


@dataclass(frozen=True, slots=True)
class Tools:
    """What is at hand for the measures of one evaluation.

    `model` names the judging model in the catalog `models` (default: `judge.model`); `tested` holds the names and ids
    of the model under test, which never judges itself; `cache_file` keeps judgements, and with `fresh` none of them
    is taken over; `shared` is where measures of one evaluation find what they have in common, such as one judge and
    its budget.
    """

    embedder: Embedder | None = None
    models: ModelCatalog | None = None
    model: str = ""
    cache_file: Path | None = None
    judge: JudgeSettings = field(default_factory=JudgeSettings)
    tested: tuple[str, ...] = ()
    fresh: bool = False
    shared: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def judge_name(self) -> str:
        """The name of the judging model in models.yaml; "" when none is configured."""
        return self.model or self.judge.model
