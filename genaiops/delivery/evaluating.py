"""A flow, or a release of it, measured on the flow's golden set; the run is kept, reported and tracked."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from genaiops.errors import ConfigurationError, NotFound
from genaiops.evaluation import Run, Subject, evaluate
from genaiops.evaluation.measures import measures_named
from genaiops.files import check_name, locked, write_durably
from genaiops.flow import Flow
from genaiops.flow.pipeline import Served
from genaiops.golden_sets import GoldenSet, check
from genaiops.project import Project
from genaiops.records import Verdict, digest_of

if TYPE_CHECKING:
    from genaiops.evaluation.records import Measure, Scale
    from genaiops.evaluation.stopping import Until
    from genaiops.flow import Pipeline

EvaluationProgress = Callable[[str, int, int], None]  # what, done, total
REPORT_FILE = "report.html"
KEPT_RUNS = 2  # of one state: the newest, and one to compare it with


@dataclass(frozen=True, slots=True)
class Evaluated:
    """A run, its folder, and the id of its MLflow run ("" when tracking is off)."""

    run: Run
    folder: Path
    tracked: str = ""

    @property
    def report(self) -> Path:
        return self.folder / REPORT_FILE


def evaluate_flow(
    flow: Flow, *, repeats: int = 0, until: Until | None = None, progress: EvaluationProgress | None = None
) -> Evaluated:
    """Measure the flow as it stands on its golden set and keep the run.

    Each question is asked `repeats` times; 0: as often as flow.yaml says. `until` stops
    the asking early; such a run is kept, but never found again as the run of this state.

    Raises GoldenSetError when a quote is in none of the index's documents, NotBuilt without an index.
    """
    return _evaluate(flow, flow.pipeline, progress, repeats, until)


def evaluate_release(flow: Flow, pipeline: Pipeline, *, progress: EvaluationProgress | None = None) -> Evaluated:
    """Measure a release (opened with `open_release`) on the flow's present golden set."""
    return _evaluate(flow, pipeline, progress)


def _evaluate(
    flow: Flow,
    pipeline: Pipeline,
    progress: EvaluationProgress | None,
    repeats: int = 0,
    until: Until | None = None,
) -> Evaluated:
    # A run that is written while a document is erased would bring it back.
    with locked(flow.project.lock, shared=True, what="cleans up or erases"):
        return _evaluated(flow, pipeline, progress, repeats, until)


def _evaluated(
    flow: Flow, pipeline: Pipeline, progress: EvaluationProgress | None, repeats: int, until: Until | None
) -> Evaluated:
    from genaiops.indexing.snapshot import read_documents_of

    golden = GoldenSet.load(flow.golden_set_path)
    check(golden, read_documents_of(flow.project.indexes / pipeline.served.index))
    settings = flow.settings.evaluation
    measures = _measures(flow)
    pipeline.search(golden.cases[0].question, 1)  # the model is loaded now, so that no latency holds it
    run = evaluate(
        pipeline.ask,
        golden,
        measures=measures,
        subject=subject_of(pipeline.served, flow),
        seed=settings.seed,
        workers=settings.workers,
        repeats=repeats or settings.repeats,
        until=until,
        progress=progress,
    )
    folder = run.save(flow.project.runs)
    # An outage, or a part of the set, is no evidence to come back to.
    if not run.not_asked and not any(result.error for result in run.results):
        pointer = _pointer(flow, pipeline.served, golden.digest, measures, run.repeats)
        write_durably(pointer, json.dumps({"runs": [run.id, *_runs_named(pointer)][:KEPT_RUNS]}))
    evaluated = Evaluated(run, folder)
    report = write_report(evaluated)
    return Evaluated(run, folder, _tracked(flow.project, run, report))


def subject_of(served: Served, flow: Flow) -> Subject:
    """What was evaluated: the digests a release is compared by, and every setting."""
    digests = {"flow": served.digest, "prompt": served.prompt.digest, "index": served.index}
    settings = {**served.to_json(), "evaluation": flow.settings.evaluation.model_dump(mode="json")}
    return Subject(served.flow, digests, settings)


def find_evaluation(flow: Flow, served: Served, *, other_than: str = "", repeats: int = 0) -> Run | None:
    """The newest kept run of exactly this on the present golden set, with today's code, measures and judges.

    `other_than` is the id of a run that does not count. Each question was asked `repeats`
    times; 0: as often as flow.yaml says.
    """
    golden = GoldenSet.load(flow.golden_set_path)
    times = repeats or flow.settings.evaluation.repeats
    for name in _runs_named(_pointer(flow, served, golden.digest, _measures(flow), times)):
        try:
            run = Run.load(flow.project.runs / check_name(name, "run"))
        except (NotFound, ConfigurationError):
            continue
        # A pointer is only a hint: what the run says of itself counts.
        is_it = run.subject.digests.get("flow") == served.digest and run.golden_set_digest == golden.digest
        if is_it and run.id != other_than:
            return run
    return None


def _runs_named(pointer: Path) -> list[str]:
    """Ids in a pointer file, newest first; none when there is no such file or it cannot be understood."""
    try:
        return [str(name) for name in json.loads(pointer.read_text(encoding="utf-8"))["runs"]]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def write_report(
    evaluated: Evaluated, *, baseline: Run | None = None, variants: Sequence[Run] = (), verdict: Verdict | None = None
) -> str:
    """Write the run's HTML report beside it and return the HTML."""
    from genaiops.evaluation.reports import html_report

    html = html_report(evaluated.run, baseline=baseline, variants=variants, verdict=verdict)
    write_durably(evaluated.report, html)
    return html


def _measures(flow: Flow) -> Sequence[Measure]:
    # The judges embed the same sentences of the same chunks for one measure after another, and for every variant.
    from genaiops.embedding.cache import VectorCache
    from genaiops.embedding.loading import CachedEmbedder

    embedder = CachedEmbedder(flow.embedder, VectorCache(flow.project.cache))
    return measures_named(flow.settings.evaluation.measures, embedder=embedder)


def judges_and_scales(flow: Flow) -> tuple[dict[str, str], dict[str, Scale]]:
    """What a run of the flow would say of its measures, before there is one: Run.judges and Run.scales."""
    from genaiops.evaluation.scoring import scales_of

    measures = _measures(flow)
    return {str(m): m.judge for m in measures if m.judge}, dict(scales_of(measures))


def _pointer(flow: Flow, served: Served, golden_digest: str, measures: Sequence[Measure], repeats: int) -> Path:
    """Where the newest run of this subject, golden set, judges, settings and code is named."""
    judged = [[str(measure), measure.judge] for measure in measures]
    settings = flow.settings.evaluation
    key = digest_of([served.digest, golden_digest, judged, settings.seed, settings.workers, repeats, code_digest()])
    return flow.project.home / "evaluations" / f"{key[:32]}.json"


@cache
def code_digest() -> str:
    """sha256 over this package's own source files: other code may answer or measure otherwise."""
    package = Path(__file__).resolve().parents[1]
    found = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        found.update(f"{path.relative_to(package).as_posix()}\n".encode() + path.read_bytes())
    return found.hexdigest()


def _tracked(project: Project, run: Run, report: str) -> str:
    """The id of the MLflow run; "" when tracking is off."""
    if project.settings.tracking == "none":
        return ""
    from genaiops.evaluation.tracking import track

    local = project.home / "mlflow"
    uri = f"sqlite:///{local / 'mlflow.db'}" if project.settings.tracking == "local" else project.settings.tracking
    return track(run, {REPORT_FILE: report}, uri=uri, experiment=run.subject.flow or "genaiops")
