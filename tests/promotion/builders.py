"""Real runs, releases and registries, built from numbers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from genaiops.evaluation.records import CaseResult, Run, Subject
from genaiops.evaluation.scale import Scale
from genaiops.evaluation.scoring import summarise
from genaiops.promotion import Decision, GateSettings, Proof, Registry, Release, judge_run
from genaiops.records import Case, CaseKind, NotApplicable, Outcome, Score, Summary, Unscored, digest_of

ENVIRONMENTS = ("dev", "test", "prod")
SERVED = {"flow": "handbook", "index": "a" * 64, "prompt": {"name": "cited"}, "retrieval": {"top_k": 6}}
UNBOUNDED = ("latency_s", "input_tokens", "output_tokens", "cost_usd")
Value = float | Outcome


def outcome(value: Value) -> Outcome:
    return value if isinstance(value, (Score, Unscored, NotApplicable)) else Score(float(value))


def scale(measure: str) -> Scale:
    if measure == "latency_p95_s":
        return Scale(False, "p95", lower_is_better=True)
    return Scale(measure not in UNBOUNDED, lower_is_better=measure in UNBOUNDED)


def case(number: int, *, kind: CaseKind = "answerable", text: str = "") -> Case:
    reference = "" if kind == "unanswerable" else "yes"
    return Case(f"q{number:03}", text or f"question {number}?", kind, reference)


def run_of(
    columns: Mapping[str, list[Value]],
    *,
    cases: list[Case] | None = None,
    errors: Mapping[str, str] | None = None,
    judges: Mapping[str, str] | None = None,
    **changes: Any,
) -> Run:
    """A run whose measure `m` gave `columns[m][i]` for case i, with everything else as evaluation writes it."""
    size = max((len(column) for column in columns.values()), default=0)
    cases = cases or [case(number) for number in range(size)]
    failed = errors or {}
    results = tuple(
        CaseResult(c, None, failed.get(c.id, ""), {name: outcome(column[i]) for name, column in columns.items()})
        for i, c in enumerate(cases)
    )
    scales = {name: scale(name) for name in columns}
    summaries = tuple(summary_of(name, column, scales[name]) for name, column in columns.items())
    fields: dict[str, Any] = {
        "id": "20261121t090000z-00000000",
        "created_at": "2026-11-21T09:00:00.000+00:00",
        "subject": Subject("handbook", {"flow": digest_of(SERVED), "prompt": "b" * 64, "index": "a" * 64}),
        "golden_set": "handbook",
        "golden_set_digest": digest_of(sorted(c.digest for c in cases)),
        "results": results,
        "summaries": summaries,
        "scales": scales,
        "judges": judges or {},
    }
    return Run(**{**fields, **changes})


def summary_of(name: str, column: list[Value], how: Scale) -> Summary:
    return summarise(name, [outcome(value) for value in column], how)


def gate_of(*rules: Mapping[str, Any], **settings: Any) -> GateSettings:
    return GateSettings.model_validate({"rules": tuple(rules), **settings})


def bits(ones: int, zeros: int) -> list[Value]:
    """`ones` values 1 and `zeros` values 0, the zeros first."""
    return [*[0.0] * zeros, *[1.0] * ones]


FLOOR = gate_of({"measure": "groundedness", "at_least": 0.8})


def passing() -> tuple[Run, GateSettings, Decision]:
    run = run_of({"groundedness": bits(100, 0)})
    return run, FLOOR, judge_run(FLOOR, run, None)


def release_of(number: int, *, flow: str = "handbook") -> Release:
    """Release `number`: each number another content, cheap to make."""
    served = {"index": f"{number:064x}"}
    proof = Proof(
        run=f"run-{number}",
        run_digest="c" * 64,
        golden_set="handbook",
        golden_set_digest="d" * 64,
        digests={"flow": digest_of(served)},
        decision=Decision("pass", (), run="c" * 64, gate="f" * 64),
        summaries=(Summary("groundedness", 0.9, 0.8, 1.0, 100, 0),),
    )
    return Release(flow, served, proof)


def registry_in(folder: Path) -> Registry:
    return Registry(f"sqlite:///{folder / 'registry.db'}", ENVIRONMENTS, folder / "releases")
