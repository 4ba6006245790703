"""Every error a user can act on: what happened, where, and what to do next.

The class decides the exit code of a command: 1 a gate refused, 2 the user must
change something (usage, configuration, damaged files), 3 trying again may help
(an outage, a lost race). Anything that is not a `GenaiopsError` is a bug of ours.
"""

from __future__ import annotations

from pathlib import Path


class GenaiopsError(Exception):
    """An error with a place and a remedy.

    `what` is one sentence; `where` is a file with an optional line, or the name of
    the thing concerned; `remedy` is the next command or edit.
    """

    exit_code = 2

    def __init__(
        self, what: str, *, where: str | Path | None = None, line: int | None = None, remedy: str = ""
    ) -> None:
        self.what = what
        self.where = "" if where is None else f"{where}:{line}" if line is not None else str(where)
        self.remedy = remedy
        super().__init__(what)

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        remedy = f"\n  {self.remedy}" if self.remedy else ""
        return f"{place}{self.what}{remedy}"

    @property
    def in_one_line(self) -> str:
        """As `str`, for records and tables: the remedy follows after a semicolon."""
        what, remedy = (" ".join(text.split()) for text in (f"{self.where}: {self.what}", self.remedy))
        what = what.removeprefix(": ")
        return f"{what.rstrip(' .;')}; {remedy}" if remedy else what


class ConfigurationError(GenaiopsError):
    """A file or option the user wrote cannot be used as it stands."""


class DocumentError(GenaiopsError):
    """One document cannot be read; a build quarantines it, `--strict` raises this."""


class SourceError(GenaiopsError):
    """A source of documents cannot be reached or breaks off; what was built before stays current."""

    exit_code = 3


class GoldenSetError(GenaiopsError):
    """A golden set has a broken line, a duplicate id or a quote found in no document."""


class NotBuilt(GenaiopsError):
    """The flow has no index for its current settings."""


class IndexMismatch(GenaiopsError):
    """The index was built by another embedder or other settings than those asked for."""


class IntegrityError(GenaiopsError):
    """A file on disk is not the file whose digest was recorded."""


class StorageError(GenaiopsError):
    """The disk is full, read-only or failing; what was there before is untouched."""


class NotFound(GenaiopsError):
    """A run, release, environment or document of that name does not exist."""


class GateRefused(GenaiopsError):
    """A release lacks the passing verdict that a promotion needs."""

    exit_code = 1


class ModelError(GenaiopsError):
    """A model endpoint is down, too slow, out of quota or answered garbage.

    `retryable` says whether the same call may succeed later; `status` is the HTTP
    status and `retry_after_s` the wait in seconds, where the endpoint gave them.
    """

    exit_code = 3

    def __init__(
        self,
        what: str,
        *,
        where: str | Path | None = None,
        remedy: str = "",
        status: int | None = None,
        retryable: bool = True,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(what, where=where, remedy=remedy)
        self.status = status
        self.retryable = retryable
        self.retry_after_s = retry_after_s


class ModelTimeout(ModelError):
    """A model endpoint took longer than it was given."""


class StoreUnavailable(GenaiopsError):
    """A database that holds an index is down, too slow or out of room; asking again later may help."""

    exit_code = 3


class Conflict(GenaiopsError):
    """Somebody else moved an environment first; read it again and retry."""

    exit_code = 3


class EngineError(GenaiopsError):
    """The cluster that should do the work cannot be reached, or lost it again and again."""

    exit_code = 3
