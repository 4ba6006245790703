"""Every pointer of the state folder: which index is current for which settings of which flow."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from genaiops.errors import IntegrityError
from genaiops.files import write_durably
from genaiops.project import Project

_NAME = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class CurrentIndex:
    """The index that one combination of a flow's settings uses now. `file` is the pointer."""

    flow: str
    file: Path
    index: str


def all_pointers(project: Project) -> tuple[CurrentIndex, ...]:
    """The pointers of all flows. IntegrityError for one that cannot be read: what it uses is not known then."""
    found = []
    for path in sorted(project.flows.glob("*/*.json")):
        if not _NAME.fullmatch(path.stem):
            continue
        try:
            found.append(CurrentIndex(path.parent.name, path, str(json.loads(path.read_bytes())["index"])))
        except FileNotFoundError:
            continue
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise IntegrityError(
                f"the pointer cannot be read ({error})", where=path, remedy="build the flow again: genaiops build FLOW"
            ) from None
    return tuple(found)


def move_pointer(pointer: CurrentIndex, index: str) -> None:
    """Point to another index in one durable step; what else the file says stays."""
    data = json.loads(pointer.file.read_bytes())
    write_durably(pointer.file, json.dumps({**data, "index": index}))
