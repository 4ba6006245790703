"""What a build's documents are like, and the bar that they must not miss."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from pydantic import Field, field_validator

from genaiops.configuration import Settings
from genaiops.records import Document

if TYPE_CHECKING:
    from genaiops.cleansing.near_duplicates import NearDuplicate
    from genaiops.documents import Quarantined

UNKNOWN_LANGUAGE = "unknown"
_REDACTED = "redacted:"


class QualityBar(Settings):
    """`quality` of flow.yaml: what fails a build. Shares are of all documents that came in; None asks for nothing.

    `languages` are the only ones allowed, up to `max_other_language_share` of the kept documents.
    `max_quarantined` counts by kind (`{secret: 0}`). Chunk lengths are in characters.
    """

    min_documents: int | None = Field(default=None, ge=1)
    max_quarantined_share: float | None = Field(default=None, ge=0.0, le=1.0)
    max_quarantined: Mapping[str, int] = Field(default_factory=dict)
    max_duplicate_share: float | None = Field(default=None, ge=0.0, le=1.0)
    max_near_duplicate_share: float | None = Field(default=None, ge=0.0, le=1.0)
    languages: tuple[str, ...] = ()
    max_other_language_share: float = Field(default=0.0, ge=0.0, le=1.0)
    max_flagged_share: float | None = Field(default=None, ge=0.0, le=1.0)
    max_redactions: int | None = Field(default=None, ge=0)
    min_chunk_p5: int | None = Field(default=None, ge=1)
    max_chunk_p95: int | None = Field(default=None, ge=1)

    @field_validator("max_quarantined")
    @classmethod
    def _not_negative(cls, value: Mapping[str, int]) -> Mapping[str, int]:
        for kind, most in value.items():
            if kind not in QUARANTINE_KINDS:
                raise ValueError(f"no kind {kind!r}; there is {', '.join(QUARANTINE_KINDS)}")
            if most < 0:
                raise ValueError(f"must be at least 0, got {most} for {kind!r}")
        return value


QUARANTINE_KINDS = ("unreadable", "empty", "secret", "injection", "duplicate")


@dataclass(frozen=True, slots=True)
class ChunkLengths:
    """How long chunks are, in characters. The percentiles are lengths that occur (nearest rank)."""

    count: int
    min: int
    p5: int
    median: int
    p95: int
    max: int


@dataclass(frozen=True, slots=True)
class QualityReport:
    """Counts over one build. `documents_in` = `kept` + all quarantined, duplicates among them.

    `near_duplicates` counts the kept documents that are nearly an earlier one; `redactions` and `repairs` count
    edits by kind; `missing` how many kept documents lack a metadata field that others with the same file ending
    have; `flagged` the kept documents with any flag.
    """

    documents_in: int
    kept: int
    quarantined: Mapping[str, int] = field(default_factory=dict)
    duplicates: int = 0
    near_duplicates: int = 0
    empty: int = 0
    redactions: Mapping[str, int] = field(default_factory=dict)
    repairs: Mapping[str, int] = field(default_factory=dict)
    missing: Mapping[str, int] = field(default_factory=dict)
    languages: Mapping[str, int] = field(default_factory=dict)
    flags: Mapping[str, int] = field(default_factory=dict)
    flagged: int = 0
    chunks: ChunkLengths | None = None


class QualityCounter:
    """Gathers a report document by document, so that no corpus has to fit in memory."""

    def __init__(self) -> None:
        self._kept = self._flagged = 0
        self._quarantined: Counter[str] = Counter()
        self._near: list[NearDuplicate] = []
        self._edits: Counter[str] = Counter()
        self._languages: Counter[str] = Counter()
        self._flags: Counter[str] = Counter()
        self._endings: Counter[str] = Counter()
        self._present: Counter[tuple[str, str]] = Counter()  # (ending, field)
        self._lengths: Counter[int] = Counter()

    def add_document(self, document: Document) -> None:
        """A document that was kept."""
        self._kept += 1
        self._edits.update(kind for edit in document.edits for kind in edit.kind.split("+"))
        metadata = document.metadata
        self._languages[str(metadata.get("language") or UNKNOWN_LANGUAGE)] += 1
        flags = metadata.get("flags")
        if isinstance(flags, (list, tuple)) and flags:
            self._flagged += 1
            self._flags.update(map(str, flags))
        ending = PurePosixPath(document.id.partition("#")[0]).suffix.lower()
        self._endings[ending] += 1
        told = (key for key, value in metadata.items() if value is not None and value not in ("", [], {}))
        self._present.update((ending, key) for key in told)

    def add_quarantined(self, items: Iterable[Quarantined]) -> None:
        """Documents that were left out, whoever did it."""
        self._quarantined.update(item.kind for item in items)

    def add_near(self, pairs: Iterable[NearDuplicate]) -> None:
        """Pairs that are nearly the same."""
        self._near.extend(pairs)

    def add_chunks(self, lengths: Iterable[int]) -> None:
        """Lengths of chunks, in characters."""
        self._lengths.update(lengths)

    def report(self) -> QualityReport:
        edits = sorted(self._edits.items())
        return QualityReport(
            documents_in=self._kept + self._quarantined.total(),
            kept=self._kept,
            quarantined=_sorted(self._quarantined),
            duplicates=self._quarantined["duplicate"],
            near_duplicates=sum(not pair.dropped for pair in self._near),
            empty=self._quarantined["empty"],
            redactions={kind.removeprefix(_REDACTED): n for kind, n in edits if kind.startswith(_REDACTED)},
            repairs={kind: n for kind, n in edits if not kind.startswith(_REDACTED)},
            missing=self._missing(),
            languages=_sorted(self._languages),
            flags=_sorted(self._flags),
            flagged=self._flagged,
            chunks=_lengths(self._lengths),
        )

    def _missing(self) -> dict[str, int]:
        """Fields that some kept documents have and others of their kind lack. `flags` and labels are no gaps."""
        found: Counter[str] = Counter()
        for (ending, key), count in self._present.items():
            if key not in _OPTIONAL:
                found[key] += self._endings[ending] - count
        return {key: count for key, count in sorted(found.items()) if count}


_OPTIONAL = frozenset({"flags", "access", "sensitivity", "language"})


def missed(bar: QualityBar, report: QualityReport) -> tuple[str, ...]:
    """Every reason why the report misses the bar, () when it does not. What was not measured is a reason."""
    return (*_missed_counts(bar, report), *_missed_shares(bar, report), *_missed_chunks(bar, report))


def _missed_counts(bar: QualityBar, report: QualityReport) -> Iterable[str]:
    if bar.min_documents is not None and report.kept < bar.min_documents:
        yield f"documents kept: {report.kept} < min_documents {bar.min_documents}"
    for kind, most in sorted(bar.max_quarantined.items()):
        if report.quarantined.get(kind, 0) > most:
            yield f"quarantined as {kind}: {report.quarantined[kind]} > max_quarantined {most}"
    redactions = sum(report.redactions.values())
    if bar.max_redactions is not None and redactions > bar.max_redactions:
        yield f"redactions: {redactions} > max_redactions {bar.max_redactions}"


def _missed_shares(bar: QualityBar, report: QualityReport) -> Iterable[str]:
    refused = sum(report.quarantined.values()) - report.duplicates
    shares = (
        ("quarantined", refused, report.documents_in, bar.max_quarantined_share, "max_quarantined_share"),
        ("duplicates", report.duplicates, report.documents_in, bar.max_duplicate_share, "max_duplicate_share"),
        (
            "near duplicates",
            report.near_duplicates,
            report.kept,
            bar.max_near_duplicate_share,
            "max_near_duplicate_share",
        ),
        ("flagged", report.flagged, report.kept, bar.max_flagged_share, "max_flagged_share"),
    )
    for what, count, of, most, name in shares:
        if most is not None:
            yield from _missed_share(what, count, of, most, name)
    if bar.languages:
        if report.languages.get(UNKNOWN_LANGUAGE, 0) == report.kept:
            yield "languages: not measured; set cleansing.language: true"
            return
        others = sum(n for language, n in report.languages.items() if language not in bar.languages)
        most = bar.max_other_language_share
        what = f"languages other than {', '.join(bar.languages)}"
        yield from _missed_share(what, others, report.kept, most, "max_other_language_share")


def _missed_share(what: str, count: int, of: int, most: float, name: str) -> Iterable[str]:
    if of == 0:
        yield f"{what}: not measured, there is no document"
    elif count / of > most:
        yield f"{what}: {count} of {of} ({count / of:.3f}) > {name} {most:g}"


def _missed_chunks(bar: QualityBar, report: QualityReport) -> Iterable[str]:
    wanted = (("p5", bar.min_chunk_p5), ("p95", bar.max_chunk_p95))
    if report.chunks is None:
        yield from (
            f"chunk length {name}: not measured, there is no chunk" for name, bound in wanted if bound is not None
        )
        return
    if bar.min_chunk_p5 is not None and report.chunks.p5 < bar.min_chunk_p5:
        yield f"chunk length p5: {report.chunks.p5} < min_chunk_p5 {bar.min_chunk_p5}"
    if bar.max_chunk_p95 is not None and report.chunks.p95 > bar.max_chunk_p95:
        yield f"chunk length p95: {report.chunks.p95} > max_chunk_p95 {bar.max_chunk_p95}"


def lines(report: QualityReport) -> list[str]:
    """The report for a terminal: one fact per line, and none for what is all zero."""
    found = [f"documents      {report.documents_in} in, {report.kept} kept"]
    counts: Sequence[tuple[str, Mapping[str, int]]] = (
        ("quarantined", report.quarantined),
        ("redacted", report.redactions),
        ("repaired", report.repairs),
        ("flagged", report.flags),
        ("languages", report.languages),
        ("missing", report.missing),
    )
    found += (f"{name:<14} {_listed(items)}" for name, items in counts if items)
    if report.near_duplicates:
        found.append(f"{'near copies':<14} {report.near_duplicates}")
    if chunks := report.chunks:
        found.append(
            f"{'chunks':<14} {chunks.count}, characters: min {chunks.min}, p5 {chunks.p5}, median {chunks.median}, "
            f"p95 {chunks.p95}, max {chunks.max}"
        )
    return found


def _listed(counts: Mapping[str, int]) -> str:
    """Most frequent first."""
    return ", ".join(f"{name} {n}" for name, n in sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _sorted(counts: Counter[str]) -> dict[str, int]:
    return {key: n for key, n in sorted(counts.items()) if n}


def _lengths(counts: Counter[int]) -> ChunkLengths | None:
    total = counts.total()
    if not total:
        return None
    ordered = sorted(counts.items())
    p5, median, p95 = (_percentile(ordered, total, share) for share in (0.05, 0.5, 0.95))
    return ChunkLengths(total, ordered[0][0], p5, median, p95, ordered[-1][0])


def _percentile(ordered: Sequence[tuple[int, int]], total: int, share: float) -> int:
    """Nearest rank: the smallest length that at least `share` of the chunks do not exceed."""
    seen = 0
    for length, count in ordered:
        seen += count
        if seen >= share * total:
            return length
    return ordered[-1][0]
