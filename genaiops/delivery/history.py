"""The indexes of a project: what each is, who needs it, and how a person names one."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from genaiops.delivery.reissued import lead_to_successor, reissue_of
from genaiops.delivery.released import release_of_environment, released
from genaiops.errors import ConfigurationError, GenaiopsError, IntegrityError, NotBuilt, NotFound
from genaiops.flow import Flow
from genaiops.flow.current import all_pointers
from genaiops.flow.history import Built, all_histories
from genaiops.indexing import read_manifest
from genaiops.project import Project

INDEX_ID = re.compile(r"[0-9a-f]{64}")
PREFIX = re.compile(r"[0-9a-f]{6,64}")


@dataclass(frozen=True, slots=True)
class KnownIndex:
    """An index on disk or in a history. `bytes` is 0, and `present` False, for one that was removed.

    `used_by` says in words who needs it: `current of FLOW`, `release abc… (prod)`. `problem` tells why its manifest
    cannot be read. `built_at` is ISO 8601 in UTC, "" where nobody wrote it down.
    """

    id: str
    flows: tuple[str, ...]
    built_at: str
    documents: int
    chunks: int
    bytes: int
    present: bool
    used_by: tuple[str, ...] = ()
    problem: str = ""


def list_indexes(project: Project, flow: str = "") -> tuple[KnownIndex, ...]:
    """Every index that lies in the state folder or that a build told of, by time; those of one flow if it is named."""
    histories: dict[str, list[Built]] = defaultdict(list)
    for built in all_histories(project):
        histories[built.index].append(built)
    used = references(project)
    names = {*histories, *(folder.name for folder in index_folders(project))}
    found = [_known(project, name, histories[name], used.get(name, ())) for name in names]
    chosen = [index for index in found if not flow or flow in index.flows]
    return tuple(sorted(chosen, key=lambda index: (index.built_at, index.id)))


def index_folders(project: Project) -> list[Path]:
    """The published snapshots, in order of their ids."""
    if not project.indexes.is_dir():
        return []
    return sorted(path for path in project.indexes.iterdir() if INDEX_ID.fullmatch(path.name) and path.is_dir())


def references(project: Project) -> Mapping[str, tuple[str, ...]]:
    """Index id → who needs it, in words: current pointers, and every release with the environments it is or was in.

    Every release counts, for any of them may be promoted again. Raises IntegrityError for a release that cannot be
    read: what it uses is not known, so nothing may be taken away.
    """
    used: dict[str, list[str]] = defaultdict(list)
    for pointer in all_pointers(project):
        used[pointer.index].append(f"current of {pointer.flow}")
    for item in released(project):
        where = f" ({', '.join(item.environments)})" if item.environments else ""
        used[item.index].append(f"release {item.digest[:12]}{where}")
    return {index: tuple(dict.fromkeys(reasons)) for index, reasons in used.items()}


def find_index(project: Project, name: str) -> str:
    """The index a person means: an id or prefix (6 digits or more), FLOW, FLOW@current, a release or an environment.

    FLOW is a flow's folder, or its name when the project has one pointer for it. Raises NotFound or
    ConfigurationError that says where was looked.
    """
    place, _, version = name.partition("@")
    if version not in ("", "current"):
        raise ConfigurationError(f"{name!r}: after @ only 'current' is known", remedy=f"{place}@current")
    if Path(place, "flow.yaml").is_file() or Path(place).name == "flow.yaml":
        return Flow.load(place, project=project).index_id
    if not version and PREFIX.fullmatch(place):
        return _by_prefix(project, place)
    if not version and place in project.settings.environments:
        return release_of_environment(project, place).index
    pointers = [pointer for pointer in all_pointers(project) if pointer.flow == place]
    if len({pointer.index for pointer in pointers}) == 1:
        return pointers[0].index
    if pointers:
        shown = ", ".join(pointer.index[:12] for pointer in pointers)
        raise ConfigurationError(f"flow {place!r} has {len(pointers)} current indexes: {shown}", remedy="name one")
    raise NotFound(
        f"{name[:80]!r} names no index",
        where=project.home,
        remedy="genaiops indexes lists them; FLOW@current works too",
    )


def _by_prefix(project: Project, prefix: str) -> str:
    known = {folder.name for folder in index_folders(project)} | {built.index for built in all_histories(project)}
    found = sorted(name for name in known if name.startswith(prefix))
    of_releases = sorted({item.index for item in released(project) if item.digest.startswith(prefix)})
    if len(found) + len(of_releases) == 1:
        return (found or of_releases)[0]
    if found or of_releases:
        raise ConfigurationError(f"{len(found) + len(of_releases)} ids start with {prefix}", remedy="give more digits")
    lead_to_successor(project, prefix, stores=("index", "release"))
    raise NotFound(f"there is no index {prefix[:12]}", where=project.indexes, remedy="genaiops indexes lists them")


def size_of(folder: Path) -> int:
    """Bytes of all files below `folder`; what vanishes meanwhile counts nothing."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except OSError:
            continue
    return total


def _known(project: Project, name: str, built: Iterable[Built], used_by: tuple[str, ...]) -> KnownIndex:
    folder, told = project.indexes / name, list(built)
    flows = [item.folder.rpartition("/")[2] and _flow_name(item) for item in told]
    built_at, documents, chunks, problem = "", 0, 0, ""
    if told:
        built_at, documents, chunks = told[0].built_at, told[0].documents, told[0].chunks
    try:
        manifest = read_manifest(folder)
        flows.append(str(manifest.facts.get("flow", "")))
        built_at = built_at or str(manifest.facts.get("built_at", ""))
        documents, chunks = manifest.counts["documents"], manifest.counts["chunks"]
    except NotBuilt:
        problem = _what_became_of(project, name)
    except GenaiopsError as error:
        problem = error.what
    names = tuple(sorted({name for name in flows if name}))
    present = folder.is_dir()
    return KnownIndex(name, names, built_at, documents, chunks, size_of(folder), present, used_by, problem)


def _what_became_of(project: Project, name: str) -> str:
    try:
        past = reissue_of(project, name, ("index",))
    except IntegrityError:  # a list is given all the same; whoever asks for receipts is told of the damage
        past = None
    if past is None:
        return "removed"
    to = f"issued again as {past.after[:12]}" if past.after else "removed"
    return f"{to}, because a document was erased from it (receipt {past.receipt})"


def _flow_name(built: Built) -> str:
    return str(built.settings.get("name", ""))
