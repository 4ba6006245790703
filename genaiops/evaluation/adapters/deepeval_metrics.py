"""Metrics of DeepEval: the classes of `deepeval.metrics` for single answers, with our client as their model."""

from __future__ import annotations

import inspect
import re
import warnings
from importlib import import_module
from importlib.metadata import version
from typing import Any

from genaiops.errors import ConfigurationError
from genaiops.evaluation.adapters.adapted import AdaptedMeasure, fields_of, on_background_loop, unknown_metric
from genaiops.evaluation.adapters.structured import plain, structured
from genaiops.evaluation.llm_judges import llm_judge_of
from genaiops.evaluation.llm_judges.calling import Caller
from genaiops.evaluation.records import Sample
from genaiops.evaluation.tools import Tools

# What DeepEval calls the parts of a sample.
_FIELDS = {
    "input": "question", "actual_output": "answer", "expected_output": "reference", "retrieval_context": "contexts",
    "context": "contexts",
}  # fmt: skip
_FIRST = 4  # since then more is better in every metric
_NOT_OURS = ("Agent", "Image", "Plan", "Step", "Task")  # they read traces of agents, and pictures
_NAME = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_GIVEN = ("model", "threshold", "include_reason", "async_mode")


def measure(name: str, tools: Tools) -> AdaptedMeasure:
    """`deepeval:<name>`, in snake case and without "metric": faithfulness, answer_relevancy, hallucination …"""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        metrics = import_module("deepeval.metrics")
        if int(version("deepeval").split(".")[0]) < _FIRST:
            what = f"measure 'deepeval:{name}' needs deepeval {_FIRST} or newer, {version('deepeval')} is installed"
            raise ConfigurationError(what, remedy="pip install --upgrade deepeval")
        known = _known(metrics)
        if name not in known:
            raise unknown_metric("deepeval", name, known)
        group = llm_judge_of(tools)
        metric = _DeepEval(known[name], _model(group.caller, group.name))
    return AdaptedMeasure(f"deepeval:{name}", metric, group, on_background_loop)


class _DeepEval:
    """One kind of metric; each sample gets an object of its own, because they keep their state."""

    unit_interval = True

    def __init__(self, kind: Any, model: Any) -> None:
        self.version = f"deepeval {version('deepeval')}"
        self.needs = tuple(dict.fromkeys(_FIELDS[_named(need)] for need in kind._required_params))
        self._kind, self._model = kind, model

    async def value(self, sample: Sample) -> float:
        test_case = import_module("deepeval.test_case")

        fields = fields_of(sample)
        given = {theirs: fields[ours] or None for theirs, ours in _FIELDS.items()}
        # Without a reason: it would be one more call, and nothing keeps it.
        wanted = inspect.signature(self._kind.__init__).parameters
        options = {"include_reason": False} if "include_reason" in wanted else {}
        if "model" in wanted:
            options["model"] = self._model
        metric = self._kind(**options)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            await metric.a_measure(test_case.LLMTestCase(**{**given, "input": sample.question}), _show_indicator=False)
        if metric.score is None:
            raise ValueError(getattr(metric, "error", None) or "no score")
        return float(metric.score)


def _known(metrics: Any) -> dict[str, Any]:
    """Name → class of the metrics that ask for nothing but what a sample has."""
    found = {}
    for written, kind in vars(metrics).items():
        needs = getattr(kind, "_required_params", None)
        if not needs or not inspect.isclass(kind) or not issubclass(kind, metrics.BaseMetric):
            continue
        if written.startswith(_NOT_OURS):
            continue
        parameters = list(inspect.signature(kind.__init__).parameters.values())[1:]
        free = all(each.default is not each.empty or each.name in _GIVEN for each in parameters)
        if free and all(_named(need) in _FIELDS for need in needs):
            found[_NAME.sub("_", written.removesuffix("Metric")).lower()] = kind
    return found


def _named(need: Any) -> str:
    return str(getattr(need, "value", need))


def _model(caller: Caller, name: str) -> Any:
    base: Any = import_module("deepeval.models").DeepEvalBaseLLM

    class Model(base):  # type: ignore[misc]
        """DeepEval's model, asked through our client."""

        def load_model(self, *args: Any, **kwargs: Any) -> Any:
            return self

        def get_model_name(self, *args: Any, **kwargs: Any) -> str:
            return name

        def generate(self, *args: Any, **kwargs: Any) -> Any:
            raise NotImplementedError("asked on the event loop only")

        async def a_generate(self, prompt: str, schema: Any = None, **kwargs: Any) -> Any:
            return await (plain(caller, prompt) if schema is None else structured(caller, prompt, schema))

    return Model(model=name)
