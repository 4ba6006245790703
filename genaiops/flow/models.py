"""The model of a flow: which one it is, and as a plain callable for the rooms that know no models."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from genaiops.errors import ConfigurationError
from genaiops.files import read_yaml, validated
from genaiops.flow.pipeline import GenerationPlan
from genaiops.flow.settings import FlowSettings
from genaiops.generation.catalog import EXTRACTIVE, ModelCard, ModelCatalog
from genaiops.project import Project
from genaiops.records import Message


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
