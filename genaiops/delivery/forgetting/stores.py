"""Run records and what follows them: which run measured what, and the copies that MLflow keeps."""

from __future__ import annotations

import json

from genaiops.delivery.evaluating import REPORT_FILE, Evaluated
from genaiops.delivery.forgetting.artefacts import Log, Replaced
from genaiops.delivery.forgetting.erasure import Erasure
from genaiops.delivery.forgetting.removing import holds_bytes
from genaiops.delivery.forgetting.runs import redacted
from genaiops.delivery.judged_runs import carry_verdict
from genaiops.delivery.receipts import Artefact
from genaiops.errors import GenaiopsError
from genaiops.evaluation.records import Run
from genaiops.evaluation.runs import list_runs
from genaiops.files import write_durably
from genaiops.project import Project


def issue_runs_again(project: Project, erasure: Erasure, replaced: Replaced, log: Log) -> None:
    """Write every run that holds something of the document without it, with a new report and the verdict it had."""
    for folder in list_runs(project.runs):
        try:
            run = Run.load(folder)
        except GenaiopsError:
            if holds_bytes(folder / "run.json", erasure):  # nobody can read it, and it cannot be written anew
                replaced.runs[folder.name] = ""
                log.tell(Artefact("run", folder.name, note="damaged, removed"))
            continue
        new = redacted(erasure, run)
        if new is run:
            continue
        replaced.runs[run.id] = "" if new is None else new.id
        log.tell(Artefact("run", run.id, replaced.runs[run.id], _difference(run, new)))
        if new is not None:
            carry_verdict(project, run, Evaluated(new, new.save(project.runs)))


def _difference(before: Run, after: Run | None) -> str:
    gone = len(before.results) - (0 if after is None else len(after.results))
    return f"{gone} of {len(before.results)} cases removed"


def move_evaluations(project: Project, replaced: Replaced, log: Log) -> None:
    """Let the hints of which run measured what follow the runs."""
    for path in sorted((project.home / "evaluations").glob("*.json")):
        try:
            runs = [str(name) for name in json.loads(path.read_bytes())["runs"]]
        except (OSError, ValueError, KeyError, TypeError):
            continue
        now = [replaced.runs.get(name, name) for name in runs]
        if now != runs:
            log.tell(Artefact("evaluation pointer", path.stem, path.stem))
            write_durably(path, json.dumps({"runs": [name for name in now if name]}))


def issue_tracked_again(project: Project, replaced: Replaced, log: Log) -> None:
    """Write the artifacts of MLflow's runs anew. Raises ConfigurationError when a store cannot be reached.

    The local store, which earlier settings may have filled, and the one that the settings name now.
    """
    local = project.home / "mlflow" / "mlflow.db"
    tracking = project.settings.tracking
    stores = [f"sqlite:///{local}"] if local.is_file() else []
    stores += [tracking] if tracking not in ("none", "local") else []
    if not stores or not replaced.runs:
        return
    from genaiops.evaluation.tracking import retrack

    for before, after in replaced.runs.items():
        new = Run.load(project.runs / after) if after else None
        report = (project.runs / after / REPORT_FILE).read_text(encoding="utf-8") if after else ""
        for uri in stores:
            for tracked in retrack(before, new, {REPORT_FILE: report}, uri=uri):
                log.tell(Artefact("MLflow run", tracked, tracked, "artifacts written anew"))
