"""Documents that say the same: which are left out, and which are only reported."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from genaiops.documents import Quarantined
from genaiops.on_demand import OnDemand
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


class Kept(OnDemand[Document]):
    """Some documents of a sequence, in an order of their own, each taken from there when it is asked for."""

    def __init__(self, documents: Sequence[Document], positions: Sequence[int]) -> None:
        self._documents = documents
        self._positions = positions

    def __len__(self) -> int:
        return len(self._positions)

    def item(self, position: int) -> Document:
        return self._documents[self._positions[position]]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class Compared:
    """A corpus after its documents were held against each other, sorted by id.

    `duplicates` maps every document left out to the one kept in its place; `quarantined` says so in words.
    `near` has, for each document that is nearly an earlier one, the most similar of those.
    """

    documents: Sequence[Document]
    quarantined: tuple[Quarantined, ...]
    duplicates: Mapping[str, str]
    near: tuple[NearDuplicate, ...] = ()


@dataclass(frozen=True, slots=True)
class _Card:
    """What is held of one document while all are compared."""

    id: str
    facts: bytes
    labels: bytes


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
    Documents are read once, and those that may be alike once more; they need not fit in memory together.
    """
    from genaiops.cleansing.similarity import Similarities

    cards: list[_Card] = []

    def texts() -> Iterator[str]:
        for document in documents:
            cards.append(_card(document))
            yield document.text

    similar = Similarities(texts(), lambda n: documents[n].text, threshold=threshold, cache=cache)
    order = sorted(range(len(cards)), key=lambda n: cards[n].id)
    dropped = _exact_copies(order, cards, similar.exact) if drop != "keep" else {}
    near: list[NearDuplicate] = []
    for later, earlier in similar.earlier([n for n in order if n not in dropped]):
        candidates = [(other, value) for other, value in earlier if other not in dropped]
        alike = [item for item in candidates if drop == "near" and cards[item[0]].labels == cards[later].labels]
        if not candidates:
            continue
        # The most similar one; the first of those.
        other, value = max(alike or candidates, key=lambda item: item[1])
        if alike:
            dropped[later] = other
        near.append(NearDuplicate(cards[later].id, cards[other].id, round(value, 4), bool(alike)))
    left_out = [(cards[n].id, cards[dropped[n]].id) for n in order if n in dropped]
    return Compared(
        Kept(documents, [n for n in order if n not in dropped]),
        tuple(Quarantined(name, f"says the same as {kept!r}, which is kept", "duplicate") for name, kept in left_out),
        dict(left_out),
        tuple(near),
    )


def _exact_copies(order: Sequence[int], cards: Sequence[_Card], exact: Sequence[bytes]) -> dict[int, int]:
    """Position of each copy → that of the first of its kind in `order`."""
    first: dict[tuple[bytes, bytes], int] = {}
    found = {n: first.setdefault((exact[n], cards[n].facts), n) for n in order}
    return {n: kept for n, kept in found.items() if n != kept}


def _card(document: Document) -> _Card:
    """`facts` are the metadata that came with a document: copies that differ there are found by different filters."""
    facts = {key: value for key, value in document.metadata.items() if key not in _DERIVED}
    return _Card(document.id, _digest(facts), _digest([document.metadata.get(key) for key in _LABELS]))


def _digest(value: object) -> bytes:
    return hashlib.blake2b(canonical_json(value).encode(), digest_size=16).digest()
