"""How far an index is behind its sources: the newest source against the newest chunk."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from genaiops.flow import Flow
from genaiops.flow.gathering import gather
from genaiops.flow.history import read_history
from genaiops.indexing import read_manifest

_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Behind:
    """A document whose source and index differ. `modified` is when its source last changed, "" where nobody says.

    `hours` is for how long the index has been behind: since `modified`, but not from before the sources were last
    read (what was there then is in the index). Of a source that is gone or has no date, that reading is all one knows.
    """

    document: str
    state: Literal["changed", "new", "gone"]
    modified: str
    hours: float


@dataclass(frozen=True, slots=True)
class Freshness:
    """`read_at` is when the index's sources were last read, `newest_source` when one of them last changed.

    `lag_hours` is the longest any document has been behind, 0 when the index holds everything as it is. All times
    are ISO 8601 in UTC.
    """

    flow: str
    index: str
    read_at: str
    newest_source: str
    documents: int
    behind: tuple[Behind, ...]
    lag_hours: float
    objective_hours: float | None

    @property
    def met(self) -> bool:
        """Whether no document is behind for longer than the objective; without one, whether none is behind."""
        return not self.behind if self.objective_hours is None else self.lag_hours <= self.objective_hours


def freshness(flow: Flow, *, objective_hours: float | None = None, now: datetime | None = None) -> Freshness:
    """Compare the sources as they are with the current index. Raises NotBuilt when there is none.

    `objective_hours` takes the place of `freshness.objective_hours` of flow.yaml.
    """
    now = (now or datetime.now(UTC)).astimezone(UTC)
    index = flow.index_id
    manifest = read_manifest(flow.project.indexes / index)
    read_at = _read_at(flow, index) or str(manifest.facts.get("built_at", ""))
    gathered = gather(flow.project, flow.settings, flow.folder, cache=flow.project.cache)
    now_there = {name: digest for name, digest in gathered.listed}
    held = {document.id: document.digest for document in flow.documents()}
    changed_at = {d.id: d.origin.modified if d.origin is not None else "" for d in gathered.documents}
    states: dict[str, Literal["changed", "new", "gone"]] = {
        **{name: "changed" for name in now_there.keys() & held.keys() if now_there[name] != held[name]},
        **{name: "new" for name in now_there.keys() - held.keys()},
        **{name: "gone" for name in held.keys() - now_there.keys()},
    }
    behind = tuple(
        Behind(name, state, changed_at.get(name, ""), _hours(changed_at.get(name, ""), read_at, now))
        for name, state in sorted(states.items())
    )
    wanted = flow.settings.freshness.objective_hours if objective_hours is None else objective_hours
    lag = max((item.hours for item in behind), default=0.0)
    newest = max(changed_at.values(), default="")
    return Freshness(flow.name, index, read_at, newest, len(held), behind, lag, wanted)


def _read_at(flow: Flow, index: str) -> str:
    """When a build last found the sources to be what this index holds."""
    times = [built.built_at for built in read_history(flow.project, flow.name) if built.index == index]
    return max(times, default="")


def _hours(modified: str, read_at: str, now: datetime) -> float:
    # A file may be older than its copying into the folder: it cannot have been there when the sources were read.
    since = max(_moment(modified), _moment(read_at)) if modified else _moment(read_at)
    return max(0.0, (now - since).total_seconds() / _HOUR)


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
