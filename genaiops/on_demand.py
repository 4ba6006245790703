"""Sequences whose items are made when they are asked for, so that none has to be held."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TypeVar, overload

T = TypeVar("T")


class OnDemand(Sequence[T]):
    """A sequence by its length and `item`; negative positions, slices and bounds are those of a tuple."""

    @abstractmethod
    def item(self, position: int) -> T:
        """The item at `position`, which is at least 0 and below the length."""

    @overload
    def __getitem__(self, at: int) -> T: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[T, ...]: ...
    def __getitem__(self, at: int | slice) -> T | tuple[T, ...]:
        if isinstance(at, slice):
            return tuple(self.item(position) for position in range(*at.indices(len(self))))
        if not -len(self) <= at < len(self):
            raise IndexError(at)
        return self.item(at % len(self))
