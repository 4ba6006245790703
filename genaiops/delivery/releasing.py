"""A run becomes a verdict, a verdict a release, a release something that answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from genaiops.delivery.evaluating import (
    Evaluated,
    EvaluationProgress,
    evaluate_flow,
    find_evaluation,
    judges_and_scales,
)
from genaiops.delivery.golden_parts import measured_part
from genaiops.delivery.judged_runs import keep_verdict
from genaiops.errors import NotFound, StorageError
from genaiops.evaluation import Run
from genaiops.evaluation.passports import Shelf
from genaiops.evaluation.provenance import packages_of, versions
from genaiops.flow import Flow, Pipeline
from genaiops.flow.pipeline import Served
from genaiops.project import Project
from genaiops.promotion import Decision, Registry, Release, bundle, find_release, judge_run, load_gate, load_release
from genaiops.promotion.evidence import run_digest
from genaiops.promotion.gate import GateSettings
from genaiops.promotion.sequential import SequentialGate


@dataclass(frozen=True, slots=True)
class Gated:
    """A decision with the run it is about and the champion's run it was compared with.

    `taken_over`: the run was there already, and nothing was asked. `earned`: the release that this very run earned,
    where the champion is that release; a verdict on it compared the run with itself and earns no other. `unkept`
    says why the verdict does not stand beside the run ("": it does).
    """

    evaluated: Evaluated
    champion: Run | None
    gate: GateSettings
    decision: Decision
    taken_over: bool = False
    earned: Release | None = None
    unkept: str = ""


def gate_flow(
    flow: Flow, *, against: str = "", sequential: bool = False, progress: EvaluationProgress | None = None
) -> Gated:
    """The verdict on the flow as it stands, evaluating it first when no run of this state is kept.

    A kept run stands for this state while the packages that can move a score are those it was made with. That may be
    the champion's own, where the flow is what the champion serves; it is then compared with itself. A model that
    changed behind its name is found by `evaluate_flow`, which always makes a run.

    `against` is the environment whose release is the champion (default: the last of the
    project). With `sequential`, an evaluation that has to be made asks no more questions
    than the verdict needs; a release takes a verdict on the whole set. The verdict is kept
    beside the run and told in its report; where nothing can be written there, it is given
    all the same (see Gated.unkept).
    """
    gated = _gated(flow, against, sequential, progress)
    try:
        keep_verdict(flow.project, gated.evaluated, gated.decision)
    except StorageError as error:
        return replace(gated, unkept=f"{error.where}: {error.what}")
    return gated


def _gated(flow: Flow, against: str, sequential: bool, progress: EvaluationProgress | None) -> Gated:
    gate = load_gate(flow.folder / "gate.yaml")
    against = flow.project.environment(against or flow.project.settings.environments[-1])
    served = flow.pipeline.served  # opens the index, so that a damaged one stops here
    champion = Registry.of(flow.project).champion(against, flow.name)
    repeats = max(gate.repeats, flow.settings.evaluation.repeats)
    known = find_evaluation(flow, served, repeats=repeats)
    if known is not None and not _stands_for_now(known, champion):
        known = None
    if known is None and sequential:
        return _gate_along_the_way(flow, gate, champion, against, repeats, progress)
    if known is None:
        evaluated = evaluate_flow(flow, repeats=repeats, progress=progress)
    else:
        evaluated = Evaluated(known, flow.project.runs / known.id)
    golden, _ = measured_part(flow)
    run = evaluated.run
    rival = None if champion is None else _champion_run(flow, champion, (golden.digest, run.judges), run.id, against)
    shelf = Shelf(flow.project.passports)
    decision = judge_run(gate, evaluated.run, rival, against=against, golden_set_digest=golden.digest, passports=shelf)
    earned = champion if champion is not None and _earned_by(champion, run) else None
    return Gated(evaluated, rival, gate, decision, known is not None, earned)


def _earned_by(release: Release, run: Run) -> bool:
    """Whether this run earned the release, and of just the state that it measured."""
    proof, state = release.evidence, run.subject.digests.get("flow")
    return (proof.run, proof.run_digest, proof.digests.get("flow")) == (run.id, run_digest(run), state)


def _stands_for_now(run: Run, champion: Release | None) -> bool:
    """Whether a kept run of this state is what an evaluation of now would be, as far as anybody can tell.

    It was made with the same packages; and under the name of the champion's run lies the one that earned the release.
    """
    if champion is not None and run.id == champion.evidence.run and run_digest(run) != champion.evidence.run_digest:
        return False
    return packages_of(run.versions) == packages_of(versions())


def _gate_along_the_way(
    flow: Flow,
    gate: GateSettings,
    champion: Release | None,
    against: str,
    repeats: int,
    progress: EvaluationProgress | None,
) -> Gated:
    golden, _ = measured_part(flow)
    judges, scales = judges_and_scales(flow, flow.served)
    rival = None if champion is None else _champion_run(flow, champion, (golden.digest, judges), "", against)
    following = SequentialGate(gate, golden.cases, rival, scales, judges)
    evaluated = evaluate_flow(flow, repeats=repeats, until=following.see, progress=progress)
    shelf = Shelf(flow.project.passports)
    decision = following.decision(evaluated.run, against=against, golden_set_digest=golden.digest, passports=shelf)
    return Gated(evaluated, rival, gate, decision)


def _champion_run(
    flow: Flow, release: Release, measured_by: tuple[str, Mapping[str, str]], candidate: str, environment: str
) -> Run:
    """The run to compare with: the one that earned the release, where golden set and judges are still the same.

    `measured_by` is the candidate's golden set (its digest) and its judges, `candidate` the id of its run.

    Otherwise the newest run of the release on the present golden set, where there is one (`evaluate --release`).
    The candidate's own only where that earned the release. Raises NotFound when there is no run left: a champion
    that cannot be compared with must not look like no champion.
    """
    try:
        earned = Run.load(flow.project.runs / release.evidence.run)
    except NotFound:
        earned = None
    if earned is not None and (earned.golden_set_digest, earned.judges) == measured_by:
        return earned
    measured = find_evaluation(flow, Served.from_json(release.served), other_than=candidate) or earned
    if measured is None:
        split = flow.settings.evaluation.split
        part = f" --split {split}" if split else ""
        raise NotFound(
            f"the run of {environment}'s release {release.digest[:12]} is not in {flow.project.runs}",
            remedy=f"measure it again: genaiops evaluate {flow.folder} --release {environment}{part}",
        )
    return measured


def release_flow(flow: Flow, *, against: str = "", progress: EvaluationProgress | None = None) -> tuple[Release, Gated]:
    """Bundle the flow as it stands with the run and the passing verdict that earned it, and record it.

    Where the champion serves just this on the evidence of this very run, that release is returned, and nothing is
    recorded (see Gated.earned).

    Raises GateRefused (exit code 1) when the gate fails, NotProven (3) when it cannot tell.
    """
    gated = gate_flow(flow, against=against, progress=progress)
    return release_gated(flow, gated), gated


def release_gated(flow: Flow, gated: Gated) -> Release:
    """As `release_flow`, for a flow whose gate was asked already. A verdict on another state is refused."""
    release = bundle(flow.served.to_json(), gated.evaluated.run, gated.gate, gated.decision)
    if gated.earned is not None:
        return gated.earned
    Registry.of(flow.project).record_release(release)
    return release


def open_release(project: Project, name: str, *, flow: str | None = None) -> tuple[Release, Pipeline]:
    """What a release (by id, or by the environment that holds it) serves, ready to answer.

    Raises NotFound, IntegrityError or IndexMismatch when it cannot answer as it was measured.
    """
    if name in project.settings.environments:
        name = Registry.of(project).pointer(name, flow).release or ""
    release = load_release(project.releases, find_release(project.releases, name))
    return release, Flow.from_release(release.served, project, release=release.digest)
