"""What every engine gives, and the engine that needs nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Protocol, TypeVar

from genaiops.errors import ConfigurationError

Block = TypeVar("Block")
Result = TypeVar("Result")


class Engine(Protocol):
    """Does the same work on many blocks."""

    @property
    def name(self) -> str: ...

    @property
    def workers(self) -> int:
        """How many blocks are worked on at once."""
        ...

    def map(self, work: Callable[[Block], Result], blocks: Iterable[Block]) -> Iterator[Result]:
        """The result of every block, in the order of the blocks, which are taken as workers become free."""
        ...


class LocalEngine:
    """One block after the other, in this process."""

    name = "local"
    workers = 1

    def map(self, work: Callable[[Block], Result], blocks: Iterable[Block]) -> Iterator[Result]:
        return map(work, blocks)


def _ray() -> Engine:
    from genaiops.flow.engines.ray import RayEngine

    return RayEngine()


ENGINES: Mapping[str, Callable[[], Engine]] = {"local": LocalEngine, "ray": _ray}


def engine_named(name: str) -> Engine:
    """The engine of that name. Raises ConfigurationError for one that nobody knows or that is not installed."""
    if name not in ENGINES:
        raise ConfigurationError(f"no engine {name!r}", remedy=f"there is {', '.join(sorted(ENGINES))}")
    return ENGINES[name]()
