"""Metrics of ragas: the classes of `ragas.metrics.collections`, with our client as their model."""

from __future__ import annotations

import inspect
import re
import warnings
from collections.abc import Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from genaiops.evaluation.adapters.adapted import AdaptedMeasure, fields_of, on_background_loop, unknown_metric
from genaiops.evaluation.adapters.structured import structured
from genaiops.evaluation.llm_judges import llm_judge_of
from genaiops.evaluation.llm_judges.calling import Caller
from genaiops.evaluation.records import Sample
from genaiops.evaluation.tools import Tools

if TYPE_CHECKING:
    from genaiops.embedding import Embedder

# What ragas calls the parts of a sample.
_FIELDS = {"user_input": "question", "response": "answer", "retrieved_contexts": "contexts", "reference": "reference"}
_NOT_OURS = ("Agent", "MultiModal")  # they read conversations, and fetch the addresses that they find in contexts
_LOWER = ("noise_sensitivity",)  # of which less is better
_NAME = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def measure(name: str, tools: Tools) -> AdaptedMeasure:
    """`ragas:<name>`, named in snake case as ragas does: faithfulness, answer_relevancy, context_recall …"""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what ragas imports
        from ragas.metrics import collections

        known = _known(collections)
        if name not in known:
            raise unknown_metric("ragas", name, known)
        group = llm_judge_of(tools)
        made = known[name](**_parts(known[name], group.caller, tools))
    metric = _Ragas(made, _needs(known[name]), _vectors(known[name], tools))
    return AdaptedMeasure(f"ragas:{name}", metric, group, on_background_loop, lower_is_better=name in _LOWER)


class _Ragas:
    """One metric object of ragas; it keeps nothing between samples."""

    def __init__(self, metric: Any, needs: Mapping[str, str], vectors: str = "") -> None:
        """`vectors` names the embedder behind a metric that compares vectors."""
        self.version = f"ragas {version('ragas')}{vectors and f' {vectors}'}"
        self.needs = tuple(needs.values())
        self.unit_interval = tuple(getattr(metric, "allowed_values", ())) == (0.0, 1.0)
        self._metric, self._names = metric, needs

    async def value(self, sample: Sample) -> float:
        fields = fields_of(sample)
        result = await self._metric.ascore(**{theirs: fields[ours] for theirs, ours in self._names.items()})
        return float(result.value)


def _known(collections: Any) -> dict[str, Any]:
    """Name → class of the metrics that ask for nothing but what a sample has."""
    found = {}
    for written in collections.__all__:
        kind = getattr(collections, written)
        if inspect.isclass(kind) and issubclass(kind, collections.BaseMetric) and not written.startswith(_NOT_OURS):
            names = _required(kind)
            if names and all(each in _FIELDS for each in names) and _parts(kind, None, Tools()) is not None:
                found[_NAME.sub("_", written).lower()] = kind
    return found


def _required(kind: Any) -> list[str]:
    wanted = inspect.signature(kind.ascore).parameters.values()
    return [each.name for each in wanted if each.name != "self" and each.default is each.empty]


def _needs(kind: Any) -> dict[str, str]:
    parameters = inspect.signature(kind.ascore).parameters
    return {name: ours for name, ours in _FIELDS.items() if name in parameters}


def _parts(kind: Any, caller: Caller | None, tools: Tools) -> Any:
    """What the constructor is given: a model, an embedder. None when it needs something else."""
    parts: dict[str, Any] = {}
    for name, parameter in inspect.signature(kind.__init__).parameters.items():
        if name == "llm":
            parts[name] = None if caller is None else _model(caller)
        elif name == "embeddings":
            parts[name] = None if caller is None else _embeddings(tools)
        elif (
            name != "self"
            and parameter.default is parameter.empty
            and parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)
        ):
            return None
    return parts


def _vectors(kind: Any, tools: Tools) -> str:
    """Fingerprint and precision of the embedder that a metric is given; "" where it is given none."""
    if "embeddings" not in inspect.signature(kind.__init__).parameters:
        return ""
    embedder = _embedder(tools)
    return f"{embedder.fingerprint} {getattr(embedder, 'precision', '')}".rstrip()


def _embedder(tools: Tools) -> Embedder:
    from genaiops.embedding import default_embedder

    return tools.embedder or default_embedder()


def _model(caller: Caller) -> Any:
    from ragas.llms.base import InstructorBaseRagasLLM

    class Model(InstructorBaseRagasLLM):  # type: ignore[misc]
        """ragas' model, asked through our client."""

        def generate(self, prompt: str, response_model: Any) -> Any:
            raise NotImplementedError("asked on the event loop only")

        async def agenerate(self, prompt: str, response_model: Any) -> Any:
            return await structured(caller, prompt, response_model)

    return Model()


def _embeddings(tools: Tools) -> Any:
    from ragas.embeddings.base import BaseRagasEmbedding

    embedder = _embedder(tools)

    class Embeddings(BaseRagasEmbedding):  # type: ignore[misc]
        """ragas' embeddings, made by our embedder."""

        def embed_text(self, text: str, **kwargs: Any) -> list[float]:
            return [float(value) for value in embedder.embed([text])[0]]

        async def aembed_text(self, text: str, **kwargs: Any) -> list[float]:
            return self.embed_text(text)

    return Embeddings()
