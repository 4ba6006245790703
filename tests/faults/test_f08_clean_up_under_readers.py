"""gc runs in a loop while eight processes open, search and switch indexes: not one read fails."""

from __future__ import annotations

import time
from pathlib import Path

from genaiops.delivery import clean_up
from genaiops.project import Project, RetentionSettings
from tests.builds import build
from tests.faults.build_children import LONG, context
from tests.faults.life_children import read_on_and_on, switch_on_and_on
from tests.small_project import write_small_project
from tests.words_embedder import WordsEmbedder

SECONDS = 600 if LONG else 4
READERS = 8
# The hardest there is: whatever is not in use goes at once.
GREEDY = RetentionSettings(keep_last=1, keep_days=0, unused_vectors_mb=0)


def test_f08_eight_readers_while_indexes_are_built_and_cleaned_away(tmp_path: Path) -> None:
    small = write_small_project(tmp_path / "project")
    build(small, WordsEmbedder())
    root, project = str(small.root), Project.find(small.root)
    children = [context().Process(target=read_on_and_on, args=(root, str(n))) for n in range(READERS)]
    children.append(context().Process(target=switch_on_and_on, args=(root,)))
    for child in children:
        child.start()
    removed = held = turns = 0
    until = time.monotonic() + SECONDS
    while time.monotonic() < until or (removed < 2 and time.monotonic() < until + 60):
        done = clean_up(project, retention=GREEDY)
        removed += len(done.removed)
        held += sum("open in a running process" in kept.reasons for kept in done.kept)
        turns += 1
    (small.root / "stop").touch()
    for child in children:
        child.join(60)
        assert child.exitcode == 0
    told = [(small.root / f"read-{n}").read_text(encoding="utf-8") for n in range(READERS)]
    reads, seen, errors = (sum(int(text.split("\n")[0].split()[at]) for text in told) for at in range(3))
    builds, failed = map(int, (small.root / "built").read_text(encoding="utf-8").split("\n")[0].split())
    print(f"f08: {reads} reads of 8 processes, {errors} errors; {builds} builds, {turns} clean-ups, {removed} removed")
    assert errors == 0, next(text for text in told if not text.split("\n")[0].endswith(" 0"))
    assert failed == 0, (small.root / "built").read_text(encoding="utf-8")
    assert reads >= READERS
    assert builds > 2
    assert seen > READERS  # they did see it change
    assert removed >= 2
    assert (
        clean_up(project, retention=GREEDY).kept[-1].index
        == max(project.indexes.iterdir(), key=lambda path: path.stat().st_mtime).name
    )
