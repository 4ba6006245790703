"""Releases without the document, and the environments that serve them."""

from __future__ import annotations

from genaiops.delivery.forgetting.artefacts import Log, Replaced
from genaiops.delivery.receipts import Artefact
from genaiops.evaluation.records import Run
from genaiops.project import Project
from genaiops.promotion import Registry, Release, load_release
from genaiops.promotion.evidence import run_digest
from genaiops.promotion.reissuing import reissued


def issue_releases_again(project: Project, replaced: Replaced, log: Log) -> None:
    """Put a release without the document in the place of each that serves it or was measured on it.

    Environments that serve the old one move, and rollbacks lead to the new one. A release of which no index is left
    has no successor: what it serves is gone, and an environment that names it answers with a clear refusal.
    """
    new: dict[str, Release] = {}
    registry = Registry.of(project)
    for path in sorted(project.releases.glob("*.json")):
        release = load_release(project.releases, path.stem)
        index, run = str(release.served.get("index", "")), release.evidence.run
        if index not in replaced.indexes and run not in replaced.runs:
            continue
        after = replaced.indexes.get(index, index)
        if not after:
            replaced.releases[path.stem] = ""
            log.tell(Artefact("release", path.stem, "", "nothing is left to serve"))
            continue
        served = {**release.served, "index": after, "content": replaced.contents.get(after, release.served["content"])}
        evidence = release.evidence
        proof = evidence.run, evidence.run_digest, evidence.golden_set_digest, evidence.summaries
        if replaced.runs.get(run):
            measured = Run.load(project.runs / replaced.runs[run])
            proof = measured.id, run_digest(measured), measured.golden_set_digest, measured.summaries
        made = reissued(
            release, served=served, run=proof[0], run_digest=proof[1], golden_set_digest=proof[2], summaries=proof[3]
        )
        new[path.stem] = made
        replaced.releases[path.stem] = made.digest
        log.tell(Artefact("release", path.stem, made.digest, "not measured again"))
    for pointer in registry.status():
        if pointer.release in new:
            after = new[pointer.release].digest
            log.tell(Artefact("environment", f"{pointer.environment}: {pointer.release}", after, pointer.flow))
    if new:
        registry.reissue(new)
