"""Pointers: which index is current for which settings of which flow."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from genaiops.errors import IntegrityError, NotBuilt
from genaiops.files import write_durably
from genaiops.flow.settings import FlowSettings
from genaiops.project import Project
from genaiops.records import digest_of

BUILD_FORMAT = 1
_NAME = re.compile(r"[0-9a-f]{32}")


def pointer_file(project: Project, settings: FlowSettings, base: Path) -> Path:
    """Where the current index of these settings is named. Other settings, and a flow in another folder, have their own.

    `base` is the flow's folder; below the project it counts by its relative path, so a project can be moved.
    """
    base = base.resolve()
    place = base.relative_to(project.root) if base.is_relative_to(project.root) else base
    decides = [settings.documents, settings.cleansing, settings.index_part(), settings.embedding.model]
    key = digest_of([place.as_posix(), *decides, BUILD_FORMAT])
    return project.flows / settings.name / f"{key[:32]}.json"


def current_index(project: Project, settings: FlowSettings, base: Path) -> str:
    """Id of the index last built for these settings. Raises NotBuilt."""
    path = pointer_file(project, settings, base)
    try:
        return str(json.loads(path.read_text(encoding="utf-8"))["index"])
    except FileNotFoundError:
        others = path.parent.is_dir() and any(path.parent.glob("*.json"))
        raise NotBuilt(
            f"flow {settings.name!r} has no index for these settings"
            + (", only for others (documents, chunking, enrichment, embedding or index differ)" if others else ""),
            remedy="build it with the same --set options: genaiops build FLOW",
        ) from None
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise NotBuilt(f"cannot tell the current index ({error})", where=path, remedy="genaiops build FLOW") from None


def make_current(pointer: Path, index: str) -> None:
    """Make an index the current one. Nothing is written when it is already."""
    content = json.dumps({"index": index})
    if not (pointer.is_file() and pointer.read_bytes() == content.encode()):
        write_durably(pointer, content)


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
