"""Variables of the process, set for those who read their address and key there."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager


class Variables:
    """Environment variables that stay set until the last who needs them has left; then all is as it was before.

    They belong to the whole process: who needs other values waits until then.
    """

    def __init__(self) -> None:
        self._free = threading.Condition()
        self._holders = 0
        self._values: dict[str, str] = {}
        self._before: dict[str, str | None] = {}

    def take(self, values: Mapping[str, str]) -> None:
        """Set the variables; `leave` must follow, from any thread."""
        with self._free:
            self._free.wait_for(lambda: not self._holders or self._values == values)
            if not self._holders:
                self._values = dict(values)
                self._before = {name: os.environ.get(name) for name in values}
                os.environ.update(values)
            self._holders += 1

    def leave(self) -> None:
        """One who took them needs them no longer."""
        with self._free:
            self._holders -= 1
            if self._holders:
                return
            for name, value in self._before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value
            self._free.notify_all()

    @contextmanager
    def set_to(self, values: Mapping[str, str]) -> Iterator[None]:
        """`take` and `leave` around a block."""
        self.take(values)
        try:
            yield
        finally:
            self.leave()


VARIABLES = Variables()
