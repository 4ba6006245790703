"""The `embedding:` part of flow.yaml."""

from __future__ import annotations

from typing import Literal

from genaiops.records import Settings

DEFAULT_MODEL = "sentence-transformers/all-MiniLM-L6-v2"
Precision = Literal["fp32", "bf16"]


class EmbeddingSettings(Settings):
    """Which weights embed, and how exactly they are computed with."""

    model: str = DEFAULT_MODEL  # a name, or the folder of a sentence-transformers model
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    fast_start: bool = True  # questions by a session of the same weights that starts in a tenth of torch's time
