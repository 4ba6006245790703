"""Where passports are kept: a project's own, and those that come with the shipped judges."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from genaiops.errors import ConfigurationError, GenaiopsError, IntegrityError, NotFound
from genaiops.evaluation.passports.record import SHORT, Passport

SHIPPED = Path(__file__).with_name("shipped")


@dataclass(frozen=True, slots=True)
class Kept:
    """One passport file: the passport, or why it cannot be used (`problem`)."""

    path: Path
    passport: Passport | None
    problem: str = ""

    @property
    def shipped(self) -> bool:
        return self.path.parent == SHIPPED


@dataclass(frozen=True, slots=True)
class Shelf:
    """The passports of `folder` (the project's own; None: none), before those that are shipped.

    The project's passport of a judge takes the place of a shipped one of the same
    judge, also when its file is damaged: it may have said that the judge was retired.
    """

    folder: Path | None = None
    shipped: Path = SHIPPED

    def path_of(self, measure: str, judge: str) -> Path:
        """Where the project's passport of this judge is kept; ConfigurationError for a shelf without a folder."""
        if self.folder is None:
            raise ConfigurationError("this shelf has no folder to keep a passport in", remedy="Shelf(Path(…))")
        return self.folder / file_name(measure, judge)

    def kept(self) -> list[Kept]:
        """Every passport file, the project's first; a shipped one that the project replaces is left out."""
        own = [_read(path) for path in _files(self.folder)]
        names = {item.path.name for item in own}
        shipped = [_read(path) for path in _files(self.shipped)]
        return own + [
            item
            for item in shipped
            if item.passport is None or file_name(item.passport.measure, item.passport.judge) not in names
        ]

    def find(self, measure: str, judge: str) -> Passport | None:
        """The passport of exactly this judge, be it expired or retired; None when there is none that can be read."""
        found = self._of(measure, judge)
        return found.passport if found is not None else None

    def damage(self, measure: str, judge: str) -> str:
        """Why the project's own file for this judge cannot be used, with the remedy; "" when it can, or is not there.

        It may have said that the judge was retired.
        """
        found = self._of(measure, judge)
        problem = "" if found is None else found.problem
        return f"{problem}; restore the file, or delete it to put the judge into use again" if problem else ""

    def standing(self, measure: str, judge: str, *, on: date | None = None) -> Passport | str:
        """The passport that holds for this judge on a day (default: today), or why none does, with the remedy."""
        found = self._of(measure, judge)
        again = f"genaiops judge calibrate FILE --measure {measure}"
        if found is None:
            others = sorted(
                {k.passport.judge[:SHORT] for k in self.kept() if k.passport and k.passport.measure == measure}
            )
            known = (
                f" (there is one of {', '.join(others)}: the judge or its embedder is another now)" if others else ""
            )
            return f"judge {judge[:SHORT] or 'without a digest'} has no passport{known}; {again}"
        if found.passport is None:
            return self.damage(measure, judge)
        refusal = found.passport.refusal(judge, on=on)
        if not refusal:
            return found.passport
        return refusal if found.passport.retired else f"{refusal}; {again}"

    def keep(self, passport: Passport) -> Path:
        """Keep a passport; returns its file. ConfigurationError when the judge was retired, or may have been.

        It may have been where the project's file for it cannot be read.
        """
        path = self.path_of(passport.measure, passport.judge)
        before = self._of(passport.measure, passport.judge) if path.exists() else None
        remedy = "delete this file to put the judge into use again"
        if before is not None and before.problem:
            what = "the passport that is kept here cannot be read, and may have said that the judge is retired"
            raise ConfigurationError(what, where=path, remedy=f"restore it, or {remedy}")
        if before is not None and before.passport is not None and before.passport.retired:
            raise ConfigurationError(f"the judge was retired: {before.passport.retired}", where=path, remedy=remedy)
        return passport.save(path)

    def retire(self, measure: str, judge: str, reason: str) -> Path:
        """Say that a judge may no longer be used, and why. NotFound when it has no passport."""
        if not reason.strip():
            raise ConfigurationError("say why the judge is retired", remedy="--reason TEXT")
        found = self.find(measure, judge)
        if found is None:
            raise NotFound(f"judge {judge[:SHORT]} of {measure} has no passport", remedy="genaiops judge list")
        return replace(found, retired=reason.strip()).save(self.path_of(measure, judge))

    def _of(self, measure: str, judge: str) -> Kept | None:
        own = self.folder / file_name(measure, judge) if self.folder is not None else None
        if own is not None and own.exists():
            kept = _read(own)
            if kept.passport is not None and (kept.passport.measure, kept.passport.judge) != (measure, judge):
                return Kept(own, None, f"{own}: this file holds the passport of another judge")
            return kept
        shipped = (_read(path) for path in _files(self.shipped))
        return next(
            (k for k in shipped if k.passport and (k.passport.measure, k.passport.judge) == (measure, judge)), None
        )


def file_name(measure: str, judge: str) -> str:
    """`groundedness-0a1b2c3d4e5f6a7b.json`: the measure as far as it can be in a file name, and 16 hex digits."""
    return f"{re.sub(r'[^a-z0-9_@-]+', '-', measure.lower())}-{judge[:16]}.json"


def _files(folder: Path | None) -> list[Path]:
    return sorted(folder.glob("[!.]*.json")) if folder is not None and folder.is_dir() else []


def _read(path: Path) -> Kept:
    try:
        return Kept(path, Passport.load(path))
    except (IntegrityError, NotFound) as error:
        return Kept(path, None, f"{error.where}: {error.what}")
    except GenaiopsError as error:
        return Kept(path, None, str(error))
