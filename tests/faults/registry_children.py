"""What child processes do to a registry in the fault tests. Imports only the promotion room, so a child starts fast."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import sys
import time
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from genaiops.errors import Conflict, NotFound
from genaiops.promotion.registry import Registry

ENVIRONMENTS = ("dev", "test", "prod")
FILE_EVENTS = ("open", "os.rename", "os.mkdir", "os.remove", "sqlite3.connect")
LONG = os.environ.get("GENAIOPS_FAULTS") == "1"


def context() -> ForkServerContext:
    """Children are forked from a clean server that has the registry imported: real processes, 10 ms each."""
    found = multiprocessing.get_context("forkserver")
    # A child imports the main module of its parent, which is pytest.
    found.set_forkserver_preload(["pytest", "tests.promotion.builders", "sqlalchemy.dialects.sqlite"])
    return found


def run(process: BaseProcess, *, seconds: float = 60.0) -> int | None:
    """Start a child and wait for its end; its exit code, minus the signal where one ended it."""
    process.start()
    process.join(seconds)
    return process.exitcode


def open_registry(folder: str) -> Registry:
    return Registry(f"sqlite:///{folder}/registry.db", ENVIRONMENTS, Path(folder) / "releases")


def say(log: int, *words: object) -> None:
    os.write(log, (" ".join(map(str, words)) + "\n").encode())


def move_about(folder: str, digests: list[str], seed: int) -> None:
    """Promote and roll back until killed; before each move say what is meant, after it what was acknowledged."""
    registry, chance = open_registry(folder), random.Random(seed)
    log = os.open(f"{folder}/said", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    say(log, "ready")
    while True:
        try:
            if chance.random() < 0.3:
                say(log, "mean", "rollback", "-")
                move = registry.rollback("dev")
            else:
                wanted = chance.choice(digests)
                say(log, "mean", "promote", wanted)
                move = registry.promote(wanted, to="dev")
        except NotFound:  # nothing to roll back to
            continue
        if move.changed:
            say(log, "done", move.generation, move.release)


def die_at(point: int, folder: str, action: str, digests: list[str]) -> None:
    """Kill this process at its `point`-th touch of a file or of the database, in the middle of `action`."""
    from sqlalchemy import Engine, event

    from tests.promotion.builders import release_of

    registry, new = open_registry(folder), release_of(7)
    left = point

    def touch(*_: Any) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def on_audit(name: str, arguments: tuple[object, ...]) -> None:
        if name in FILE_EVENTS and folder in str(arguments[0]):
            touch()

    for name in ("before_cursor_execute", "after_cursor_execute", "commit"):
        event.listen(Engine, name, touch)
    sys.addaudithook(on_audit)
    if action == "promote":
        registry.promote(digests[-1], to="dev")
    elif action == "rollback":
        registry.rollback("dev")
    else:
        registry.record_release(new)


def race(folder: str, digests: list[str], rounds: int, name: str, *, swap: bool) -> None:
    """Promote `rounds` times, one against all others; say every generation won. With `swap`, by compare-and-swap."""
    registry, chance = open_registry(folder), random.Random(name)
    log = os.open(f"{folder}/won-{name}", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for _ in range(rounds):
        started = time.monotonic()
        current = registry.pointer("dev")
        wanted = chance.choice([digest for digest in digests if digest != current.release])
        try:
            move = registry.promote(
                wanted, to="dev", actor=name, expected_generation=current.generation if swap else None
            )
            if move.changed:
                say(log, "won", move.generation, move.release)
            else:
                say(log, "same", move.generation, move.release)
        except Conflict:
            say(log, "lost", current.generation, wanted)
        if time.monotonic() - started > 5:
            say(log, "slow", 0, "-")
