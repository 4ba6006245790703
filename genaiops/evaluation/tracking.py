"""A run of ours as a run of MLflow's, so that a team finds it where it looks already.

MLflow is imported when `track` is called (about 1 to 3 seconds; the first call on a new
SQLite store makes its tables, 1 to 3 seconds more). Its telemetry stays off meanwhile,
and it opens no connection but to the store that was asked for.
"""

from __future__ import annotations

import json
import logging
import os
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genaiops.errors import ConfigurationError
from genaiops.evaluation.outcomes import outcome_to_json
from genaiops.evaluation.records import Run, SentenceVerdict
from genaiops.files import check_name
from genaiops.records import as_json, canonical_json

if TYPE_CHECKING:
    from mlflow import MlflowClient

CASES_FILE = "cases.json"
# MLflow 3.17's limits (mlflow.utils.validation).
LONGEST_KEY, LONGEST_PARAM, LONGEST_TAG, PARAMS_A_BATCH, METRICS_A_BATCH = 250, 6000, 8000, 100, 1000

_QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}
# Its defaults are 7 retries and 120 seconds, each: minutes of silence before "connection refused".
_PATIENCE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2", "MLFLOW_HTTP_REQUEST_TIMEOUT": "30"}
_LOGGERS = ("mlflow", "alembic")
_SECRET = re.compile(r"(?:api_?key|secret|password|passwd|token|credential)s?$", re.IGNORECASE)
_NOT_A_SECRET = re.compile(r"(?:max|min|input|output|overlap)_?\w*tokens?$", re.IGNORECASE)
_FORBIDDEN = re.compile(r"[^\w\-. :/]", re.ASCII)
_ARTIFACT = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")


def metric_name(measure: str) -> str:
    """The name of a measure in MLflow, which allows no "@": `recall@6` is `recall_at_6`."""
    return _FORBIDDEN.sub("_", measure.replace("@", "_at_"))[:200]


