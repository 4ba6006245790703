"""Every measure there is, by the name that configuration, reports and gates use."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from genaiops.errors import ConfigurationError
from genaiops.evaluation.classes import FIGURES
from genaiops.evaluation.classification import CLASSIFICATION_MEASURES, LabelMeasure, label_of
from genaiops.evaluation.operational import OPERATIONAL, quantile_measure
from genaiops.evaluation.records import Measure
from genaiops.evaluation.reference_measures import REFERENCE_MEASURES
from genaiops.evaluation.retrieval_measures import FORMULAS, RetrievalMeasure
from genaiops.evaluation.safety import Resisted
from genaiops.evaluation.text_measures import ReferenceMeasure, RefusalMeasure, exact_match, token_f1
from genaiops.evaluation.tools import Tools

if TYPE_CHECKING:
    from genaiops.embedding import Embedder

LARGEST_CUTOFF = 1000

# A fixed name, or a name with a cutoff: what stands before "@".
MEASURES: dict[str, Measure] = {
    "exact_match": ReferenceMeasure("exact_match", exact_match),
    "token_f1": ReferenceMeasure("token_f1", token_f1),
    **REFERENCE_MEASURES,
    **CLASSIFICATION_MEASURES,
    "refusal": RefusalMeasure(wants_answer=False),
    "answered": RefusalMeasure(wants_answer=True),
    "resisted": Resisted(),
    **OPERATIONAL,
}
WITH_CUTOFF: dict[str, Callable[[int], Measure]] = {formula: partial(RetrievalMeasure, formula) for formula in FORMULAS}
JUDGED = ("groundedness", "relevance", "completeness", "utilization")  # genaiops.evaluation.judges makes them
WITH_EMBEDDER = (  # made by _embedding, which imports numpy and needs an embedder
    *JUDGED, "semantic_similarity", "bertscore", "citation_precision", "citation_recall",
    "noise_sensitivity", "noise_sensitivity_relevant",
)  # fmt: skip

DEFAULT_MEASURES = ("recall@6", "ndcg@10", *JUDGED, "refusal", "answered", "latency_s")

_CUTOFF = re.compile(r"([a-z_]+)@([1-9][0-9]{0,3})")
_LABEL = re.compile(rf"({'|'.join(FIGURES)})_label@(\S+)")


def known_measures() -> list[str]:
    """The names a user may write, with `@k` where a cutoff goes, `@LABEL` for a label and NN for a percentile."""
    patterns = [*(f"{figure}_label@LABEL" for figure in FIGURES), "latency_pNN_s", "cost_usd_pNN", "total_tokens_pNN"]
    return [*(f"{name}@k" for name in WITH_CUTOFF), *WITH_EMBEDDER, *MEASURES, *patterns]


def in_unit_interval(name: str) -> bool:
    """Whether `name` is a known measure whose values are in [0, 1]."""
    if name in WITH_EMBEDDER:
        return True
    made = _plain(name)
    return made is not None and made.unit_interval


def measure_named(name: str, *, embedder: Embedder | None = None, tools: Tools | None = None) -> Measure:
    """The measure whose printed form is `name`; `prefix:name` is made by PROVIDERS[prefix].

    `embedder` stands for `Tools(embedder)`. What a measure needs is loaded only now, and
    only if it needs it. Raises ConfigurationError for an unknown name, with the closest
    known one and the list.
    """
    check_measures([name])
    tools = _with_embedder(tools or Tools(), embedder)
    if made := _plain(name):
        return made
    if name in WITH_EMBEDDER:
        return _embedding(name, tools)
    prefix, _, rest = name.partition(":")
    return PROVIDERS[prefix](rest, tools)


def measures_named(
    wanted: Sequence[str | Measure], *, embedder: Embedder | None = None, tools: Tools | None = None
) -> list[Measure]:
    """Names looked up, measures kept; ConfigurationError when there is none, or one is there twice."""
    check_measures([item for item in wanted if isinstance(item, str)])  # before the first embedder is loaded
    tools = _with_embedder(tools or Tools(), embedder)
    measures = [measure_named(item, tools=tools) if isinstance(item, str) else item for item in wanted]
    names = [str(measure) for measure in measures]
    if not names:
        raise ConfigurationError("no measure was asked for", remedy=f"known measures: {', '.join(known_measures())}")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigurationError(f"measure {twice[0]!r} is asked for twice")
    return measures


def check_measures(names: Iterable[str]) -> None:
    """Raise ConfigurationError for the first name that is no measure. Loads and makes nothing, spends nothing."""
    for name in names:
        prefix, colon, rest = name.partition(":")
        provided = bool(colon and rest.strip()) and prefix in PROVIDERS
        if not (provided or name in WITH_EMBEDDER or _plain(name)):
            raise _unknown(name)


def _plain(name: str) -> Measure | None:
    """The measure of this name that needs nothing but the answers; None when there is none."""
    if name in MEASURES:
        return MEASURES[name]
    match = _CUTOFF.fullmatch(name)
    if match and match[1] in WITH_CUTOFF and int(match[2]) <= LARGEST_CUTOFF:
        return WITH_CUTOFF[match[1]](int(match[2]))
    match = _LABEL.fullmatch(name)
    if match:
        return LabelMeasure(match[1], match[2]) if label_of(match[2]) == match[2] else None
    return quantile_measure(name)


def _embedding(name: str, tools: Tools) -> Measure:
    from genaiops.evaluation.judges import JUDGES  # judges need numpy and an embedder

    embedder = tools.embedder
    if embedder is None:
        from genaiops.embedding import default_embedder  # imports torch

        embedder = default_embedder()
    if name in JUDGES:
        judge: Measure = JUDGES[name](embedder)
        return judge
    if name in ("semantic_similarity", "bertscore"):
        from genaiops.evaluation.similarity import SIMILARITIES, Similarity

        return Similarity(name, embedder, SIMILARITIES[name])
    from genaiops.evaluation.citation_measures import CitationMeasure
    from genaiops.evaluation.noise import NoiseSensitivity

    groundedness: Measure = JUDGES["groundedness"](embedder)
    if name.startswith("citation_"):
        return CitationMeasure(name, groundedness)
    return NoiseSensitivity(name.endswith("_relevant"), groundedness)


def _with_embedder(tools: Tools, embedder: Embedder | None) -> Tools:
    return tools if embedder is None else replace(tools, embedder=embedder)


def _llm(name: str, tools: Tools) -> Measure:
    measure: Measure = _lazy("llm", name, "llm_judges").llm_measure(name, tools)
    return measure


def _adapted(prefix: str, name: str, tools: Tools) -> Measure:
    measure: Measure = _lazy(prefix, name, "adapters").adapter_measure(prefix, name, tools)
    return measure


def _lazy(prefix: str, name: str, module: str) -> Any:
    """A part of evaluation that is imported when its first measure is asked for."""
    path = f"genaiops.evaluation.{module}"
    try:
        return import_module(path)
    except ModuleNotFoundError as error:
        if error.name != path:
            raise
        what = f"measure {prefix + ':' + name!r}: this genaiops has no {module}"
        raise ConfigurationError(what, remedy=f"known measures: {', '.join(known_measures())}") from None


# What makes the measures whose names begin with `prefix:`; it gets the rest of the name.
PROVIDERS: dict[str, Callable[[str, Tools], Measure]] = {
    "llm": _llm,
    **{prefix: partial(_adapted, prefix) for prefix in ("ragas", "mlflow", "deepeval")},
}


def _unknown(name: str) -> ConfigurationError:
    known = known_measures()
    prefix, colon, rest = name.partition(":")
    if colon:
        what = (
            f"measure {name!r}: what follows {prefix!r} is missing" if prefix in PROVIDERS and not rest.strip() else ""
        )
        known_prefixes = ", ".join(f"{item}:…" for item in PROVIDERS)
        return ConfigurationError(what or f"unknown measure {name!r}", remedy=f"there are {known_prefixes}")
    base, at, cutoff = name.partition("@")
    if base.removesuffix("_label") in FIGURES and base.endswith("_label"):
        written = f"{base}@{label_of(cutoff) or 'LABEL'}"
        return ConfigurationError(f"measure {name!r} names no label as answers are read", remedy=f"write {written!r}")
    if base in WITH_CUTOFF:
        what = f"measure {name!r} needs a cutoff from 1 to {LARGEST_CUTOFF}, as in '{base}@6'"
        return ConfigurationError(what)
    if at and base in known:
        return ConfigurationError(f"measure {base!r} has no cutoff", remedy=f"write {base!r}")
    names = {item.removesuffix("@k").lower(): item.removesuffix("@k") for item in known}
    close = [names[item] for item in difflib.get_close_matches(base.lower(), names, n=1)]
    meant = f"{close[0]}{at}{cutoff}" if close and close[0] in WITH_CUTOFF else close[0] if close else ""
    hint = f"; did you mean {meant!r}?" if meant else ""
    return ConfigurationError(f"unknown measure {name!r}{hint}", remedy=f"known measures: {', '.join(known)}")
