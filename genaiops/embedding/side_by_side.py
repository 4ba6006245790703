"""Batches that pass through a model side by side, each in one thread of torch's."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Made = TypeVar("Made")

_HELD: list[threading.Lock] = [threading.Lock()]
_WORKERS: dict[int, ThreadPoolExecutor] = {}  # by their number; kept, as torch's settings of a thread are


def _forget() -> None:
    _HELD[0] = threading.Lock()
    _WORKERS.clear()


os.register_at_fork(after_in_child=_forget)  # a fork has none of its parent's threads, but what they held


def side_by_side(work: Callable[[Item], Made], items: Sequence[Item], workers: int) -> list[Made]:
    """`work` of every item, in order, in as many threads as there are `workers`, which all callers share.

    The first error ends it, and what has not begun is not begun.
    """
    running = [_workers(workers).submit(work, item) for item in items]
    try:
        return [future.result() for future in running]
    finally:
        for future in running:
            future.cancel()


def _workers(count: int) -> ThreadPoolExecutor:
    with _HELD[0]:
        if count not in _WORKERS:
            _WORKERS[count] = _started(count)
        return _WORKERS[count]


def _started(count: int) -> ThreadPoolExecutor:
    import torch

    pool = ThreadPoolExecutor(count, "genaiops-embedding")
    together = threading.Barrier(count + 1)

    def settle() -> None:
        torch.set_num_threads(1)
        together.wait()

    for _ in range(count):
        pool.submit(settle)
    together.wait()
    # The number that a worker sets is also what threads start with that torch has not met: they shall have all.
    torch.set_num_threads(count)
    return pool
