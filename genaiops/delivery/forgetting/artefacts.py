"""What an erasure changed, told before it is changed: a killed one that is finished later forgets nothing of it."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field

from genaiops.delivery.receipts import Artefact
from genaiops.files import fsync_folder
from genaiops.project import Project
from genaiops.records import canonical_json

LOG_FILE = "forgetting.log"


@dataclass
class Replaced:
    """What stands in the place of what, by id; "" for what has no successor."""

    indexes: dict[str, str] = field(default_factory=dict)
    contents: dict[str, str] = field(default_factory=dict)  # new index id → digest of its chunks and documents
    runs: dict[str, str] = field(default_factory=dict)
    releases: dict[str, str] = field(default_factory=dict)


class Log:
    """The artefacts of an erasure, each forced to disk before it is touched. It holds ids and counts, no text."""

    def __init__(self, project: Project) -> None:
        self._path = project.home / LOG_FILE

    def tell(self, artefact: Artefact) -> None:
        new = not self._path.exists()
        with self._path.open("ab") as stream:
            stream.write(canonical_json(artefact).encode() + b"\n")
            stream.flush()
            os.fsync(stream.fileno())
        if new:
            fsync_folder(self._path.parent)

    def artefacts(self) -> tuple[Artefact, ...]:
        """Each once, in the order in which they were first told."""
        found: dict[tuple[str, str, str], Artefact] = {}
        lines = self._path.read_bytes().split(b"\n")[:-1] if self._path.exists() else []
        for line in lines:  # the last may be a half one, of something that was not touched
            artefact = Artefact(**json.loads(line))
            found.setdefault((artefact.store, artefact.before, artefact.after), artefact)
        return tuple(found.values())

    def close(self) -> None:
        self._path.unlink(missing_ok=True)
