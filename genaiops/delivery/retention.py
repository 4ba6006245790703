"""What may go: indexes that nobody uses any more, what killed writers left, cached vectors that no index holds."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from genaiops.delivery.caches import opened, prune_vectors
from genaiops.delivery.history import KnownIndex, list_indexes, size_of
from genaiops.delivery.snapshots import remove_snapshot
from genaiops.errors import StorageError
from genaiops.evaluation.kept import prune_results
from genaiops.files import TEMPORARY_PREFIX, locked, remove_leftovers
from genaiops.flow.history import all_histories
from genaiops.flow.holding import unless_held
from genaiops.project import Project, RetentionSettings

_LEFTOVERS_IN = ("", "indexes", "runs", "releases", "evaluations", "receipts", "mlflow")


@dataclass(frozen=True, slots=True)
class Kept:
    """An index that stays, and every reason why."""

    index: str
    bytes: int
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What `gc` did, or would do: `removed` maps index id to its bytes.

    `vectors` counts the cached vectors taken out, `results` what evaluations had kept. `bytes` is all that was freed;
    what the cache file gives back to the disk is told as its size before less its size after.
    """

    kept: tuple[Kept, ...]
    removed: Mapping[str, int]
    leftovers: int
    vectors: int
    bytes: int
    dry_run: bool
    results: int = 0


def clean_up(
    project: Project, *, retention: RetentionSettings | None = None, dry_run: bool = False, wait_s: float = 60.0
) -> Cleaned:
    """Remove what nothing needs.

    Kept are: what a current pointer, any release or any environment's history uses, what a process has open, the
    newest `keep_last` of each combination of a flow's settings, and what was built within `keep_days`. Runs alone
    among builds: raises Conflict when one goes on for longer than `wait_s` seconds.
    """
    retention = retention or project.settings.retention
    if not project.home.is_dir():
        return Cleaned((), {}, 0, 0, 0, dry_run)
    with locked(project.lock, wait_s=wait_s, what="builds an index"):
        kept, candidates = _sorted(project, retention)
        removed: dict[str, int] = {}
        for index in candidates:
            with unless_held(project.indexes / index.id) as free:
                if not free:
                    kept.append(Kept(index.id, index.bytes, ("open in a running process",)))
                    continue
                removed[index.id] = index.bytes
                if not dry_run:
                    remove_snapshot(project.indexes / index.id)
        leftovers, swept = _sweep(project, dry_run=dry_run)
        staying = [project.indexes / item.index for item in kept]
        vectors, results, shrunk = _cached(project, staying, retention, dry_run=dry_run)
    freed = sum(removed.values()) + swept + shrunk
    return Cleaned(tuple(kept), removed, leftovers, vectors, freed, dry_run, results)


def _sorted(project: Project, retention: RetentionSettings) -> tuple[list[Kept], list[KnownIndex]]:
    """What stays with its reasons, and what may go."""
    present = [index for index in list_indexes(project) if index.present]
    recent = _recent(project, present, retention.keep_last)
    limit = (datetime.now(UTC) - timedelta(days=retention.keep_days)).isoformat()
    kept: list[Kept] = []
    candidates: list[KnownIndex] = []
    for index in present:
        reasons = [*index.used_by, *recent[index.id]]
        if index.built_at >= limit:
            reasons.append(f"built within {retention.keep_days:g} days")
        if not index.built_at and not index.problem:
            reasons.append("nobody knows when it was built")
        if reasons:
            kept.append(Kept(index.id, index.bytes, tuple(reasons)))
        else:
            candidates.append(index)
    return kept, candidates


def _recent(project: Project, present: Iterable[KnownIndex], keep: int) -> Mapping[str, list[str]]:
    """Index id → the pointers among whose `keep` newest indexes it is; without history, those of its flow."""
    newest: dict[tuple[str, str], list[str]] = defaultdict(list)
    told = set()
    for built in reversed(all_histories(project)):
        name = str(built.settings.get("name", "")), built.pointer
        told.add(built.index)
        if built.index not in newest[name]:
            newest[name].append(built.index)
    for index in sorted(present, key=lambda index: index.built_at, reverse=True):
        for flow in index.flows if index.id not in told else ():
            newest[(flow, "")].append(index.id)
    reasons: dict[str, list[str]] = defaultdict(list)
    for (flow, _), indexes in newest.items():
        for index_id in indexes[:keep]:
            reasons[index_id].append(f"one of the last {keep} of {flow}")
    return {index_id: list(dict.fromkeys(told)) for index_id, told in reasons.items()} | {
        index.id: [] for index in present if index.id not in reasons
    }


def written_folders(project: Project) -> tuple[Path, ...]:
    """The folders of the state folder in which killed writers may have left something."""
    flows = (path for path in project.flows.glob("*") if path.is_dir())
    return (*(project.home / name for name in _LEFTOVERS_IN), *flows)


def _sweep(project: Project, *, dry_run: bool) -> tuple[int, int]:
    """What killed writers left anywhere in the state folder: how many, and their bytes. Counts only, if dry."""
    count = freed = 0
    for folder in written_folders(project):
        left = {path: _bytes(path) for path in folder.glob(f"{TEMPORARY_PREFIX}*")}
        if dry_run:
            count, freed = count + len(left), freed + sum(left.values())
        elif left:
            count += remove_leftovers(folder)
            freed += sum(size for path, size in left.items() if not path.exists())
    return count, freed


def _bytes(path: Path) -> int:
    return size_of(path) if path.is_dir() else path.stat().st_size


def _cached(
    project: Project, staying: Iterable[Path], retention: RetentionSettings, *, dry_run: bool
) -> tuple[int, int, int]:
    """Cached vectors that no index holds, and results of evaluations unused for longest, beyond what they may take.

    How many of each, and the bytes given back.
    """
    if not project.cache.is_file():
        return 0, 0, 0
    try:
        before = _bytes(project.cache)
        gone = prune_vectors(project.cache, staying, unused_mb=retention.unused_vectors_mb, dry_run=dry_run)
        results = prune_results(project.cache, retention.evaluation_results_mb, dry_run=dry_run)
        if results and not dry_run:
            with opened(project.cache):
                pass  # at its end the file is written anew without what went
        return gone, results, max(0, before - _bytes(project.cache))
    except sqlite3.Error as error:
        raise StorageError(
            f"the cache cannot be cleaned: {error}", where=project.cache, remedy="stop what uses it, or delete the file"
        ) from None
