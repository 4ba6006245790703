"""Taking away what was replaced, and looking for what might be left."""

from __future__ import annotations

import json
import mmap
from collections.abc import Iterable
from pathlib import Path

from genaiops.delivery.forgetting.artefacts import Log, Replaced
from genaiops.delivery.forgetting.erasure import Erasure, encodings
from genaiops.delivery.receipts import Artefact
from genaiops.delivery.snapshots import remove_snapshot
from genaiops.files import discard, fsync_folder
from genaiops.project import Project


def remove_replaced(project: Project, replaced: Replaced, damaged: Iterable[Path], erasure: Erasure, log: Log) -> None:
    """Take away what has a successor or none. Until here, everything old was whole and could be gone back to."""
    for digest in replaced.releases:
        (project.releases / f"{digest}.json").unlink(missing_ok=True)
    for name in replaced.runs:
        _remove(project.runs / name)
    for before, after in replaced.indexes.items():
        if before != after and (project.indexes / before).exists():
            remove_snapshot(project.indexes / before)
    for folder in damaged:
        if any(holds_bytes(path, erasure) for path in folder.rglob("*") if path.is_file()):
            log.tell(Artefact("index", folder.name, "", "damaged and not in use, removed"))
            _remove(folder)
    for folder in (project.releases, project.runs, project.indexes):
        if folder.is_dir():
            fsync_folder(folder)


def _remove(folder: Path) -> None:
    if folder.exists():
        discard(folder)


def holds_bytes(path: Path, erasure: Erasure) -> bool:
    """Whether a file holds an id of the document, or a passage of it, in any of our encodings."""
    if not path.is_file() or not path.stat().st_size:
        return False
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return any(data.find(needle) >= 0 for needle in needles(erasure))


def needles(erasure: Erasure) -> tuple[bytes, ...]:
    """Passages of its text, byte by byte; its id as a JSON string."""
    ids = [json.dumps(name, ensure_ascii=ascii_).encode() for name in erasure.texts for ascii_ in (True, False)]
    return tuple(dict.fromkeys([*(form for text in erasure.samples() for form in encodings(text)), *ids]))
