"""Answers are made in worker threads and heard in the event loop, a bounded number at once."""

from __future__ import annotations

import asyncio
import logging
import threading
from queue import SimpleQueue

from genaiops.records import Answer, Query
from genaiops.serving.api_errors import busy
from genaiops.serving.servable import Servable

_log = logging.getLogger(__name__)


class ListenerLeft(Exception):
    """Raised inside a generation, out of `emit`, when its client has gone."""


class Generation:
    """One `ask` in a worker thread. The event loop awaits `next_event`: pieces, then the Answer or the error."""

    def __init__(self, servable: Servable, query: Query) -> None:
        self._servable, self._query = servable, query
        self._loop = asyncio.get_running_loop()
        self._events: asyncio.Queue[str | Answer | BaseException] = asyncio.Queue()
        self._left = threading.Event()

    async def next_event(self) -> str | Answer | BaseException:
        return await self._events.get()

    def leave(self) -> None:
        """Nobody listens any more: the generation ends at its next piece, a waiting listener at once."""
        self._left.set()
        self._events.put_nowait(ListenerLeft())

    def run(self) -> None:
        """Make the answer; called in a worker thread. Every outcome becomes an event."""
        try:
            if self._left.is_set():
                raise ListenerLeft
            self._tell(self._servable.ask(self._query, self._emit))
        except BaseException as error:
            self._tell(error)

    def _emit(self, piece: str) -> None:
        if self._left.is_set():
            raise ListenerLeft
        if piece:
            self._tell(piece)

    def _tell(self, event: str | Answer | BaseException) -> None:
        try:
            self._loop.call_soon_threadsafe(self._events.put_nowait, event)
        except RuntimeError:  # the loop has closed: the service is gone, and so is everybody who listened
            raise ListenerLeft from None


class Generations:
    """At most `concurrent` generations at once, at most `queue` requests waiting, each for `wait_s` at most.

    A slot is free again when its thread has really ended, not when its client left: so the bound holds for
    what runs. Threads are daemons, that a hung generation cannot keep the process alive, and are used again,
    because numeric libraries keep a pool of their own for each thread they meet.
    """

    def __init__(self, *, concurrent: int, queue: int, wait_s: float) -> None:
        self._concurrent, self._queue, self._wait_s = concurrent, queue, wait_s
        self._free = asyncio.Semaphore(concurrent)
        self._work: SimpleQueue[tuple[Generation, asyncio.AbstractEventLoop]] = SimpleQueue()
        self._threads = 0
        self.running = 0
        self.waiting = 0

    async def start(self, servable: Servable, query: Query) -> Generation:
        """Begin to answer, in a moment or now; ApiError 503 with Retry-After when there is no room."""
        if self._free.locked() and self.waiting >= self._queue:
            raise busy(f"all {self._concurrent} places are taken and {self.waiting} requests wait; try again shortly")
        self.waiting += 1
        try:
            async with asyncio.timeout(self._wait_s):
                await self._free.acquire()
        except TimeoutError:
            raise busy(f"no place became free within {self._wait_s:g} s", retry_s=self._wait_s) from None
        finally:
            self.waiting -= 1
        self.running += 1
        if self._threads < self.running:
            self._threads += 1
            threading.Thread(target=self._serve, name=f"genaiops-answer-{self._threads}", daemon=True).start()
        generation = Generation(servable, query)
        self._work.put((generation, asyncio.get_running_loop()))
        return generation

    def _serve(self) -> None:
        while True:
            generation, loop = self._work.get()
            try:
                generation.run()
                loop.call_soon_threadsafe(self._ended)
            except (RuntimeError, ListenerLeft):
                _log.debug("a generation outlived its service")
            del generation  # a swapped-out release must not live on in an idle thread

    def _ended(self) -> None:
        self.running -= 1
        self._free.release()
