"""The models a flow may name: `models.yaml`, and the `generation:` part of flow.yaml."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from genaiops.records import Settings, holds_secret

EXTRACTIVE = "extractive"


def _without_secret(url: str) -> str:
    """Addresses stand in releases, run records and histories, where nobody expects a password."""
    if "@" in url.partition("://")[2].partition("/")[0]:
        raise holds_secret("an address without user and password; the key goes into a variable (api_key_env)")
    return url


Address = Annotated[str, AfterValidator(_without_secret)]


class ModelCard(Settings):
    """One model of `models.yaml`. Prices are US dollars per million tokens; None: unknown."""

    provider: Literal["openai"] = "openai"  # any endpoint that speaks the OpenAI API
    model: str = ""  # the id the endpoint knows; empty: the name in models.yaml
    base_url: Address = ""
    api_key_env: str = "OPENAI_API_KEY"
    input_usd_per_million: float | None = Field(default=None, ge=0)
    output_usd_per_million: float | None = Field(default=None, ge=0)
    max_output_tokens: int = Field(default=512, ge=1, le=1_000_000)
    timeout_s: float = Field(default=30.0, gt=0, le=3600)
    retires_on: str = ""  # ISO date; a retired model is refused


class ModelCatalog(Settings):
    """`models.yaml`: name → model."""

    models: dict[str, ModelCard] = Field(default_factory=dict)


class GenerationSettings(Settings):
    """Which model answers: `extractive`, a name of models.yaml, or any name with a `base_url`.

    What is given here overrides the catalog's card.
    """

    model: str = EXTRACTIVE
    base_url: Address = ""
    api_key_env: str = ""
    max_output_tokens: int | None = Field(default=None, ge=1, le=1_000_000)
    timeout_s: float | None = Field(default=None, gt=0, le=3600)
