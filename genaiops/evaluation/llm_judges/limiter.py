"""How many calls run at once: more while the endpoint keeps up, half as many when it says that it does not."""

from __future__ import annotations

import asyncio
import time
from collections import deque

# Between two starts. Many calls that start at once are made in step with each other, and the first would leave
# only when the last is ready.
SPACING_S = 0.001


class Limiter:
    """Additive increase, multiplicative decrease (Chiu and Jain, 1989), for the coroutines of one event loop.

    It begins at `most`. A 429 halves the number, at most once for the calls that were under way together, and holds
    every start back as long as the endpoint asked to; each full round of answers adds one.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.limit = float(most)
        self.running = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._resume_at = 0.0
        self._shrunk_at = 0.0
        self._next_start = 0.0

    async def start(self) -> None:
        """Wait for a place, and for the start before this one to be SPACING_S ago."""
        while self.running >= int(self.limit):
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                self._wake()  # the place that was meant for this one
                raise
        self.running += 1
        now = time.monotonic()
        wait = max(0.0, self._next_start - now)
        self._next_start = now + wait + SPACING_S
        if wait:
            try:
                await asyncio.sleep(wait)
            except asyncio.CancelledError:
                self.end()
                raise

    def end(self) -> None:
        """Give the place back."""
        self.running -= 1
        self._wake()

    def held_back_s(self) -> float:
        """Seconds until the endpoint wants to be asked again; 0 when it does not mind."""
        return max(0.0, self._resume_at - time.monotonic())

    def succeeded(self) -> None:
        self.limit = min(float(self.most), self.limit + 1 / self.limit)
        self._wake()

    def overloaded(self, asked_at: float, retry_after_s: float | None) -> None:
        """The call that began at `asked_at` (time.monotonic()) was refused as one too many."""
        if asked_at >= self._shrunk_at:
            self.limit = max(1.0, self.limit / 2)
            self._shrunk_at = time.monotonic()
        if retry_after_s is not None:
            self._resume_at = max(self._resume_at, time.monotonic() + retry_after_s)

    def _wake(self) -> None:
        free = int(self.limit) - self.running
        while free > 0 and self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                free -= 1
