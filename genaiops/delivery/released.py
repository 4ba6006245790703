"""Which index every release serves, and where that release is or was."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from genaiops.errors import NotFound
from genaiops.files import TEMPORARY_PREFIX
from genaiops.project import Project
from genaiops.promotion import Registry, load_release


@dataclass(frozen=True, slots=True)
class Released:
    """A release with its index, its flow, the run that earned it, and the environments that serve it now."""

    digest: str
    flow: str
    index: str
    run: str
    environments: tuple[str, ...]


def released(project: Project) -> tuple[Released, ...]:
    """Every release whose file is there, in order of digests. Raises IntegrityError for a damaged one."""
    serving: dict[str, list[str]] = defaultdict(list)
    for pointer in Registry.of(project).status():
        if pointer.release:
            serving[pointer.release].append(pointer.environment)
    found = []
    for path in sorted(project.releases.glob("*.json")):
        if path.name.startswith(TEMPORARY_PREFIX):
            continue
        release = load_release(project.releases, path.stem)
        index = str(release.served.get("index", ""))
        found.append(Released(path.stem, release.flow, index, release.evidence.run, tuple(serving[path.stem])))
    return tuple(found)


def release_of_environment(project: Project, environment: str) -> Released:
    """What an environment serves. Raises NotFound when nothing, ConfigurationError when several flows."""
    digest = Registry.of(project).pointer(environment).release
    for item in released(project):
        if item.digest == digest:
            return item
    raise NotFound(f"the release of {environment} is not here", where=project.releases)
