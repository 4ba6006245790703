"""A disk that is full or read-only: a named error with its exit code, and the index from before still answers."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from genaiops.embedding.loading import LocalEmbedder
from genaiops.errors import StorageError
from tests.builds import build, files_of, leftovers, opened
from tests.faults.build_children import LONG, build_with_small_files, change, context, run
from tests.small_project import SmallProject, write_small_project
from tests.words_embedder import WordsEmbedder

# Bytes that a file may have: from none to just below the largest one of this index.
LIMITS = range(0, 60_000, 500) if LONG else (0, 1, 100, 1000, 3000, 8000)
# Root may write anywhere, unless it gives that power away.
AS_A_USER = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] if os.geteuid() == 0 else []


@pytest.fixture
def project(tmp_path: Path) -> SmallProject:
    project = write_small_project(tmp_path / "project")
    build(project, WordsEmbedder())
    change(project, 1)
    return project


def state(project: SmallProject) -> dict[str, bytes]:
    """Every file of the state folder but the cache, which nobody misses."""
    files = files_of(project.home)
    return {str(path): path.read_bytes() for path in files if not path.name.startswith("cache.db")}


def test_f04_files_that_cannot_grow(project: SmallProject) -> None:
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


def genaiops(project: SmallProject, *arguments: str, prefix: list[str]) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GENAIOPS_")}
    return subprocess.run(
        [*prefix, sys.executable, "-c", "from genaiops.cli import main; main()", *arguments],
        cwd=project.root,
        env={**environment, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def built(tmp_path: Path, embedder: LocalEmbedder) -> SmallProject:
    """Built with the real model; then a document goes, so that the next build has to write but not to embed."""
    project = write_small_project(tmp_path / "built")
    build(project, embedder)
    (project.documents / "cleaning.md").unlink()
    return project


def check_refused_and_repaired(
    project: SmallProject, embedder: LocalEmbedder, done: subprocess.CompletedProcess[str], before: dict[str, bytes]
) -> None:
    assert done.returncode == 2, done.stderr
    assert "error: " in done.stderr and "cannot be written" in done.stderr and "Traceback" not in done.stderr
    assert state(project) == before
    assert any(chunk.document_id == "cleaning.md" for chunk in opened(project, embedder).chunks)
    report = build(project, embedder)
    assert opened(project, embedder).id == report.index
    assert all(chunk.document_id != "cleaning.md" for chunk in opened(project, embedder).chunks)
    assert leftovers(project) == []


def test_f04_the_command_when_files_cannot_grow(built: SmallProject, embedder: LocalEmbedder) -> None:
    before = state(built)
    limited = ["sh", "-c", 'ulimit -f 2; exec "$@"', "sh"]  # blocks of 512 bytes
    done = genaiops(built, "build", str(built.flow), prefix=limited)
    check_refused_and_repaired(built, embedder, done, before)


@pytest.mark.skipif(bool(AS_A_USER) and shutil.which("setpriv") is None, reason="root may write everywhere")
def test_f04_the_command_when_the_state_is_read_only(built: SmallProject, embedder: LocalEmbedder) -> None:
    before = state(built)
    folders = [path for path in (built.home, *built.home.rglob("*")) if path.is_dir()]
    try:
        for folder in folders:
            folder.chmod(0o555)
        done = genaiops(built, "build", str(built.flow), prefix=AS_A_USER)
    finally:
        for folder in folders:
            folder.chmod(0o755)
    check_refused_and_repaired(built, embedder, done, before)
