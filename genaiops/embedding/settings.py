"""The `embedding:` part of flow.yaml."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from genaiops.configuration import Settings, holds_secret
from genaiops.endpoints import host_of, without_credentials

DEFAULT_MODEL = "sentence-transformers/all-MiniLM-L6-v2"
Precision = Literal["fp32", "bf16"]
_OF_WEIGHTS = ("precision", "fast_start")
_OF_ENDPOINTS = ("api_key_env", "dimensions", "batch_texts", "batch_tokens", "concurrency", "timeout_s")


class EmbeddingSettings(Settings):
    """Which weights embed and how exactly they are computed with, or which endpoint is asked."""

    model: str = DEFAULT_MODEL  # a name, the folder of a sentence-transformers model, or a name of models.yaml
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    fast_start: bool = True  # questions by a session of the same weights that starts in a tenth of torch's time
    base_url: str = ""  # an OpenAI-compatible endpoint; empty: weights on this machine
    api_key_env: str = ""  # empty: OPENAI_API_KEY, and no key at all for an endpoint on this machine
    dimensions: int | None = Field(default=None, ge=1, le=65_536)  # asked of the endpoint, and checked
    batch_texts: int = Field(default=64, ge=1, le=2048)  # in one request at most
    batch_tokens: int = Field(default=50_000, ge=1, le=10_000_000)  # the same, at three bytes a token
    concurrency: int = Field(default=4, ge=1, le=64)  # requests at once
    timeout_s: float = Field(default=60.0, gt=0, le=3600)  # of one request

    @field_validator("base_url")
    @classmethod
    def _address(cls, value: str) -> str:
        if value:
            host_of(value)
            if without_credentials(value) != value.rstrip("/") or "#" in value:
                raise holds_secret("an address without user, password or query; the key goes into a variable")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _of_one_kind(self) -> Self:
        """A setting that would do nothing is refused."""
        if self.base_url and (idle := self._changed(_OF_WEIGHTS)):
            raise ValueError(f"{', '.join(idle)} decides nothing at an endpoint: remove it, or base_url")
        return self

    @property
    def idle_at_weights(self) -> tuple[str, ...]:
        """What is set here and means nothing to weights on this machine."""
        return self._changed(_OF_ENDPOINTS)

    def _changed(self, names: tuple[str, ...]) -> tuple[str, ...]:
        fields = type(self).model_fields
        return tuple(name for name in names if getattr(self, name) != fields[name].default)
