"""A flow, or a release of it, measured on the flow's golden set; the run is kept, reported and tracked."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from genaiops.delivery.casework import Subjected, measures_of, spread_results, work_on
from genaiops.delivery.golden_parts import count_look, measured_part
from genaiops.errors import ConfigurationError, GenaiopsError, NotFound
from genaiops.evaluation import Run, Subject
from genaiops.evaluation.loop import run_of
from genaiops.evaluation.passports import Shelf
from genaiops.evaluation.stopping import Asking
from genaiops.evaluation.working import silent
from genaiops.files import check_name, locked, write_durably
from genaiops.flow import Flow
from genaiops.flow.pipeline import Served
from genaiops.golden_sets import check
from genaiops.project import Project
from genaiops.records import Unscored, Verdict, digest_of

if TYPE_CHECKING:
    from genaiops.evaluation.records import CaseResult, Measure
    from genaiops.evaluation.scale import Scale
    from genaiops.evaluation.stopping import Until
    from genaiops.flow import Pipeline

EvaluationProgress = Callable[[str, int, int], None]  # what, done, total
REPORT_FILE = "report.html"
KEPT_RUNS = 2  # of one state: the newest, and one to compare it with


@dataclass(frozen=True, slots=True)
class Evaluated:
    """A run, its folder, and the id of its MLflow run ("" when tracking is off, or failed as `untracked` says)."""

    run: Run
    folder: Path
    tracked: str = ""
    untracked: GenaiopsError | None = None

    @property
    def report(self) -> Path:
        return self.folder / REPORT_FILE


def evaluate_flow(
    flow: Flow,
    *,
    progress: EvaluationProgress | None = None,
    engine: str = "local",
    repeats: int = 0,
    until: Until | None = None,
) -> Evaluated:
    """Measure the flow as it stands on its golden set and keep the run; `engine` is `local` or `ray`.

    Each question is asked `repeats` times; 0: as often as flow.yaml says. `until` stops the asking early; such a run
    is kept, but never found again as the run of this state, and neither is one in which the model or a judge failed.

    What an earlier evaluation of the same content found is taken over as `evaluation.reuse` permits. Raises
    GoldenSetError when a quote is in none of the index's documents (unless `evaluation.missing_evidence` is
    `count`), NotBuilt without an index.
    """
    served = flow.served

    def opened() -> Pipeline:
        pipeline = flow.pipeline
        return pipeline if pipeline.served == served else flow.pipeline_of(served.index)

    return _evaluate(Subjected(flow, served, opened), progress, engine, _asking(flow, repeats, until))


def evaluate_release(
    flow: Flow, pipeline: Pipeline, *, progress: EvaluationProgress | None = None, engine: str = "local"
) -> Evaluated:
    """Measure a release (opened with `open_release`) on the flow's present golden set."""
    subject = Subjected(flow, pipeline.served, lambda: pipeline, pipeline.release)
    return _evaluate(subject, progress, engine, _asking(flow, 0, None))


def _asking(flow: Flow, repeats: int, until: Until | None) -> Asking:
    settings = flow.settings.evaluation
    return Asking(repeats or settings.repeats, until, settings.seed)


def _evaluate(subject: Subjected, progress: EvaluationProgress | None, engine: str, asking: Asking) -> Evaluated:
    # A run that is written while a document is erased would bring it back.
    with locked(subject.flow.project.lock, shared=True, what="cleans up or erases"):
        return _evaluated(subject, progress, engine, asking)


def _evaluated(subject: Subjected, progress: EvaluationProgress | None, engine: str, asking: Asking) -> Evaluated:
    from genaiops.indexing.snapshot import read_documents_of

    flow, served, settings = subject.flow, subject.served, subject.flow.settings.evaluation
    golden, part = measured_part(flow)
    documents = read_documents_of(flow.project.indexes / served.index)
    if settings.missing_evidence == "refuse":
        check(golden, documents)
    # Asked again is asked for the difference: nothing of it may come from a cache.
    anew = asking.repeats > 1
    measures = measures_of(flow, served, anew=anew)
    if engine != "local" and (asking.repeats > 1 or asking.until is not None):
        raise ConfigurationError(
            f"--engine {engine} asks every question once", remedy="leave --engine, --repeat or --sequential away"
        )
    work = work_on(subject, measures, code=code_digest(), anew=anew)
    if engine == "local":
        work.ask.prepare(case.question for case in golden)
        results = asking.results(work.cases, golden.cases, workers=settings.workers, report=progress or silent)
    else:
        results = spread_results(subject, golden.cases, engine, code=code_digest(), report=progress or silent)
    shelf, said = Shelf(flow.project.passports), subject_of(served, flow)
    run = run_of(results, golden, measures, subject=said, seed=settings.seed, passports=shelf, repeats=asking.repeats)
    run = count_look(flow, run, part)
    folder = run.save(flow.project.runs)
    # An outage, or a part of the set, is no evidence to come back to.
    if not run.not_asked and not any(_met_an_outage(result) for result in run.results):
        pointer = _pointer(flow, served, golden.digest, measures, run.repeats)
        write_durably(pointer, json.dumps({"runs": [run.id, *_runs_named(pointer)][:KEPT_RUNS]}))
    return publish(flow.project, Evaluated(run, folder))


