"""Which positions of an index a query may find, decided from metadata before anything is searched."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genaiops.indexing.conditions import ACCESS_KEY, DOCUMENT_KEY, MISSING, parse_where, visible
from genaiops.records import Query, canonical_json

_REMEMBERED = 64  # selections; an application asks with the same few filters again and again


class Selection:
    """The positions that may be found, of an index of `size` chunks. Frozen; both legs of a search share it."""

    def __init__(self, mask: NDArray[np.bool_]) -> None:
        """`mask` is bool `[size]`, true where a position may be found."""
        self.mask = mask
        self.mask.setflags(write=False)

    @classmethod
    def of(cls, positions: Iterable[int], size: int) -> Selection:
        """The selection of exactly these positions. IndexError for one that is not in the index."""
        chosen = np.fromiter(positions, dtype=np.int64)
        if chosen.size and not 0 <= int(chosen.min()) <= int(chosen.max()) < size:
            raise IndexError(f"positions must be from 0 to {size - 1}")
        mask = np.zeros(size, dtype=np.bool_)
        mask[chosen] = True
        return cls(mask)

    @property
    def size(self) -> int:
        """How many chunks the index has, selected or not."""
        return len(self.mask)

    @cached_property
    def positions(self) -> NDArray[np.int64]:
        """The selected positions, ascending."""
        return np.flatnonzero(self.mask)

    @cached_property
    def bits(self) -> NDArray[np.uint8]:
        """One bit per chunk, the first of a byte lowest: what FAISS calls a bitmap."""
        return np.packbits(self.mask, bitorder="little")

    def __len__(self) -> int:
        return len(self.positions)

    def __contains__(self, position: int) -> bool:
        return 0 <= position < self.size and bool(self.mask[position])

    def __and__(self, other: Selection) -> Selection:
        return Selection(self.mask & other.mask)


class Columns:
    """The metadata of an index's chunks, by key. A filter is decided once per distinct value, not once per chunk."""

    def __init__(self, rows: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        """`rows` gives the document id and the metadata of every chunk, in the order of positions.

        The same mapping object for many chunks is looked at once.
        """
        documents: dict[str, int] = {}
        kinds: dict[int, int] = {}  # id of a mapping -> its number
        self._distinct: list[Mapping[str, Any]] = []  # keeps the mappings alive, so that their ids stay theirs
        of_document, of_kind = [], []
        for document, metadata in rows:
            of_document.append(documents.setdefault(document, len(documents)))
            number = kinds.setdefault(id(metadata), len(kinds))
            if number == len(self._distinct):
                self._distinct.append(metadata)
            of_kind.append(number)
        self._documents = list(documents)
        self.of_document = np.array(of_document, dtype=np.int32)
        self._of_kind = np.array(of_kind, dtype=np.int32)
        self._columns: dict[str, tuple[list[Any], NDArray[np.int32]]] = {}
        self._selections: OrderedDict[str, Selection | None] = OrderedDict()
        self._lock = Lock()

    def select(self, query: Query) -> Selection | None:
        """What `query.where` and `query.access` leave; None when that is every chunk. ConfigurationError."""
        conditions = parse_where(query.where)
        labels = None if query.access is None else frozenset(query.access)
        key = canonical_json([query.where, None if labels is None else sorted(labels)])
        with self._lock:
            if key in self._selections:
                self._selections.move_to_end(key)
                return self._selections[key]
            mask = self._where(ACCESS_KEY, lambda value: visible(value, labels))
            for condition in conditions:
                mask = mask & self._where(condition.key, condition.holds)
            selection = None if mask.all() else Selection(mask)
            self._selections[key] = selection
            if len(self._selections) > _REMEMBERED:
                self._selections.popitem(last=False)
            return selection

    def _where(self, key: str, holds: Callable[[Any], bool]) -> NDArray[np.bool_]:
        values, codes = self._column(key)
        table = np.fromiter((holds(value) for value in values), dtype=np.bool_, count=len(values))
        return table[codes]

    def _column(self, key: str) -> tuple[list[Any], NDArray[np.int32]]:
        """The distinct values under `key`, and for every chunk the number of its own."""
        if key == DOCUMENT_KEY:
            return self._documents, self.of_document
        if key not in self._columns:
            numbers: dict[str, int] = {}
            values: list[Any] = []
            codes = np.empty(len(self._distinct), dtype=np.int32)
            for row, metadata in enumerate(self._distinct):
                value = metadata.get(key, MISSING)
                name = "" if value is MISSING else canonical_json(value)
                codes[row] = numbers.setdefault(name, len(numbers))
                if codes[row] == len(values):
                    values.append(value)
            self._columns[key] = values, codes[self._of_kind]
        return self._columns[key]
