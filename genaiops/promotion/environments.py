"""What environments serve, served and are moved to."""

from __future__ import annotations

from dataclasses import dataclass

from genaiops.promotion.release import SHORT


@dataclass(frozen=True, slots=True)
class Pointer:
    """What one environment serves of one flow. `release` is None, and `flow` empty, where it serves nothing.

    `generation` counts the moves of this pointer; `since` is ISO 8601 in UTC.
    """

    environment: str
    flow: str = ""
    release: str | None = None
    generation: int = 0
    since: str = ""
    actor: str = ""


@dataclass(frozen=True, slots=True)
class Move:
    """What a promotion or rollback did. `changed` is False when the release was there already."""

    environment: str
    flow: str
    release: str
    previous: str | None
    generation: int
    changed: bool = True

    def __str__(self) -> str:
        if not self.changed:
            return f"{self.environment} serves {self.release[:SHORT]} already; nothing was changed"
        before = f", before it {self.previous[:SHORT]}" if self.previous else ""
        return f"{self.environment} serves {self.release[:SHORT]} of {self.flow} (generation {self.generation}{before})"


@dataclass(frozen=True, slots=True)
class Event:
    """One move in an environment's history. Order is by `sequence`, the number of its audit entry, never by time."""

    sequence: int
    environment: str
    flow: str
    generation: int
    action: str  # promote | rollback | replace
    release: str
    previous: str | None
    at: str
    actor: str


@dataclass(frozen=True, slots=True)
class Recorded:
    """One release the registry knows, and when it was made there."""

    digest: str
    flow: str
    sequence: int
    created_at: str
    actor: str