def _met_an_outage(result: CaseResult) -> bool:
    """Of the model that answers, or of a judge, in any repeat."""
    outcomes = result.outcomes.values()
    return bool(result.error) or any(isinstance(one, Unscored) and one.outage for one in outcomes)


def subject_of(served: Served, flow: Flow) -> Subject:
    """What was evaluated: the digests a release is compared by, and every setting."""
    digests = {"flow": served.digest, "prompt": served.prompt.digest, "index": served.index}
    settings = {**served.to_json(), "evaluation": flow.settings.evaluation.model_dump(mode="json")}
    return Subject(served.flow, digests, settings)


def find_evaluation(flow: Flow, served: Served, *, other_than: str = "", repeats: int = 0) -> Run | None:
    """The newest kept run of exactly this on the present golden set, with today's code, measures and judges.

    `other_than` is the id of a run that does not count. Each question was asked `repeats`
    times; 0: as often as flow.yaml says. A run of another part of a divided golden set does
    not count, even with the same cases: what is a look at the holdout is counted by part.
    """
    golden, part = measured_part(flow)
    times, measures = repeats or flow.settings.evaluation.repeats, measures_of(flow, served)
    judges = {str(measure): measure.judge for measure in measures if measure.judge}
    for name in _runs_named(_pointer(flow, served, golden.digest, measures, times)):
        try:
            run = Run.load(flow.project.runs / check_name(name, "run"))
        except (NotFound, ConfigurationError):
            continue
        # A pointer is only a hint: what the run says of itself counts.
        is_it = (
            run.subject.digests.get("flow") == served.digest
            and run.golden_set_digest == golden.digest
            and (dict(run.judges), set(run.scales)) == (judges, {str(measure) for measure in measures})
            and (run.repeats, run.part) == (times, part)
            and not run.not_asked
        )
        if is_it and run.id != other_than:
            return run
    return None


def _runs_named(pointer: Path) -> list[str]:
    """Ids in a pointer file, newest first; none when there is no such file or it cannot be understood."""
    try:
        return [str(name) for name in json.loads(pointer.read_text(encoding="utf-8"))["runs"]]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def publish(project: Project, evaluated: Evaluated, *, verdict: Verdict | None = None) -> Evaluated:
    """The HTML report beside a run that was saved, and the run in MLflow, unless the project's `tracking` is none.

    No other run's answers stand in that report: what is erased with its run would live on in it.
    """
    return track_run(project, evaluated, write_report(evaluated, verdict=verdict))


def track_run(project: Project, evaluated: Evaluated, report: str) -> Evaluated:
    """A run that was saved in MLflow, with the HTML of its report, unless the project's `tracking` is none.

    A store that cannot be used takes no answer and no verdict from whoever waits for them: `untracked` says why.
    """
    try:
        return replace(evaluated, tracked=_tracked(project, evaluated.run, report))
    except GenaiopsError as error:
        return replace(evaluated, untracked=error)


def write_report(
    evaluated: Evaluated, *, baseline: Run | None = None, variants: Sequence[Run] = (), verdict: Verdict | None = None
) -> str:
    """Write the run's HTML report beside it and return the HTML."""
    from genaiops.evaluation.reports import html_report

    html = html_report(evaluated.run, baseline=baseline, variants=variants, verdict=verdict)
    write_durably(evaluated.report, html)
    return html


def judges_and_scales(flow: Flow, served: Served) -> tuple[dict[str, str], dict[str, Scale]]:
    """What a run of the flow would say of its measures, before there is one: Run.judges and Run.scales."""
    from genaiops.evaluation.scoring import scales_of

    measures = measures_of(flow, served)
    return {str(m): m.judge for m in measures if m.judge}, dict(scales_of(measures))


def _pointer(flow: Flow, served: Served, golden_digest: str, measures: Sequence[Measure], repeats: int) -> Path:
    """Where the newest run of this subject, golden set, judges, settings and code is named."""
    judged = [[str(measure), measure.judge] for measure in measures]
    settings = flow.settings.evaluation
    asked = [settings.seed, settings.workers, settings.wrong_below, repeats]
    key = digest_of([served.digest, golden_digest, judged, asked, code_digest()])
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
