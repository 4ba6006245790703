"""The workers of a Ray cluster: the one that RAY_ADDRESS names, else one on this machine for as long as we run."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from genaiops.errors import ConfigurationError, EngineError, GenaiopsError

Block = TypeVar("Block")
Result = TypeVar("Result")

_TRIES = 3  # more of a block whose worker died
_AHEAD = 2  # blocks per worker that are handed out before their results are taken


class RayEngine:
    """Blocks become tasks. A task whose worker dies runs again elsewhere; a task that raises does not."""

    name = "ray"

    def __init__(self) -> None:
        """Raises ConfigurationError without the package ray, EngineError when no cluster can be reached."""
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # it would tell its makers over the network
        try:
            import ray
        except ImportError:
            raise ConfigurationError(
                "the engine 'ray' needs the package ray", remedy="pip install 'genaiops[ray]'"
            ) from None
        self._ray: Any = ray
        if not ray.is_initialized():
            try:
                ray.init(include_dashboard=False, log_to_driver=False, logging_level="warning")
            except (ConnectionError, RuntimeError, ValueError, OSError) as error:
                raise EngineError(
                    f"no Ray cluster: {str(error).splitlines()[0]}",
                    where=os.environ.get("RAY_ADDRESS", "this machine"),
                    remedy="check RAY_ADDRESS, or leave it unset for a cluster on this machine",
                ) from None

    @property
    def workers(self) -> int:
        return max(1, int(self._ray.cluster_resources().get("CPU", 1)))

    def map(self, work: Callable[[Block], Result], blocks: Iterable[Block]) -> Iterator[Result]:
        """See Engine. Raises what `work` raised, or EngineError when a block's workers died again and again."""
        run = self._ray.remote(max_retries=_TRIES)(_run)
        shared = self._ray.put(work)  # once for all blocks: it may hold a whole chunker
        most = _AHEAD * self.workers
        waiting: deque[Any] = deque()
        for block in blocks:
            waiting.append(run.remote(shared, block))
            if len(waiting) >= most:
                yield self._result(waiting.popleft())
        while waiting:
            yield self._result(waiting.popleft())

    def _result(self, task: Any) -> Any:
        errors = self._ray.exceptions
        try:
            return self._ray.get(task)
        except errors.RayTaskError as error:
            if isinstance(error.cause, GenaiopsError):
                raise error.cause from None
            raise
        except errors.RayError as error:
            raise EngineError(
                f"a block was given up after {1 + _TRIES} tries: {str(error).splitlines()[0]}",
                remedy="look at the cluster's memory and logs, then build again: what was done is not done again",
            ) from None


def _run(work: Callable[[Any], Any], block: Any) -> Any:
    return work(block)
