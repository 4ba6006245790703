"""A judge compared with people: rows with a human label become the judge's passport."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genaiops.errors import ConfigurationError
from genaiops.evaluation.passports.figures import source_figures
from genaiops.evaluation.passports.record import THRESHOLD, Passport, SourceFigures
from genaiops.evaluation.records import Measure, Sample
from genaiops.evaluation.scoring import outcomes_of
from genaiops.generation import is_refusal
from genaiops.golden_sets.json_lines import Fault, all_faults, read_json_lines
from genaiops.records import Outcome, Score, digest_of

if TYPE_CHECKING:
    from genaiops.golden_sets.json_lines import Row

LABEL_KEYS = ("label", "human", "grounded")
VALID_DAYS = 365
OWN = "own labels"  # the source of rows that name none


@dataclass(frozen=True, slots=True)
class Labelled:
    """One answer and what people say of it: `label` in [0, 1], good from 0.5."""

    sample: Sample
    label: float
    source: str = OWN


def read_labels(path: Path) -> tuple[list[Labelled], int]:
    """The labelled rows of a JSON-lines file, and how many rows still wait for their label.

    A row is `{answer, label[, question][, contexts][, reference][, id][, source]}`; the
    label may also be called `human` or `grounded`, and is true, false or a number from 0
    to 1; null waits. Other keys are left alone. One ConfigurationError lists every broken
    line with `file:line`; NotFound without the file.
    """
    lines, faults = read_json_lines(path, "file of labels")
    found: list[Labelled] = []
    waiting = 0
    for line in lines:
        problems = _problems(line.data)
        faults.extend(Fault(line.line, problem) for problem in problems)
        if not problems:
            row = _labelled(line)
            waiting += row is None
            found += [row] if row is not None else []
    if faults:
        raise all_faults(ConfigurationError, path, faults)
    return found, waiting


def calibrate(
    measure: Measure,
    rows: Sequence[Labelled],
    *,
    expires: date | None = None,
    made: date | None = None,
    confidence: float = 0.95,
    seen: Collection[str] = (),
    constructed: Collection[str] = (),
) -> Passport:
    """Judge every row and compare with its label, source by source; nothing is fitted or chosen on the rows.

    `seen` are the sources that the judge was fitted on, `constructed` those whose labels nobody gave (see
    SourceFigures).
    Made today and valid for a year unless the days are given. ConfigurationError for a
    measure that no judge decides or whose values are not in [0, 1], for labels that are
    all alike, for a row that is there twice, when the judge scored no row, and for an
    expiry in the past.
    """
    from genaiops import __version__

    made = made or datetime.now(UTC).date()
    expires = expires or made + timedelta(days=VALID_DAYS)
    if not measure.judge or not measure.unit_interval:
        raise ConfigurationError(
            f"measure {str(measure)!r} is not decided by a judge with values from 0 to 1: there is nothing to calibrate"
        )
    if expires <= made:
        raise ConfigurationError(f"the passport would expire on {expires}, before it counts", remedy="a later day")
    if len({row.label >= THRESHOLD for row in rows}) < 2:
        raise ConfigurationError(
            f"{len(rows)} labels, all alike: a judge is compared on good answers and on bad ones",
            remedy="label at least some of each; about 50 of each give intervals of use",
        )
    _refuse_repeated(rows)
    outcomes = outcomes_of(measure, [row.sample for row in rows])
    names = dict.fromkeys(row.source for row in rows)
    sources = [
        replace(_figures(name, rows, outcomes, confidence), seen=name in seen, constructed=name in constructed)
        for name in names
    ]
    scored = tuple(source for source in sources if source.n)
    if not scored:
        reason = getattr(outcomes[0], "reason", "")
        raise ConfigurationError(f"the judge scored none of the {len(rows)} rows: {reason}")
    return Passport(
        measure=str(measure),
        judge=measure.judge,
        made_at=made.isoformat(),
        expires_at=expires.isoformat(),
        sources=scored,
        labels=labels_digest(rows),
        confidence=confidence,
        made_with=__version__,
    )


def labels_digest(rows: Sequence[Labelled]) -> str:
    """Digest of the labelled rows, whatever their order."""
    return digest_of(sorted(digest_of([row.sample, row.label, row.source]) for row in rows))


def _refuse_repeated(rows: Sequence[Labelled]) -> None:
    """A row counted twice narrows every interval without anybody having labelled more."""
    seen: dict[tuple[object, ...], str] = {}
    for place, row in enumerate(rows, start=1):
        sample = row.sample
        key = (row.source, sample.question, sample.answer, tuple(sample.contexts), sample.reference)
        name = sample.id or str(place)
        if key in seen:
            raise ConfigurationError(
                f"row {name!r} is there twice: {seen[key]!r} has the same question, answer and contexts",
                remedy="keep one row of each answer; of several people's labels, their mean",
            )
        seen[key] = name


def _figures(name: str, rows: Sequence[Labelled], outcomes: Sequence[Outcome], confidence: float) -> SourceFigures:
    mine = [(row.label, outcome) for row, outcome in zip(rows, outcomes, strict=True) if row.source == name]
    scored = [(label >= THRESHOLD, outcome.value) for label, outcome in mine if isinstance(outcome, Score)]
    labels, values = [label for label, _ in scored], [value for _, value in scored]
    return source_figures(name, labels, values, confidence=confidence, unscored=len(mine) - len(scored))


def _labelled(line: Row) -> Labelled | None:
    data = line.data
    label = data[next(key for key in LABEL_KEYS if key in data)]
    if label is None:
        return None
    sample = Sample(
        str(data.get("id") or line.line),
        data.get("question") or "",
        data["answer"],
        tuple(data.get("contexts") or ()),
        data.get("reference") or "",
        is_refusal(data["answer"]),
    )
    return Labelled(sample, float(label), data.get("source") or OWN)


def _problems(data: Mapping[str, Any]) -> list[str]:
    found = [] if isinstance(data.get("answer"), str) else ["answer must be a text"]
    for key in ("question", "reference", "source"):
        if not isinstance(data.get(key) or "", str):
            found.append(f"{key} must be a text, got {data[key]!r:.80}")
    contexts = data.get("contexts") or []
    if not isinstance(contexts, list) or not all(isinstance(text, str) for text in contexts):
        found.append(f"contexts must be a list of texts, got {contexts!r:.80}")
    given = [key for key in LABEL_KEYS if key in data]
    if len(given) != 1:
        which = f"{' and '.join(given)} are all there" if given else "none is there"
        return [*found, f"a row needs its human label under one of {', '.join(LABEL_KEYS)}; {which}"]
    label = data[given[0]]
    if label is not None and not (isinstance(label, (bool, int, float)) and 0 <= label <= 1):
        remedy = "; of marks from 1 to 5, give (mark - 1) / 4" if isinstance(label, (int, float)) else ""
        found.append(f"{given[0]} must be true, false, null or a number from 0 to 1, got {label!r:.80}{remedy}")
    return found