def track(run: Run, artifacts: Mapping[str, str], *, uri: str, experiment: str) -> str:
    """Write a run to an MLflow tracking store; returns the id of MLflow's run.

    `uri` is `sqlite:////folder/mlflow.db` (artifacts then go beside it), or any tracking
    URI. Parameters are the settings, metrics each measure's mean with `.low`, `.high`
    and `.coverage`, tags the digests; artifacts the given texts by file name, `run.json`
    and a table of the cases. Raises ConfigurationError when the store cannot be used.
    """
    for name in artifacts:
        if not _ARTIFACT.fullmatch(name):
            raise ConfigurationError(f"{name!r} cannot be the file name of an artifact")
    texts = {**artifacts, "run.json": canonical_json(run.to_json()), CASES_FILE: json.dumps(_cases_table(run))}
    with _quietly():
        from mlflow import MlflowClient  # seconds
        from mlflow.exceptions import MlflowException
        from sqlalchemy.exc import SQLAlchemyError

        try:
            if uri.startswith("sqlite:///"):
                Path(uri.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
            client = MlflowClient(tracking_uri=uri)
            created = client.create_run(_experiment_id(client, experiment, uri), run_name=run.id, tags=_tags(run))
            run_id: str = created.info.run_id
            status = "FAILED"
            try:
                _write(client, run_id, run, texts)
                status = "FINISHED"
            finally:
                client.set_terminated(run_id, status)
        except (MlflowException, SQLAlchemyError, OSError, ImportError) as error:  # ImportError: a database's driver
            reason = _without_password(" ".join(str(error).split()))[:500]
            raise ConfigurationError(
                f"the tracking store cannot be used: {reason}",
                where=_without_password(uri),
                remedy="check 'tracking' in genaiops.yaml, or set it to 'none'",
            ) from None
    return run_id


def retrack(before: str, run: Run | None, artifacts: Mapping[str, str], *, uri: str) -> list[str]:
    """Write the artifacts of our run `before` anew, as those of `run`; empty where that is None.

    For erasing a document: what MLflow keeps beside them are settings, values and digests. Returns the ids of
    MLflow's runs. Raises ConfigurationError when the store cannot be used.
    """
    names = {} if run is None else {**artifacts, "run.json": canonical_json(run.to_json())}
    texts = {name: names.get(name, "") for name in (*artifacts, "run.json")}
    texts[CASES_FILE] = json.dumps({"columns": [], "data": []} if run is None else _cases_table(run))
    with _quietly():
        from mlflow import MlflowClient
        from mlflow.exceptions import MlflowException
        from sqlalchemy.exc import SQLAlchemyError

        try:
            client = MlflowClient(tracking_uri=uri)
            experiments = [experiment.experiment_id for experiment in client.search_experiments()]
            name = "" if run is None else run.id
            wanted = f"tags.`genaiops.run` = '{check_name(before, 'run')}'"
            found = [item.info.run_id for item in client.search_runs(experiments, filter_string=wanted)]
            for tracked in found:
                for file, text in texts.items():
                    client.log_text(tracked, text, file)
                client.set_tag(tracked, "genaiops.run", name)
                client.update_run(tracked, name=name or "erased")
        except (MlflowException, SQLAlchemyError, OSError, ImportError) as error:
            reason = _without_password(" ".join(str(error).split()))[:500]
            raise ConfigurationError(
                f"the tracking store cannot be used: {reason}",
                where=_without_password(uri),
                remedy="bring it back, then run the same command again",
            ) from None
    return [str(tracked) for tracked in found]


def _write(client: MlflowClient, run_id: str, run: Run, texts: Mapping[str, str]) -> None:
    from mlflow.entities import Metric, Param

    params = [Param(key, value) for key, value in _params(run).items()]
    for start in range(0, len(params), PARAMS_A_BATCH):
        client.log_batch(run_id, params=params[start : start + PARAMS_A_BATCH])
    now = int(time.time() * 1000)
    metrics = [Metric(key, value, now, 0) for key, value in _metrics(run).items()]
    for start in range(0, len(metrics), METRICS_A_BATCH):
        client.log_batch(run_id, metrics=metrics[start : start + METRICS_A_BATCH])
    for name, text in texts.items():
        client.log_text(run_id, text, name)


def _experiment_id(client: MlflowClient, name: str, uri: str) -> str:
    """The experiment of that name, made when there is none; two processes may try at once."""
    from mlflow.exceptions import MlflowException

    found = client.get_experiment_by_name(name)
    if found is None:
        # Without this a SQLite store would put artifacts into the working folder.
        local = uri.startswith("sqlite:///")
        beside = (Path(uri.removeprefix("sqlite:///")).resolve().parent / "artifacts").as_uri() if local else None
        try:
            return str(client.create_experiment(name, artifact_location=beside))
        except MlflowException:
            found = client.get_experiment_by_name(name)
            if found is None:
                raise
    if found.lifecycle_stage != "active":
        raise ConfigurationError(
            f"the MLflow experiment {name!r} was deleted", where=_without_password(uri), remedy="restore it in MLflow"
        )
    return str(found.experiment_id)


# --- what goes there ------------------------------------------------------------


def _params(run: Run) -> dict[str, str]:
    facts = {
        "flow": run.subject.flow,
        "golden_set": run.golden_set,
        "cases": len(run.results),
        "seed": run.seed,
        "confidence": run.confidence,
    }
    return {
        key[:LONGEST_KEY]: value[:LONGEST_PARAM]
        for key, value in (*_flat("", facts), *_flat("settings", as_json(run.subject.settings)))
    }


def _flat(key: str, value: Any) -> Iterator[tuple[str, str]]:
    """Nested settings as dotted keys; lists as JSON; what looks like a secret as stars."""
    if isinstance(value, Mapping) and value:
        for name, item in value.items():
            yield from _flat(f"{key}.{name}" if key else str(name), item)
        return
    last = key.rpartition(".")[2]
    hidden = isinstance(value, str) and value and _SECRET.search(last) and not _NOT_A_SECRET.search(last)
    text = "***" if hidden else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    yield _FORBIDDEN.sub("_", key), text


def _metrics(run: Run) -> dict[str, float]:
    metrics: dict[str, float] = {}
    for summary in run.summaries:
        name = metric_name(summary.measure)
        ends = {name: summary.mean, f"{name}.low": summary.low, f"{name}.high": summary.high}
        metrics |= {key: value for key, value in ends.items() if value is not None}
        if summary.scored + summary.unscored:
            metrics[f"{name}.coverage"] = summary.coverage
    lost = Counter(result.failure.stage for result in run.results if result.failure is not None)
    return metrics | {f"lost_at.{stage}": float(count) for stage, count in lost.items()}


def _tags(run: Run) -> dict[str, str]:
    tags = {
        "genaiops.run": run.id,
        "genaiops.golden_set.digest": run.golden_set_digest,
        "genaiops.verdict": run.verdict,
        **{f"genaiops.{name}.digest": digest for name, digest in run.subject.digests.items()},
        **{f"genaiops.judge.{metric_name(name)}": digest for name, digest in run.judges.items()},
        **{f"genaiops.version.{name}": version for name, version in run.versions.items()},
        "mlflow.source.git.commit": run.git.commit,
        "genaiops.git.dirty": str(run.git.dirty).lower(),
        # With this MLflow's pages show the file as a table.
        "mlflow.loggedArtifacts": json.dumps([{"path": CASES_FILE, "type": "table"}]),
    }
    return {_FORBIDDEN.sub("_", key)[:LONGEST_KEY]: value[:LONGEST_TAG] for key, value in tags.items() if value}


def _cases_table(run: Run) -> dict[str, list[Any]]:
    """The cases in the form of MLflow's table artifacts: values, and for the rest the reason in words.

    `lost_at` and `lost_why` say where a wrong answer was lost; for each measure that explains itself,
    `<measure>.not_supported` holds the answer's sentences that it does not support, a line each.
    """
    names = [summary.measure for summary in run.summaries]
    explained = [name for name in names if any(name in result.verdicts for result in run.results)]
    rows = []
    for result in run.results:
        answer = "" if result.answer is None else result.answer.text
        outcomes = [next(iter(outcome_to_json(result.outcomes[name]).values())) for name in names]
        lost = ("", "") if result.failure is None else (result.failure.stage, result.failure.detail)
        weak = ["\n".join(_not_supported(answer, result.verdicts.get(name, ()))) for name in explained]
        rows.append([result.case.id, result.case.kind, result.case.question, answer, result.error, *lost, *outcomes,
                     *weak])  # fmt: skip
    heads = ["id", "kind", "question", "answer", "error", "lost_at", "lost_why", *names]
    return {"columns": [*heads, *(f"{name}.not_supported" for name in explained)], "data": rows}


def _not_supported(answer: str, verdicts: Sequence[SentenceVerdict]) -> list[str]:
    """`contradicted (0.03): the sentence` for every sentence that is not supported."""
    return [
        f"{said.label} ({said.value:.2f}): {answer[said.start : said.end]}"
        for said in verdicts
        if said.label != "supported"
    ]


# --- MLflow, quietly ------------------------------------------------------------


@contextmanager
def _quietly() -> Iterator[None]:
    """Telemetry off, retries few, and only warnings logged; what was set before is set again after."""
    before = {name: os.environ.get(name) for name in (*_QUIET, *_PATIENCE)}
    levels = {name: logging.getLogger(name).level for name in _LOGGERS}
    os.environ.update(_QUIET)
    for name, value in _PATIENCE.items():
        os.environ.setdefault(name, value)
    try:
        import mlflow  # noqa: F401  (sets the level of its logger, so it comes first)

        for name in _LOGGERS:
            logging.getLogger(name).setLevel(logging.ERROR)
        yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
        for name, old in before.items():
            if old is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = old


def _without_password(uri: str) -> str:
    return re.sub(r"//[^/@]*@", "//***@", uri)
