"""The column names of other tools, read as ours: ragas, DeepEval, MLflow, LangSmith, Azure's evaluators.

A format maps our columns to those of a tool. Which format a file has is told by its columns; where they fit two
formats equally well nothing is guessed.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from genaiops.errors import ConfigurationError
from genaiops.evaluation.operational import FACTS as NUMBERS
from genaiops.evaluation.row_values import expectation, model_input, model_output, several, texts

Raw = Mapping[str, Any]
FACTS = (*NUMBERS, "probabilities", "forbidden")  # columns that every format may have besides its own


@dataclass(frozen=True, slots=True)
class RowFormat:
    """`columns` maps question, answer, contexts and reference to the tool's columns, the first that is there counts.

    `readers` turn a column's value into ours, where it is not one already.
    """

    name: str
    columns: Mapping[str, Sequence[str]]
    readers: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)

    def column(self, key: str, present: Collection[str]) -> str:
        """The tool's column for one of ours: the first that is present, else the first."""
        names = self.columns.get(key, (key,))
        return next((name for name in names if name in present), names[0])

    @property
    def all_columns(self) -> set[str]:
        return {name for names in self.columns.values() for name in names}

    def has_pair(self, present: Collection[str], *, answered: bool) -> bool:
        """Whether question and answer (only the question, if not `answered`) are there."""
        keys = ("question", "answer") if answered else ("question",)
        return all(any(name in present for name in self.columns[key]) for key in keys)

    def read(self, raw: Raw) -> dict[str, Any]:
        """A row in our columns; ValueError, with the tool's column in front, for a value that is of another kind."""
        found: dict[str, Any] = {}
        for key in self.columns:
            name = self.column(key, raw)
            if name not in raw:
                continue
            try:
                value = self.readers[key](raw[name]) if key in self.readers else raw[name]
            except ValueError as error:
                raise ValueError(f"{name} {error}") from None
            found[key] = value
        if "contexts" not in found and self.name in ("mlflow", "langsmith"):
            found["contexts"] = _contexts_within(raw)
        return found


def _contexts_within(raw: Raw) -> list[str]:
    """Contexts that an application returned beside its answer, or was given beside its question."""
    for part in (raw.get("outputs"), raw.get("inputs")):
        if isinstance(part, Mapping):
            for name in ("contexts", "retrieved_contexts", "retrieved_context", "documents", "sources", "context"):
                if name in part:
                    return texts(part[name])
    return []


_OWN = {"question": ("question",), "answer": ("answer",), "contexts": ("contexts",),
        "reference": ("reference", "ground_truth")}  # fmt: skip
OWN = RowFormat("genaiops", _OWN)
FORMATS: dict[str, RowFormat] = {
    each.name: each
    for each in (
        OWN,
        RowFormat(
            "ragas",
            {"question": ("user_input",), "answer": ("response",), "contexts": ("retrieved_contexts",),
             "reference": ("reference",)},
            {"question": model_input},
        ),
        RowFormat(
            "deepeval",
            {"question": ("input",), "answer": ("actual_output",), "contexts": ("retrieval_context", "context"),
             "reference": ("expected_output",)},
        ),
        RowFormat(
            "mlflow",
            {"question": ("inputs",), "answer": ("outputs",), "contexts": ("retrieved_contexts",),
             "reference": ("expectations",)},
            {"question": model_input, "answer": model_output, "reference": expectation},
        ),
        RowFormat(
            "langsmith",
            {"question": ("inputs",), "answer": ("outputs",), "contexts": ("retrieved_contexts",),
             "reference": ("reference_outputs",)},
            {"question": model_input, "answer": model_output, "reference": expectation},
        ),
        RowFormat(
            "azure",
            {"question": ("query",), "answer": ("response",), "contexts": ("context",), "reference": ("ground_truth",)},
            {"question": model_input, "answer": model_output, "contexts": several},
        ),
    )
}  # fmt: skip


def format_named(name: str) -> RowFormat:
    """The format of that name; ConfigurationError with the list."""
    if name not in FORMATS:
        close = difflib.get_close_matches(name, FORMATS, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise ConfigurationError(f"unknown format {name!r}{hint}", remedy=f"formats: {', '.join(FORMATS)}")
    return FORMATS[name]


def format_of(columns: Collection[str], *, answered: bool = True) -> RowFormat:
    """The format whose columns these are; `answered` is False for a file of questions only.

    Our own wins where its columns are there: others are then the application's. Raises ConfigurationError where no
    format fits, or several fit equally well.
    """
    fitting = [each for each in FORMATS.values() if each.has_pair(columns, answered=answered)]
    if OWN in fitting:
        return OWN
    if not fitting:
        # The nearest, so that the fault can be told in its words.
        fitting = [each for each in FORMATS.values() if each.all_columns & set(columns)]
    sizes = {each.name: len(each.all_columns & set(columns)) for each in fitting}
    best = [each for each in fitting if sizes[each.name] == max(sizes.values())]
    if len(best) == 1:
        return best[0]
    shown = ", ".join(sorted(columns)[:20]) or "none"
    known = "\n    ".join(f"{each.name}: {', '.join(names[0] for names in each.columns.values())}" for each in
                          FORMATS.values())  # fmt: skip
    if not best:
        raise ConfigurationError(f"no known format has these columns: {shown}", remedy=f"known:\n    {known}")
    names = [each.name for each in best]
    raise ConfigurationError(
        f"the columns {shown} fit {' and '.join(names)} equally well", remedy=f"say which: --format {names[0]}"
    )
