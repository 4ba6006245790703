"""The models a flow may name: `models.yaml`, and the `generation:` part of flow.yaml."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from genaiops.configuration import Settings, holds_secret

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


class JudgeSettings(Settings):
    """Which model of models.yaml judges (`llm:…` measures and adapters), and what it may spend in one evaluation.

    Each case is judged `votes` times; what is over a bound is not asked and stays unscored. `max_tokens` counts input
    and output of all calls, `max_cost_usd` needs the model's prices. `temperature` is `auto` (0 for one vote, 0.7 for
    several), a number, or `none` for models that take no temperature.
    """

    model: str = ""
    votes: int = Field(default=1, ge=1, le=9)
    temperature: Annotated[float, Field(ge=0, le=2)] | Literal["auto", "none"] = "auto"
    max_output_tokens: int = Field(default=2_000, ge=100, le=100_000)  # of one reply
    max_tokens: int | None = Field(default=None, ge=1)
    max_cost_usd: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    max_seconds: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    concurrency: int = Field(default=16, ge=1, le=256)  # calls at once; fewer when the endpoint says 429
