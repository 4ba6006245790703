"""What lies today where a document was read from: an origin tells of the build alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote

from genaiops.documents.items import utc
from genaiops.documents.listing import name_problem, shown
from genaiops.documents.settings import URL
from genaiops.errors import GenaiopsError
from genaiops.files import sha256_of_file
from genaiops.flow.history import Built, all_histories
from genaiops.project import Project
from genaiops.records import Origin

_LOCAL = ("file://", "local://")


@dataclass(frozen=True, slots=True)
class SourceNow:
    """`place` is where was looked, relative to the project where it lies inside.

    `same` bytes as at the build, `changed`, `gone`, or `moved`: gone, and the same bytes are in another source of the
    newest build, at `place`. `modified` is when the file there last changed (ISO 8601, UTC), "" without one.
    """

    state: Literal["same", "changed", "gone", "moved"]
    place: str
    modified: str = ""

    def __str__(self) -> str:
        dated = f", dated {self.modified}" if self.modified else ""
        return {
            "same": f"the same bytes are at {self.place}{dated}",
            "changed": f"other bytes are at {self.place}{dated}",
            "gone": f"no longer there: {self.place}",
            "moved": f"no longer there; the newest build found the same bytes at {self.place}{dated}",
        }[self.state]


class Sources:
    """The local sources of a project's builds, each file read once for one lineage."""

    def __init__(self, project: Project) -> None:
        self._root = project.root
        self._built: dict[str, list[Built]] = {}
        with suppress(GenaiopsError):  # a damaged history leaves the question open
            for built in all_histories(project):
                self._built.setdefault(built.index, []).append(built)
        self._digests: dict[Path, str] = {}

    def now(self, index: str, document: str, origin: Origin) -> SourceNow | None:
        """None where nothing can be said without a connection or a query, or no build tells where the flow was."""
        builds = self._built.get(index, [])
        bases = [self._root / built.folder for built in reversed(builds) if origin.source in _paths(built)]
        looked: list[Path] = []
        for base in dict.fromkeys(bases):
            files = list(_files(base, origin.source, document))
            looked += files
            found = next((file for file in files if file.is_file()), None)
            if found is not None:
                return self._told("same" if self._digest(found) == origin.content else "changed", found)
        if not looked:
            return None
        newest = builds[-1]
        candidates = (file for path in _paths(newest) for file in _files(self._root / newest.folder, path, document))
        moved = next((file for file in candidates if file.is_file() and self._digest(file) == origin.content), None)
        return self._told("gone", looked[0]) if moved is None else self._told("moved", moved)

    def _digest(self, file: Path) -> str:
        if file not in self._digests:
            try:
                self._digests[file] = sha256_of_file(file)
            except OSError:  # it may not be read, so it is not what was read
                self._digests[file] = ""
        return self._digests[file]

    def _told(self, state: Literal["same", "changed", "gone", "moved"], file: Path) -> SourceNow:
        place = file.resolve()
        told = place.relative_to(self._root) if place.is_relative_to(self._root) else place
        try:
            modified = utc(file.stat().st_mtime) if state != "gone" else ""
        except OSError:
            modified = ""
        return SourceNow(state, told.as_posix(), modified)


def _paths(built: Built) -> list[str]:
    """The sources of a build that are files and folders, or URLs of them, as its flow.yaml named them."""
    documents: Mapping[str, Any] = built.settings.get("documents") or {}
    sources = documents.get("sources") or ()
    return [path for item in sources if (path := item if isinstance(item, str) else item.get("path", ""))]


def _files(base: Path, source: str, document: str) -> Iterator[Path]:
    """The files that may be the document's, of a source as flow.yaml names it; none for what is not local."""
    if URL.match(source):
        if not source.lower().startswith(_LOCAL):
            return
        source = unquote(source.partition("://")[2])
    fixed = source.partition("*")[0]
    place = base / (fixed if fixed == source else fixed.rpartition("/")[0] or ".")
    # A row of a table or a line is `FILE#ROW`; a file may have a # in its own name.
    names = list(dict.fromkeys((document, document.rpartition("#")[0] or document)))
    if any(shown(place.name) == name for name in names) and not place.is_dir():
        yield place  # the source is one file
        return
    yield from (_stored(place, name) for name in names if not name_problem(name))


def _stored(folder: Path, document: str) -> Path:
    """Where a document is below a folder: ids are Unicode NFC, and what a file system stored need not be."""
    place = folder
    for part in document.split("/"):
        entry = place / part
        with suppress(OSError):
            if not entry.exists():
                entry = next((found for found in place.iterdir() if shown(found.name) == part), entry)
        place = entry
    return place
