"""Documents that say the same: which are left out, and which are only reported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from genaiops.documents import Quarantined
from genaiops.records import Document, canonical_json

# What decides who may read a document: a copy with other labels is never left out for one with these.
_LABELS = ("access", "sensitivity")
_DERIVED = ("language", "flags")


@dataclass(frozen=True, slots=True)
class NearDuplicate:
    """`document` is nearly `like`, which comes before it by id. `similarity`: Jaccard of word shingles, in [0, 1]."""

    document: str
    like: str
    similarity: float
    dropped: bool = False


@dataclass(frozen=True, slots=True)
class Compared:
    """A corpus after its documents were held against each other, sorted by id.

    `duplicates` maps every document left out to the one kept in its place; `quarantined` says so in words.
    `near` has, for each document that is nearly an earlier one, the most similar of those.
    """

    documents: tuple[Document, ...]
    quarantined: tuple[Quarantined, ...]
    duplicates: Mapping[str, str]
    near: tuple[NearDuplicate, ...] = ()


def without_duplicates(
    documents: Sequence[Document],
    *,
    drop: Literal["exact", "near", "keep"],
    threshold: float,
    cache: Path | None = None,
) -> Compared:
    """Compare every document with every other; the outcome does not depend on their order.

    The first by id is kept. Exact copies (equal but for white space) are left out only if their metadata are equal
    too, near ones only if `access` and `sensitivity` are; all others are reported as near. `cache` is an SQLite file.
    """
    from genaiops.cleansing.similarity import Similarities

    ordered = sorted(documents, key=lambda document: document.id)
    similar = Similarities([document.text for document in ordered], threshold=threshold, cache=cache)
    first: dict[tuple[bytes, str], int] = {}
    dropped: dict[int, int] = {}
    if drop != "keep":
        for position, document in enumerate(ordered):
            key = similar.exact[position], _facts(document)
            kept = first.setdefault(key, position)
            if kept != position:
                dropped[position] = kept
    near: list[NearDuplicate] = []
    for position, earlier in similar.earlier(leave_out=dropped.keys()):
        candidates = [(other, value) for other, value in earlier if other not in dropped]
        if not candidates:
            continue
        labels = _labels(ordered[position])
        replacing = [item for item in candidates if _labels(ordered[item[0]]) == labels] if drop == "near" else []
        other, value = max(replacing or candidates, key=lambda item: (item[1], -item[0]))
        if replacing:
            dropped[position] = other
        near.append(NearDuplicate(ordered[position].id, ordered[other].id, round(value, 4), bool(replacing)))
    return Compared(
        tuple(document for position, document in enumerate(ordered) if position not in dropped),
        tuple(_left_out(ordered[position], ordered[kept]) for position, kept in sorted(dropped.items())),
        {ordered[position].id: ordered[kept].id for position, kept in sorted(dropped.items())},
        tuple(near),
    )


def _facts(document: Document) -> str:
    """Metadata that came with a document, as one text: copies that differ here are found by different filters."""
    return canonical_json({key: value for key, value in document.metadata.items() if key not in _DERIVED})


def _labels(document: Document) -> str:
    return canonical_json([document.metadata.get(key) for key in _LABELS])


def _left_out(document: Document, kept: Document) -> Quarantined:
    return Quarantined(document.id, f"says the same as {kept.id!r}, which is kept", kind="duplicate")
