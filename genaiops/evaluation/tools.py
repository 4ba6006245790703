"""What a measure may need besides the answers: an embedder, models that judge, a cache."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from genaiops.generation.catalog import ModelCatalog
from genaiops.records import Settings

if TYPE_CHECKING:
    from genaiops.embedding import Embedder


class JudgeSettings(Settings):
    """How a model judges: which one, how often it is asked, and what it may take."""

    model: str = ""  # its name in models.yaml
    votes: int = Field(default=1, ge=1, le=25)
    max_tokens: int | None = Field(default=None, ge=1)
    max_cost_usd: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    max_seconds: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    concurrency: int = Field(default=8, ge=1, le=256)


@dataclass(frozen=True, slots=True)
class Tools:
    """What measures are made with. Local judges use `embedder` (None: the default one, loaded when it is needed);
    judges that are models use `models`, of which `model` judges, and keep what they said in `cache_file`.
    """

    embedder: Embedder | None = None
    models: ModelCatalog | None = None
    model: str = ""
    cache_file: Path | None = None
    judge: JudgeSettings = field(default_factory=JudgeSettings)
