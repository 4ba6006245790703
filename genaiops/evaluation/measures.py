"""Every measure there is, by the name that configuration, reports and gates use."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from genaiops.errors import ConfigurationError
from genaiops.evaluation.operational import OPERATIONAL
from genaiops.evaluation.records import Measure
from genaiops.evaluation.retrieval_measures import FORMULAS, RetrievalMeasure
from genaiops.evaluation.text_measures import ReferenceMeasure, RefusalMeasure, exact_match, token_f1

if TYPE_CHECKING:
    from genaiops.embedding import Embedder

LARGEST_CUTOFF = 1000

# A fixed name, or a name with a cutoff: what stands before "@".
MEASURES: dict[str, Measure] = {
    "exact_match": ReferenceMeasure("exact_match", exact_match),
    "token_f1": ReferenceMeasure("token_f1", token_f1),
    "refusal": RefusalMeasure(wants_answer=False),
    "answered": RefusalMeasure(wants_answer=True),
    **OPERATIONAL,
}
WITH_CUTOFF: dict[str, Callable[[int], Measure]] = {formula: partial(RetrievalMeasure, formula) for formula in FORMULAS}
JUDGED = ("groundedness", "relevance", "completeness", "utilization")  # genaiops.evaluation.judges makes them

DEFAULT_MEASURES = ("recall@6", "ndcg@10", *JUDGED, "refusal", "answered", "latency_s")

_CUTOFF = re.compile(r"([a-z_]+)@([1-9][0-9]{0,3})")


def known_measures() -> list[str]:
    """The names a user may write, with `@k` where a cutoff goes."""
    return [*(f"{name}@k" for name in WITH_CUTOFF), *JUDGED, *MEASURES]


def in_unit_interval(name: str) -> bool:
    """Whether `name` is a known measure whose values are in [0, 1]."""
    base = name.partition("@")[0]
    return base in WITH_CUTOFF or base in JUDGED or (base in MEASURES and MEASURES[base].unit_interval)


def measure_named(name: str, *, embedder: Embedder | None = None) -> Measure:
    """The measure whose printed form is `name`.

    A judge uses `embedder`, or else the default one, which is loaded only now. Raises
    ConfigurationError for an unknown name, with the closest known one and the list.
    """
    if name in MEASURES:
        return MEASURES[name]
    match = _CUTOFF.fullmatch(name)
    if match and match[1] in WITH_CUTOFF and int(match[2]) <= LARGEST_CUTOFF:
        return WITH_CUTOFF[match[1]](int(match[2]))
    if name in JUDGED:
        return _judge(name, embedder)
    raise _unknown(name)


def measures_named(wanted: Sequence[str | Measure], *, embedder: Embedder | None = None) -> list[Measure]:
    """Names looked up, measures kept; ConfigurationError when there is none, or one is there twice."""
    measures = [measure_named(item, embedder=embedder) if isinstance(item, str) else item for item in wanted]
    names = [str(measure) for measure in measures]
    if not names:
        raise ConfigurationError("no measure was asked for", remedy=f"known measures: {', '.join(known_measures())}")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigurationError(f"measure {twice[0]!r} is asked for twice")
    return measures


def _judge(name: str, embedder: Embedder | None) -> Measure:
    from genaiops.evaluation.judges import JUDGES  # judges need numpy and an embedder

    if embedder is None:
        from genaiops.embedding import default_embedder  # imports torch

        embedder = default_embedder()
    judge: Measure = JUDGES[name](embedder)
    return judge


def _unknown(name: str) -> ConfigurationError:
    known = known_measures()
    if name.startswith("ragas:"):
        return ConfigurationError(
            f"measure {name!r}: there is no adapter for ragas yet", remedy=f"known measures: {', '.join(known)}"
        )
    base, at, cutoff = name.partition("@")
    if base in WITH_CUTOFF:
        what = f"measure {name!r} needs a cutoff from 1 to {LARGEST_CUTOFF}, as in '{base}@6'"
        return ConfigurationError(what)
    if at and base in known:
        return ConfigurationError(f"measure {base!r} has no cutoff", remedy=f"write {base!r}")
    close = difflib.get_close_matches(base, [item.removesuffix("@k") for item in known], n=1)
    meant = f"{close[0]}{at}{cutoff}" if close and close[0] in WITH_CUTOFF else close[0] if close else ""
    hint = f"; did you mean {meant!r}?" if meant else ""
    return ConfigurationError(f"unknown measure {name!r}{hint}", remedy=f"known measures: {', '.join(known)}")
