"""What must be right on a machine and in a project before anything else can be."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from genaiops.embedding import EmbeddingSettings, load_embedder
from genaiops.errors import GenaiopsError
from genaiops.flow.settings import FLOW_FILE
from genaiops.project import MAKE_ONE, Project
from genaiops.promotion import Registry

NEEDED = ("torch", "sentence-transformers", "faiss-cpu", "bm25s", "openai", "mlflow", "fastapi", "langchain-core")
MIN_FREE_GB = 1.0


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; `remedy` says what to do when it is not `ok`, or is a `note`: not done yet."""

    what: str
    ok: bool
    found: str
    remedy: str = ""
    note: bool = False


def examine(start: Path | None = None) -> list[Check]:
    """Look at Python, packages, model, disk, project, flows and registry. Changes nothing but the cache."""
    looks: list[Callable[[Project], Check]] = [_packages, _model, _disk]
    checks = [_python()]
    try:
        project = Project.find(start)
    except GenaiopsError as error:
        return [*checks, Check("project", False, str(error), "mend genaiops.yaml")]
    if project.exists:
        checks.append(Check("project", True, f"{project.root}, state in {project.home}"))
        looks.append(_registry)
    else:
        checks.append(Check("project", False, f"there is none in {project.root}", MAKE_ONE))
    for look in looks:
        try:
            checks.append(look(project))
        except GenaiopsError as error:
            checks.append(Check(look.__name__.strip("_"), False, error.what, error.remedy))
    return [*checks, *_flows(project)]


def _python() -> Check:
    found = ".".join(map(str, sys.version_info[:3]))
    return Check("Python", sys.version_info >= (3, 11), found, "use Python 3.11 or newer")


def _packages(project: Project) -> Check:
    versions, missing = [], []
    for name in NEEDED:
        try:
            versions.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            missing.append(name)
    return Check("packages", not missing, ", ".join(missing or versions), "install them: make install")


def _model(project: Project) -> Check:
    # Looking leaves nothing in a folder that is no project.
    embedder = load_embedder(EmbeddingSettings(), cache_file=project.cache if project.exists else None)
    return Check("embedding model", True, f"all-MiniLM-L6-v2, fingerprint {embedder.fingerprint[:12]}")


def _disk(project: Project) -> Check:
    place = next(p for p in (project.home, *project.home.parents) if p.exists())
    free = shutil.disk_usage(place).free / 1e9
    writable = os.access(place, os.W_OK)
    found = f"{free:.1f} GB free at {place}" + ("" if writable else ", not writable")
    return Check("disk", writable and free >= MIN_FREE_GB, found, "free some space, or set GENAIOPS_HOME")


def _registry(project: Project) -> Check:
    registry = Registry.of(project)
    report = registry.verify_audit()
    serving = ", ".join(f"{p.environment}: {(p.release or 'nothing')[:12]}" for p in registry.status())
    found = serving if report.ok else f"the audit log was altered: {report.first_bad}"
    return Check("registry", report.ok, found, "restore registry.db from a copy; genaiops audit verify tells more")


def _flows(project: Project) -> list[Check]:
    """Every flow below `flows/`: whether it loads, and whether its index is there."""
    from genaiops.flow import Flow
    from genaiops.flow.chunkers import check_reach
    from genaiops.flow.current import pointer_file

    checks = []
    for path in sorted((project.root / "flows").glob(f"*/{FLOW_FILE}")):
        try:
            flow = Flow.load(path.parent, project=project)
            check_reach(flow.settings, flow.folder)
            if pointer_file(project, flow.settings, flow.folder).exists():
                checks.append(Check(f"flow {flow.name}", True, f"index {flow.index_id[:12]}"))
            else:  # no fault of the machine: a fresh checkout has no index
                build = f"genaiops build {shlex.quote(os.path.relpath(path.parent))}"
                checks.append(Check(f"flow {flow.name}", True, "no index for its settings yet", build, note=True))
        except GenaiopsError as error:
            checks.append(Check(f"flow {path.parent.name}", False, str(error).splitlines()[0], error.remedy))
    return checks
