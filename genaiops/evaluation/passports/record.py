"""The passport of a judge: its figures against human labels, one set for each source of labels."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genaiops.errors import IntegrityError, NotFound
from genaiops.files import write_durably
from genaiops.records import as_json, canonical_json, digest_of

if TYPE_CHECKING:
    from pydantic import TypeAdapter

PASSPORT_SCHEMA = 1
THRESHOLD = 0.5  # fixed beforehand; a threshold chosen on the labels would flatter the judge
MAX_BYTES = 1_000_000
SHORT = 12  # hex digits of a digest that people see


@dataclass(frozen=True, slots=True)
class Figure:
    """An estimate with the ends of its interval, at the confidence of the passport."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Confusion:
    """Rows by what the judge says at the threshold (positive: at or above it) and whether people agree."""

    true_positive: int
    false_positive: int
    true_negative: int
    false_negative: int

    @property
    def positive(self) -> int:
        """Rows that people call good."""
        return self.true_positive + self.false_negative

    @property
    def negative(self) -> int:
        """Rows that people call bad."""
        return self.true_negative + self.false_positive

    @property
    def n(self) -> int:
        return self.positive + self.negative


@dataclass(frozen=True, slots=True)
class SourceFigures:
    """What a judge is worth on the labels of one source.

    `unscored` rows have a label but got no value from the judge; no figure holds them.
    `auroc` and `balanced_accuracy` are None where the labels are all alike. `seen`: the
    judge was fitted on this source, so its figures flatter it and nothing is built on them.
    """

    source: str
    confusion: Confusion
    kappa: Figure
    auroc: Figure | None = None
    balanced_accuracy: Figure | None = None
    unscored: int = 0
    seen: bool = False

    @property
    def n(self) -> int:
        """Rows with a label and a value."""
        return self.confusion.n


@dataclass(frozen=True, slots=True)
class Passport:
    """A judge's figures. They hold for the judge of exactly this digest, up to and with the day `expires_at`.

    `measure` is the judge's name, `judge` its digest (which covers the embedder),
    `made_at` and `expires_at` are days (ISO 8601, UTC), `labels` is the digest of the
    rows it was compared with, `retired` why it may no longer be used ("" while it may).
    """

    measure: str
    judge: str
    made_at: str
    expires_at: str
    sources: tuple[SourceFigures, ...]
    labels: str = ""
    threshold: float = THRESHOLD
    confidence: float = 0.95
    made_with: str = ""  # version of genaiops
    retired: str = ""

    @property
    def n(self) -> int:
        """Rows with a label and a value, of all sources together. Figures are never pooled."""
        return sum(source.n for source in self.sources)

    def source(self, name: str) -> SourceFigures | None:
        """The figures of one source; None when there are none."""
        return next((found for found in self.sources if found.source == name), None)

    def refusal(self, judge: str, *, on: date | None = None) -> str:
        """Why this passport says nothing about the judge of digest `judge` on a day (default: today); "" if it does."""
        if self.retired:
            return f"the judge was retired: {self.retired}"
        if self.judge != judge:
            return (
                f"the passport is of judge {self.judge[:SHORT]}, this one is {judge[:SHORT]}: "
                "the judge or its embedder is another"
            )
        if (on or datetime.now(UTC).date()) > date.fromisoformat(self.expires_at):
            return f"the passport expired on {self.expires_at}"
        return ""

    def to_json(self) -> dict[str, Any]:
        """The content of a passport file: the passport and its digest."""
        content = as_json(self)
        return {"schema_version": PASSPORT_SCHEMA, "digest": digest_of(content), "passport": content}

    def save(self, path: Path) -> Path:
        """Write the file in one durable rename; returns `path`."""
        write_durably(path, canonical_json(self.to_json()) + "\n")
        return path

    @classmethod
    def load(cls, path: Path) -> Passport:
        """Read one passport file.

        Raises NotFound when there is none, IntegrityError when it is damaged, was
        edited, or was written by a newer version.
        """
        try:
            if path.stat().st_size > MAX_BYTES:
                raise IntegrityError(f"a passport has at most {MAX_BYTES:,} bytes", where=path, remedy=AGAIN)
            record = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise NotFound("there is no passport here", where=path, remedy=AGAIN) from None
        except (OSError, ValueError, RecursionError) as error:
            raise IntegrityError(f"the passport cannot be read: {error}", where=path, remedy=AGAIN) from None
        return _checked(record, path)


AGAIN = "make it again: genaiops judge calibrate FILE --measure MEASURE"


def _checked(record: Any, path: Path) -> Passport:
    version = record.get("schema_version") if isinstance(record, dict) else None
    if version != PASSPORT_SCHEMA:
        newer = isinstance(version, int) and version > PASSPORT_SCHEMA
        raise IntegrityError(
            f"the passport has schema version {version!r}, this genaiops reads {PASSPORT_SCHEMA}",
            where=path,
            remedy="upgrade: pip install --upgrade genaiops" if newer else AGAIN,
        )
    content = record.get("passport")
    try:
        found = digest_of(content) if isinstance(content, Mapping) else ""
    except (ValueError, RecursionError) as error:  # it holds NaN, which is no JSON
        raise IntegrityError(f"the passport cannot be read: {error}", where=path, remedy=AGAIN) from None
    if not isinstance(content, Mapping) or found != record.get("digest"):
        raise IntegrityError("the passport was changed after it was written", where=path, remedy=AGAIN)
    from pydantic import ValidationError

    try:
        passport = _reader().validate_python(content)
        date.fromisoformat(passport.made_at), date.fromisoformat(passport.expires_at)
    except (ValidationError, ValueError) as error:
        raise IntegrityError(f"the passport is not complete: {error}", where=path, remedy=AGAIN) from None
    return passport


@cache
def _reader() -> TypeAdapter[Passport]:
    from pydantic import TypeAdapter

    return TypeAdapter(Passport)
