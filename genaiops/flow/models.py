"""The models of a flow: which they are, and the one that writes as a plain callable for rooms that know no models."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from genaiops.configuration import read_yaml, validated, validated_data
from genaiops.embedding import DEFAULT_MODEL, EmbeddingSettings
from genaiops.errors import ConfigurationError
from genaiops.flow.pipeline import GenerationPlan
from genaiops.flow.settings import FlowSettings
from genaiops.generation.catalog import EXTRACTIVE, ModelCard, ModelCatalog
from genaiops.project import Project
from genaiops.records import Message

OPENAI_URL = "https://api.openai.com/v1"
_OF_CARD = ("api_key_env", "timeout_s")  # what an embedder takes from a card besides its address


def catalog_of(project: Project) -> ModelCatalog:
    """What models.yaml says; empty without the file."""
    path = project.models_file
    return validated(ModelCatalog, read_yaml(path, "model catalog")) if path.is_file() else ModelCatalog()


def plan_of(settings: FlowSettings, project: Project) -> GenerationPlan:
    """The flow's model with its card: models.yaml, with what flow.yaml says put over it."""
    wanted = settings.generation
    if wanted.model == EXTRACTIVE:
        return GenerationPlan()
    catalog = catalog_of(project)
    card = catalog.models.get(wanted.model)
    if card is None and not wanted.base_url:
        known = ", ".join([EXTRACTIVE, *sorted(catalog.models)])
        raise ConfigurationError(
            f"there is no model {wanted.model!r} in models.yaml and generation.base_url is not set",
            remedy=f"known models: {known}",
        )
    given = {k: v for k, v in wanted.model_dump().items() if k != "model" and v not in ("", None)}
    card = (card or ModelCard()).model_copy(update=given)
    return GenerationPlan(model=wanted.model, card=card.model_copy(update={"model": card.model or wanted.model}))


def embedding_of(wanted: EmbeddingSettings, project: Project) -> EmbeddingSettings:
    """The embedding settings with what models.yaml says of their model; what flow.yaml says stands."""
    if wanted.base_url or wanted.model == DEFAULT_MODEL:
        return wanted
    card = catalog_of(project).models.get(wanted.model)
    if card is None:
        return wanted
    of_card: dict[str, Any] = {name: getattr(card, name) for name in _OF_CARD if name in card.model_fields_set}
    of_flow = {name: getattr(wanted, name) for name in wanted.model_fields_set}
    address = {"base_url": card.base_url or OPENAI_URL, "model": card.model or wanted.model}
    return validated_data(
        EmbeddingSettings, {**of_card, **of_flow, **address}, where=lambda key: f"model {wanted.model} of models.yaml"
    )


def complete_with(plan: GenerationPlan) -> Callable[[Sequence[Message]], str] | None:
    """Messages in, the model's words out (raising ModelError); None for the offline generator, which writes nothing."""
    if plan.card is None:
        return None
    from genaiops.generation.openai_compatible import OpenAICompatible
    from genaiops.generation.protocol import GenerationRequest
    from genaiops.records import Query

    model = OpenAICompatible(plan.card, name=plan.model)

    def complete(messages: Sequence[Message]) -> str:
        return model.generate(GenerationRequest(Query(""), (), tuple(messages))).text

    return complete
