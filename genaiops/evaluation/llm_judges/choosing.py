"""Which model judges, and that it is not the one under test."""

from __future__ import annotations

from genaiops.errors import ConfigurationError
from genaiops.evaluation.tools import Tools
from genaiops.generation.catalog import EXTRACTIVE, ModelCard

_SET = "name a model of models.yaml: evaluation: {judge: {model: NAME}} of flow.yaml"


def judging_model(tools: Tools) -> tuple[str, ModelCard]:
    """Name and card of the judge. Raises ConfigurationError when there is none, or when it would judge itself."""
    name = tools.judge_name
    if not name:
        raise ConfigurationError("a measure needs a judging model and none is configured", remedy=_SET)
    known = tools.models.models if tools.models is not None else {}
    if name == EXTRACTIVE or name not in known:
        shown = ", ".join(sorted(known)) or "none; write models.yaml beside genaiops.yaml"
        raise ConfigurationError(f"there is no judging model {name!r} in models.yaml", remedy=f"known models: {shown}")
    card = known[name]
    own = {name.lower(), (card.model or name).lower()}
    if own & {tested.lower() for tested in tools.tested if tested}:
        raise ConfigurationError(
            f"the judge {name!r} is the model under test, and no model judges itself",
            where="evaluation.judge.model",
            remedy="name another model: judges favour what they would have written themselves",
        )
    return name, card
