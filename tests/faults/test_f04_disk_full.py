"""A disk that is full or read-only: a named error with its exit code, and the index from before still answers."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from genaiops.embedding.loading import LocalEmbedder
from genaiops.errors import StorageError
from tests.builds import build, files_of, leftovers, opened
from tests.faults.build_children import LONG, build_with_small_files, change, context, run
from tests.faults.failing_disk import Outcome, outcomes_of
from tests.small_project import SmallProject, write_small_project
from tests.words_embedder import WordsEmbedder

# Bytes that a file may have: from none to just below the largest one of this index.
LIMITS = range(0, 60_000, 500) if LONG else (0, 1, 100, 1000, 3000, 8000)
EVERY = {"build": 1, "forget": 1} if LONG else {"build": 150, "forget": 400}  # operations
# Root may write anywhere, unless it gives that power away.
AS_A_USER = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] if os.geteuid() == 0 else []


def ready(tmp_path: Path, *, more: str = "") -> SmallProject:
    """A project with an index, and a change that the next build has to take in; `more` is added to flow.yaml."""
    project = write_small_project(tmp_path / "project")
    settings = project.flow / "flow.yaml"
    settings.write_text(settings.read_text(encoding="utf-8") + more, encoding="utf-8")
    build(project, WordsEmbedder())
    change(project, 1)
    return project


@pytest.fixture
def project(tmp_path: Path) -> SmallProject:
    return ready(tmp_path)


def state(project: SmallProject) -> dict[str, bytes]:
    """Every file of the state folder but the cache and the locks, which nobody misses."""
    files = [path for path in files_of(project.home) if path.parent.name != "locks"]
    return {str(path): path.read_bytes() for path in files if not path.name.startswith("cache.db")}


def test_f04_files_that_cannot_grow(tmp_path: Path) -> None:
    # The model that tells languages unpacks itself into a temporary file, which would be the first to fail.
    project = ready(tmp_path, more="cleansing: {language: false}\n")
    before, index = state(project), opened(project, WordsEmbedder()).id
    failed = 0
    for most_bytes in LIMITS:
        code = run(context().Process(target=build_with_small_files, args=(str(project.root), most_bytes)))
        said = (project.root / "said").read_text(encoding="utf-8")
        if code == 0:
            break
        failed += 1
        assert code == StorageError.exit_code == 2, said
        assert said.startswith("StorageError ")
        assert "cannot be written" in said and str(project.home) in said and "nothing was changed" in said
        assert state(project) == before
        assert leftovers(project) == []
        assert opened(project, WordsEmbedder()).id == index
    assert failed >= 3
    assert build(project, WordsEmbedder()).index == opened(project, WordsEmbedder()).id != index


@pytest.mark.parametrize("name", ["indexes", "flows/kettles"])
def test_f04_a_file_where_a_folder_should_be(project: SmallProject, name: str) -> None:
    shutil.rmtree(project.home / name)
    (project.home / name).write_text("in the way", encoding="utf-8")
    with pytest.raises(StorageError, match="cannot be written"):
        build(project, WordsEmbedder())
    (project.home / name).unlink()
    assert build(project, WordsEmbedder()).index == opened(project, WordsEmbedder()).id


def in_new_process(project: SmallProject, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GENAIOPS_")}
    return subprocess.run(
        command,
        cwd=project.root,
        env={**environment, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.skipif(bool(AS_A_USER) and shutil.which("setpriv") is None, reason="root may write everywhere")
def test_f04_a_state_folder_that_is_read_only(project: SmallProject) -> None:
    before, index = state(project), opened(project, WordsEmbedder()).id
    folders = [path for path in (project.home, *project.home.rglob("*")) if path.is_dir()]
    code = f"from tests.faults.build_children import *; build_with_small_files({str(project.root)!r}, 1 << 40)"
    try:
        for folder in folders:
            folder.chmod(0o555)
        done = in_new_process(project, *AS_A_USER, sys.executable, "-c", code)
    finally:
        for folder in folders:
            folder.chmod(0o755)
    said = (project.root / "said").read_text(encoding="utf-8")
    assert done.returncode == 2, said
    assert said.startswith("StorageError ") and "cannot be written: Permission denied" in said
    assert state(project) == before
    assert opened(project, WordsEmbedder()).id == index
    assert build(project, WordsEmbedder()).index == opened(project, WordsEmbedder()).id != index


def test_f04_the_command_says_it_and_exits_2(tmp_path: Path, embedder: LocalEmbedder) -> None:
    project = write_small_project(tmp_path / "project")
    build(project, embedder)
    before = state(project)
    (project.documents / "cleaning.md").unlink()
    code = "from genaiops.cli import main; main()"
    limited = ("sh", "-c", 'ulimit -f 2; exec "$@"', "sh")  # blocks of 512 bytes
    done = in_new_process(project, *limited, sys.executable, "-c", code, "build", str(project.flow))
    assert done.returncode == 2, done.stderr
    assert "error: " in done.stderr and "cannot be written" in done.stderr and "Traceback" not in done.stderr
    assert state(project) == before
    assert leftovers(project) == []
    assert any(chunk.document_id == "cleaning.md" for chunk in opened(project, embedder).chunks)


def _end(outcome: Outcome, old: str) -> str:
    """`held`: an error, the index from before is current; `moved`: an error after that; `done`: in spite of it."""
    return "done" if outcome.code == 0 else "held" if outcome.current == old else "moved"


@pytest.mark.skipif(shutil.which("cc") is None, reason="the failing disk is compiled")
def test_f04_every_operation_of_a_disk_fails_in_turn(project: SmallProject, tmp_path: Path) -> None:
    """Once, and from there on: a named error or a whole index, and on a sound disk the same work can be done."""
    old = opened(project, WordsEmbedder()).id
    outcomes = outcomes_of(project.root, tmp_path, EVERY)
    assert [outcome for outcome in outcomes if outcome.wrong] == []
    assert {outcome.trial.fault for outcome in outcomes} == {"ENOSPC", "EIO", "EMFILE", "EROFS"}
    assert {outcome.trial.persistent for outcome in outcomes} == {False, True}
    for outcome in outcomes:
        assert outcome.code in (0, 2, 3), outcome
        assert (outcome.code == 0) == (outcome.said == ""), outcome
        # Only a fault in the last step, forcing the moved pointer's name to disk, leaves the new one current.
        if outcome.trial.work == "build" and outcome.code != 0 and outcome.current != old:
            assert outcome.trial.fault in ("EIO", "ENOSPC", "EMFILE"), outcome
            assert "flows/kettles" in outcome.said and "it holds the new content" in outcome.said, outcome
    for work in EVERY:
        counts = Counter(_end(outcome, old) for outcome in outcomes if outcome.trial.work == work)
        assert counts["held"] >= 4, counts
        print(f"f04: {work}: {counts.total()} trials, {dict(counts)}")
