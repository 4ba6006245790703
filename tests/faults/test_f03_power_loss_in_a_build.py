"""Power loss: what was not forced to disk is gone or in part there. The index before or the one after is current."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from genaiops.flow.history import read_history
from genaiops.project import Project
from tests.builds import build, current, opened
from tests.faults.build_children import LONG, change
from tests.faults.recording import Disk, Recording, write_disk
from tests.small_project import SmallProject, write_small_project
from tests.words_embedder import WordsEmbedder

STATES = 1_000_000 if LONG else 200
LAST = 30  # states around the moment in which the pointer moves
SEEDS = 12 if LONG else 1
BUILT_AGAIN = 200 if LONG else 40  # every so many states


def nobody_misses(name: str) -> bool:
    """Caches and locks: whatever is left of them will do."""
    return name.startswith(("cache.db", "locks")) or name.endswith(".lock")


def recorded(root: Path) -> tuple[SmallProject, Recording, set[str]]:
    """A second build, recorded; and the two indexes that may be current after it."""
    project = write_small_project(root)
    first = build(project, WordsEmbedder()).index
    change(project, 1)
    recording = Recording(project.home, nobody_misses)
    with recording.running():
        second = build(project, WordsEmbedder()).index
    return project, recording, {first, second}


def chosen(recording: Recording) -> list[Disk]:
    """Different states; in the short lane evenly out of all, and all of the last ones."""
    found: dict[frozenset[tuple[str, bytes | None]], Disk] = {}
    for seed in range(SEEDS):
        for disk in recording.disks(seed):
            found.setdefault(frozenset(disk.items()), disk)
    disks = list(found.values())
    return disks[: -LAST : max(1, len(disks) // STATES)] + disks[-LAST:]


def test_f03_every_disk_that_a_power_loss_may_leave_opens(tmp_path: Path) -> None:
    project, recording, allowed = recorded(tmp_path / "project")
    disks = chosen(recording)
    assert len(disks) >= (5000 if LONG else 200)
    seen: set[str] = set()
    for number, disk in enumerate(disks):
        shutil.rmtree(project.home)
        write_disk(disk, project.home)
        index = opened(project, WordsEmbedder())  # whole, or this raises
        seen.add(index.id)
        told = read_history(Project.find(project.root), "kettles")
        assert index.id in {built.index for built in told}  # the history is on disk before the pointer moves
        if number % BUILT_AGAIN == 0:
            assert build(project, WordsEmbedder()).index == current(project).name
    assert seen == allowed


def test_f03_the_model_does_lose_what_nobody_forced(tmp_path: Path) -> None:
    """A writer that renames without fsync is caught: else the test above would prove nothing."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "pointer").write_text("old")
    recording = Recording(home, lambda name: False)
    with recording.running():
        aside = home / "aside"
        with aside.open("w") as stream:
            stream.write("new")
        aside.replace(home / "pointer")
        with (home / "pointer").open("rb") as stream:
            os.fsync(stream.fileno())  # too late
    left = {disk.get("pointer") for disk in recording.disks(0)}
    assert left >= {b"old", b"", b"new"}
