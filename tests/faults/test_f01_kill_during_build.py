"""kill -9 in a build: the index before or the index after is current and whole, and the next build just works."""

from __future__ import annotations

import random
import shutil
import signal
import time
from multiprocessing.process import BaseProcess
from pathlib import Path

from tests.builds import build, current, leftovers
from tests.faults.build_children import LONG, build_on_and_on, change, check_state, context, die_at, run
from tests.small_project import SmallProject, write_small_project
from tests.words_embedder import WordsEmbedder

RANDOM_KILLS = 3000 if LONG else 15
KILLS_PER_PROJECT = 20  # so that there are few indexes to check after each
STEP = 1 if LONG else 3
MOST_POINTS = 400


def check_after_kill(project: SmallProject) -> None:
    code = run(context().Process(target=check_state, args=(str(project.root),)))
    assert code == 0, (project.root / "unsound").read_text(encoding="utf-8")


def lines_of(child: BaseProcess, said: Path, lines: int) -> float:
    """Wait until the child has said so many lines; the seconds that took, on this machine as busy as it is."""
    start = time.monotonic()
    while not said.exists() or said.read_bytes().count(b"\n") < lines:
        assert child.is_alive()
        time.sleep(0.001)
    return time.monotonic() - start


def test_f01_killed_at_random_moments(tmp_path: Path) -> None:
    indexes: set[str] = set()
    chance, unfinished = random.Random(1), 0
    for kill in range(RANDOM_KILLS):
        if kill % KILLS_PER_PROJECT == 0:
            project = write_small_project(tmp_path / f"project{kill}")
            first = build(project, WordsEmbedder())
            indexes.add(first.index)
            said = project.root / "said"
        said.unlink(missing_ok=True)
        child = context().Process(target=build_on_and_on, args=(str(project.root), 1000 * kill))
        child.start()
        lines_of(child, said, 1)  # it is ready
        # Every other child is killed in its first build; the others later, at the pace of their second.
        longest = 2 * first.seconds
        if kill % 2:
            lines_of(child, said, 2)
            longest = lines_of(child, said, 3)
        time.sleep(chance.uniform(0, longest))
        child.kill()
        child.join(30)
        assert child.exitcode == -signal.SIGKILL
        finished = said.read_text(encoding="utf-8").split("\n")[1:-1]
        indexes |= set(finished)
        assert len(finished) >= 2 * (kill % 2)
        # What was acknowledged is on disk under its name, and current unless the next one already is.
        assert all((project.home / "indexes" / name).is_dir() for name in finished)
        unfinished += bool(leftovers(project))
        check_after_kill(project)
        for stray in project.documents.glob("turn*.md"):
            stray.unlink()
    assert len(indexes) > 1
    assert unfinished > 0  # some kill did hit a build half-way


def test_f01_killed_at_every_touch_of_a_file(tmp_path: Path) -> None:
    """Every point at which a build opens, makes, renames or removes something; every third in the short lane."""
    start = write_small_project(tmp_path / "start")
    build(start, WordsEmbedder())
    before = current(start).name
    change(start, 1)
    killed, currents = 0, set()
    for point in range(1, MOST_POINTS, STEP):
        project = SmallProject(tmp_path / f"at{point}")
        shutil.copytree(start.root, project.root)
        code = run(context().Process(target=die_at, args=(str(project.root), point)))
        assert code in (0, -signal.SIGKILL)
        if code == 0:  # the build has fewer points than this
            break
        killed += 1
        currents.add(current(project).name)
        check_after_kill(project)
        shutil.rmtree(project.root)
    assert 30 // STEP <= killed < MOST_POINTS // STEP
    assert before in currents
    assert len(currents) <= 2


def test_f01_leftovers_of_killed_builds_are_swept_by_a_build_that_has_nothing_to_do(tmp_path: Path) -> None:
    project = write_small_project(tmp_path / "project")
    report = build(project, WordsEmbedder())
    dead = context().Process(target=int)
    assert run(dead) == 0
    living = f".tmp-{1}-0123"  # process 1 always lives
    for folder in (project.home / "indexes", next((project.home / "flows").iterdir())):
        for name in (f".tmp-{dead.pid}-0123", f".tmp-{dead.pid}-4567", ".tmp-0123abcd", living):
            (folder / name).mkdir()
            (folder / name / "chunks.jsonl").write_text("half", encoding="utf-8")
        (folder / f".tmp-{dead.pid}-89ab").write_text("half", encoding="utf-8")
    again = build(project, WordsEmbedder())
    assert again.unchanged and again.index == report.index
    assert {path.name for path in leftovers(project)} == {living}
