"""Which index was made current when, and from which settings: one line for each successful build, never changed."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from genaiops.errors import IntegrityError
from genaiops.files import fsync_folder, locked, storing
from genaiops.indexing import Manifest
from genaiops.project import Project
from genaiops.records import Metadata, canonical_json

HISTORY_FILE = "history.jsonl"
_FIELDS = {"sequence", "built_at", "pointer", "index", "folder", "settings", "inputs", "documents", "chunks"}


@dataclass(frozen=True, slots=True)
class Built:
    """One build that ended well. `sequence` counts from 1 within the flow; `built_at` is ISO 8601 in UTC.

    `pointer` names the pointer file (its stem, one for each combination of settings), `folder` the flow's folder
    (relative to the project where it lies inside). `settings` is the whole FlowSettings as JSON and `inputs` what the
    index's id is the digest of: with the documents, all that is needed to make it again. `reason` is `build`,
    `rebuild` or `forget`.
    """

    sequence: int
    built_at: str
    pointer: str
    index: str
    folder: str
    settings: Metadata
    inputs: Metadata
    documents: int
    chunks: int
    reason: str = "build"


def history_file(project: Project, flow: str) -> Path:
    return project.flows / flow / HISTORY_FILE


def append_history(
    project: Project,
    settings: Metadata,
    base: Path,
    *,
    pointer: Path,
    manifest: Manifest,
    reason: str = "build",
) -> Built:
    """Add a line and force it to disk; call it after the index is published and before its pointer moves.

    `settings` is the whole FlowSettings as JSON, `pointer` is the pointer's file, `manifest` that of the index.
    A build that found nothing to do is told too: it says when the sources were last looked at.
    """
    base = base.resolve()
    place = base.relative_to(project.root) if base.is_relative_to(project.root) else base
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    path = history_file(project, str(settings["name"]))
    of_index = manifest.inputs, manifest.counts["documents"], manifest.counts["chunks"]
    with locked(path.with_suffix(".lock")):
        last = max((row["sequence"] for row in _rows(path)), default=0)
        built = Built(last + 1, now, pointer.stem, manifest.id, place.as_posix(), settings, *of_index, reason)
        _append(path, canonical_json(built) + "\n")
    return built


def read_history(project: Project, flow: str) -> tuple[Built, ...]:
    """Every build of a flow, oldest first. IntegrityError for a line that nobody of ours wrote."""
    return tuple(Built(**row) for row in _rows(history_file(project, flow)))


def all_histories(project: Project) -> tuple[Built, ...]:
    """The builds of every flow in the state folder, by time."""
    flows = sorted(path.parent.name for path in project.flows.glob(f"*/{HISTORY_FILE}"))
    return tuple(sorted((built for flow in flows for built in read_history(project, flow)), key=_moment))


def _moment(built: Built) -> tuple[str, int]:
    return built.built_at, built.sequence


def _append(path: Path, line: str) -> None:
    """One durable write, or StorageError.

    A half line that a killed writer left is ended first, so that it stays the only one lost.
    """
    with storing(path):
        new = not path.exists()
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
        try:
            size = os.fstat(handle).st_size
            torn = size > 0 and os.pread(handle, 1, size - 1) != b"\n"
            content = (("\n" if torn else "") + line).encode()
            # A disk that fills up takes a part and says so only in the number of bytes.
            if os.write(handle, content) < len(content):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(handle)
        finally:
            os.close(handle)
        if new:
            fsync_folder(path.parent)


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except FileNotFoundError:
        return
    except (OSError, UnicodeDecodeError) as error:
        raise IntegrityError(f"the history cannot be read ({error})", where=path) from None
    for number, line in enumerate(lines, start=1):
        if not line:
            continue
        try:
            row = json.loads(line)
            if not isinstance(row, dict) or not row.keys() >= _FIELDS or not isinstance(row["sequence"], int):
                raise ValueError("not a line of a history")
        except ValueError as error:
            if not line.endswith("}"):  # what a killed writer left: that build never became current
                continue
            raise IntegrityError(
                f"the history is damaged ({error})", where=path, line=number, remedy="take the line out by hand"
            ) from None
        yield {key: row[key] for key in (*_FIELDS, "reason") if key in row}
