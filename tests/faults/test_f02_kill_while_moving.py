"""kill -9 in promote, rollback and release: the pointer is exactly old or new, and nothing acknowledged is lost."""

from __future__ import annotations

import random
import signal
import time
from pathlib import Path

import pytest

from genaiops.promotion.registry import Registry
from tests.faults.registry_children import LONG, context, die_at, move_about, open_registry, run
from tests.promotion.builders import release_of

RANDOM_KILLS = 1000 if LONG else 20
KILLS_PER_REGISTRY = 50  # so that history stays short enough to check often
MOST_POINTS = 200


def prepared(folder: Path, releases: int) -> tuple[Registry, list[str]]:
    folder.mkdir()
    registry = open_registry(str(folder))
    digests = [registry.record_release(release_of(number)) for number in range(releases)]
    registry.promote(digests[0], to="dev")
    return registry, digests


def check_sound(registry: Registry) -> None:
    events = registry.history("dev")
    pointer = registry.pointer("dev")
    assert [event.generation for event in events] == list(range(1, len(events) + 1))
    assert (pointer.release, pointer.generation) == (events[-1].release, events[-1].generation)
    report = registry.verify_audit()
    assert report.first_bad is None


def kill_once(folder: Path, registry: Registry, digests: list[str], seed: int) -> None:
    acknowledged = [(event.generation, event.release) for event in registry.history("dev")]
    said = folder / "said"
    said.unlink(missing_ok=True)
    child = context().Process(target=move_about, args=(str(folder), digests, seed))
    child.start()
    while not said.exists() or not said.read_text():
        time.sleep(0.001)
    time.sleep(random.Random(seed).uniform(0, 0.06))
    child.kill()
    child.join(30)
    assert child.exitcode == -signal.SIGKILL

    lines = [line.split() for line in said.read_text().splitlines()]
    acknowledged += [(int(words[1]), words[2]) for words in lines if words[0] == "done"]
    meant = next((words[1:] for words in reversed(lines) if words[0] == "mean"), ["", ""])
    events = registry.history("dev")
    assert [(event.generation, event.release) for event in events[: len(acknowledged)]] == acknowledged
    if len(events) > len(acknowledged):  # done, but killed before it could say so
        (unsaid,) = events[len(acknowledged) :]
        assert unsaid.action == meant[0]
        assert meant[1] in ("-", unsaid.release)
    check_sound(registry)
    other = next(digest for digest in digests if digest != registry.pointer("dev").release)
    assert registry.promote(other, to="dev").generation == len(events) + 1


def test_f02_kill_at_random_moments_leaves_old_or_new(tmp_path: Path) -> None:
    for number in range(RANDOM_KILLS):
        if number % KILLS_PER_REGISTRY == 0:
            folder = tmp_path / str(number)
            registry, digests = prepared(folder, 4)
        kill_once(folder, registry, digests, seed=number)


@pytest.mark.parametrize("action", ["promote", "rollback"])
def test_f02_kill_at_every_touch_of_a_move_leaves_old_or_new(tmp_path: Path, action: str) -> None:
    registry, digests = prepared(tmp_path / "state", 2)
    registry.promote(digests[1], to="dev")
    if action == "promote":
        registry.rollback("dev")
    seen = set()
    for point in range(1, MOST_POINTS):
        before = len(registry.history("dev"))
        code = run(context().Process(target=die_at, args=(point, str(tmp_path / "state"), action, digests)))
        moved = len(registry.history("dev")) - before
        assert moved in (0, 1)
        check_sound(registry)
        if code == 0:
            break
        assert code == -signal.SIGKILL
        seen.add(moved)
        if moved:  # put back what the child changed before it died
            act_back(registry, digests, action)
    assert code == 0, "the child never came to its end"
    assert point > 10  # a move touches the database that often at least
    assert 0 in seen


def act_back(registry: Registry, digests: list[str], action: str) -> None:
    if action == "promote":
        registry.rollback("dev")
    else:
        registry.promote(digests[1], to="dev")


def test_f02_kill_at_every_touch_of_the_very_first_release_leaves_nothing_or_all(tmp_path: Path) -> None:
    for point in range(1, MOST_POINTS, 1 if LONG else 4):
        folder = tmp_path / str(point)
        folder.mkdir()
        code = run(context().Process(target=die_at, args=(point, str(folder), "release", [])))
        registry = open_registry(str(folder))
        known = [found.digest for found in registry.releases()]
        digest = release_of(7).digest
        assert known in ([], [digest])
        assert registry.verify_audit().ok
        assert registry.record_release(release_of(7)) == digest
        assert registry.promote(digest, to="dev").generation == 1
        if code == 0:
            break
        assert code == -signal.SIGKILL
    assert code == 0, "the child never came to its end"
    assert point > 20
