"""The passport of a judge: its figures against human labels, one set for each source of labels."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genaiops.evaluation.sealed_file import load_sealed, sealed
from genaiops.files import write_durably
from genaiops.records import as_json, canonical_json

if TYPE_CHECKING:
    from pydantic import TypeAdapter

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
    `constructed`: nobody gave these labels for this measure (the answers were made good or
    bad, or labels of something else stand in); means are not corrected by them.
    """

    source: str
    confusion: Confusion
    kappa: Figure
    auroc: Figure | None = None
    balanced_accuracy: Figure | None = None
    unscored: int = 0
    seen: bool = False
    constructed: bool = False

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
        return sealed("passport", as_json(self))

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
        again = "make it again: genaiops judge calibrate FILE --measure MEASURE"
        return load_sealed(path, "passport", _read, again=again, most=MAX_BYTES)


def _read(content: Any) -> Passport:
    passport = _reader().validate_python(content)
    date.fromisoformat(passport.made_at), date.fromisoformat(passport.expires_at)
    return passport


@cache
def _reader() -> TypeAdapter[Passport]:
    from pydantic import TypeAdapter

    return TypeAdapter(Passport)
