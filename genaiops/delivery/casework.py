"""The work of one evaluation: what asks, what judges, what says of wrong answers where they were lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from genaiops.delivery.judge_tools import tools_of
from genaiops.delivery.reusing import ReusingAsk, check_reuse
from genaiops.delivery.tracing import FlowTrace, KeptAttribution
from genaiops.errors import ConfigurationError
from genaiops.evaluation.judged import KeptOutcomes
from genaiops.evaluation.kept import KeptResults
from genaiops.evaluation.measures import in_unit_interval, measures_named
from genaiops.evaluation.records import CaseResult
from genaiops.evaluation.waterfall import WRONG_BELOW
from genaiops.evaluation.working import CaseWork, Progress
from genaiops.flow import Flow
from genaiops.flow.pipeline import Served
from genaiops.flow.settings import Effective
from genaiops.project import Project
from genaiops.records import Case

if TYPE_CHECKING:
    from genaiops.evaluation.records import Measure
    from genaiops.flow import Pipeline

_BLOCK = 8  # cases that a worker takes at once


@dataclass(frozen=True, slots=True)
class Subjected:
    """What is evaluated, on whose golden set: `opened` opens what `served` describes. `release` names one, or is ""."""

    flow: Flow
    served: Served
    opened: Callable[[], Pipeline]
    release: str = ""


@dataclass(frozen=True, slots=True)
class Work:
    """The work on cases, and the asking part of it, which can be made ready."""

    ask: ReusingAsk
    cases: CaseWork


def work_on(subject: Subjected, measures: Sequence[Measure], *, code: str, anew: bool = False) -> Work:
    """The work of an evaluation; `code` is the digest of the code that does it. Raises ConfigurationError.

    `anew`: nothing is taken over from earlier evaluations, as where each question is asked again.
    """
    flow, served = subject.flow, subject.served
    reuse = "none" if anew else flow.settings.evaluation.reuse
    check_reuse(reuse, served)
    kept = KeptResults(None if reuse == "none" else flow.project.cache)
    ask = ReusingAsk(served, subject.opened, kept, reuse, code, subject.release)
    below = wrong_below(flow, measures)
    attribute = KeptAttribution(FlowTrace.of(flow, ask.open), below, kept, f"{code} {served.digest}")
    return Work(ask, CaseWork(ask, measures, attribute, KeptOutcomes(kept, code, active=reuse != "none")))


def wrong_below(flow: Flow, measures: Sequence[Measure]) -> Mapping[str, float]:
    """The flow's `evaluation.wrong_below`. ConfigurationError for what is not measured or not in [0, 1]."""
    given = flow.settings.evaluation.wrong_below
    if given is None:
        return WRONG_BELOW
    names = [str(measure) for measure in measures]
    for name, bound in given.items():
        if name not in names:
            raise ConfigurationError(
                f"evaluation.wrong_below names {name!r}, which is not measured",
                remedy=f"evaluation.measures has {', '.join(names)}",
            )
        if not in_unit_interval(name) or not 0 <= bound <= 1:
            raise ConfigurationError(
                f"evaluation.wrong_below: {name}: {bound:g} is no bound; values and bound must lie in [0, 1]"
            )
    return given


def measures_of(flow: Flow, served: Served, *, anew: bool = False) -> Sequence[Measure]:
    """The flow's measures, ready to score; `anew` as for `work_on`."""
    # The judges embed the same sentences of the same chunks for one measure after another, and for every variant.
    from genaiops.embedding.cache import VectorCache
    from genaiops.embedding.loading import CachedEmbedder

    embedder = CachedEmbedder(flow.embedder, VectorCache(flow.project.cache))
    return measures_named(flow.settings.evaluation.measures, tools=tools_of(flow, served, embedder, anew=anew))


# --- on the workers of an engine ----------------------------------------------------


@dataclass(frozen=True, slots=True)
class SpreadWork:
    """The same work in another process, which opens the flow (or the release) for itself, once.

    Workers share the project's folder, and with it the index and the cache.
    """

    folder: Path
    effective: Effective
    project: Project
    served: Served
    release: str
    code: str

    def __call__(self, block: Sequence[Case]) -> list[CaseResult]:
        key = f"{self.code} {self.served.digest} {self.release} {self.effective.settings.model_dump_json()}"
        if key not in _OPENED:
            _OPENED[key] = self._opened()
        return list(_OPENED[key].cases.results(block))

    def _opened(self) -> Work:
        flow = Flow(self.folder, self.effective, self.project)

        def pipeline() -> Pipeline:
            return Flow.from_release(self.served.to_json(), self.project, release=self.release)

        return work_on(
            Subjected(flow, self.served, pipeline, self.release), measures_of(flow, self.served), code=self.code
        )


_OPENED: dict[str, Work] = {}  # of this process


def spread_results(
    subject: Subjected, cases: Sequence[Case], engine: str, *, code: str, report: Progress
) -> tuple[CaseResult, ...]:
    """One result for each case, in order, from the workers of the engine of that name. Raises as engines do."""
    from genaiops.flow.engines import engine_named

    flow = subject.flow
    subject.opened()  # what cannot be opened is said once, here, and not for every question
    effective = Effective(flow.settings, flow.origins)
    work = SpreadWork(flow.folder, effective, flow.project, subject.served, subject.release, code)

    def blocks() -> Iterator[Sequence[Case]]:
        for at in range(0, len(cases), _BLOCK):
            yield cases[at : at + _BLOCK]

    results: list[CaseResult] = []
    for found in engine_named(engine).map(work, blocks()):
        results += found
        report("ask", len(results), len(cases))
    return tuple(results)
