"""What child processes do to an index in the fault tests. They embed with counted words, so they start fast."""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import sys
import traceback
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from genaiops.errors import GenaiopsError
from genaiops.indexing.snapshot import load_index
from tests.builds import build, current, leftovers, opened
from tests.small_project import SmallProject
from tests.words_embedder import WordsEmbedder

LONG = os.environ.get("GENAIOPS_FAULTS") == "1"
FILE_EVENTS = ("open", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "shutil.rmtree", "sqlite3.connect")
_PRELOADED = [
    "pytest",
    "tests.faults.build_children",
    "genaiops.embedding.loading",
    "genaiops.embedding.sentence_transformer",
    "genaiops.cleansing.similarity",
]
UNSOUND = 70  # exit code: what a killed build left cannot be used


def context() -> ForkServerContext:
    """Children are forked from a clean server that has the rooms imported: real processes, some 10 ms each."""
    found = multiprocessing.get_context("forkserver")
    # A child imports the main module of its parent, which is pytest.
    found.set_forkserver_preload(_PRELOADED)
    return found


def run(process: BaseProcess, *, seconds: float = 60.0) -> int | None:
    """Start a child and wait for its end; its exit code, minus the signal where one ended it."""
    process.start()
    process.join(seconds)
    return process.exitcode


def change(project: SmallProject, turn: int) -> None:
    """Other documents than before: one rewritten, one new, one gone."""
    (project.documents / "news.md").write_text(f"# News\n\nKettle number {turn} has arrived.\n", encoding="utf-8")
    (project.documents / f"turn{turn}.md").write_text(f"Turn {turn}.\n\nA cup of tea.\n" * 40, encoding="utf-8")
    (project.documents / f"turn{turn - 1}.md").unlink(missing_ok=True)


def build_on_and_on(root: str, turn: int) -> None:
    """Change documents and build, until killed; a line per finished build says its index."""
    project, embedder = SmallProject(Path(root)), WordsEmbedder()
    log = os.open(f"{root}/said", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(log, b"ready\n")
    while True:
        turn += 1
        change(project, turn)
        os.write(log, f"{build(project, embedder).index}\n".encode())


def die_at(root: str, point: int) -> None:
    """Build, but kill this process at its `point`-th touch of a file in the state folder."""
    project = SmallProject(Path(root))
    left = point

    def on_audit(name: str, arguments: tuple[Any, ...]) -> None:
        nonlocal left
        if name in FILE_EVENTS and ".genaiops" in str(arguments[0]):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(on_audit)
    build(project, WordsEmbedder())


def check_state(root: str) -> None:
    """As a fresh process: what is current opens, everything visible is whole, little is left over, building works."""
    project, embedder = SmallProject(Path(root)), WordsEmbedder()
    try:
        before = opened(project, embedder)
        assert before.chunks
        for folder in (project.home / "indexes").iterdir():
            if not folder.name.startswith(".tmp-"):
                load_index(folder, embedder=embedder.fingerprint)
        assert len(leftovers(project)) <= 1, leftovers(project)
        report = build(project, embedder)
        assert leftovers(project) == []
        assert opened(project, embedder).id == report.index == current(project).name
        assert build(project, embedder).unchanged
    except BaseException:
        Path(root, "unsound").write_text(traceback.format_exc(), encoding="utf-8")
        os._exit(UNSOUND)


def build_with_small_files(root: str, most_bytes: int) -> None:
    """Build while no file may grow beyond `most_bytes`; exit as a command would, with the error said in a file."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, resource.RLIM_INFINITY))
    try:
        report = build(SmallProject(Path(root)), WordsEmbedder())
        error, code = report.index, 0
    except GenaiopsError as caught:
        error, code = f"{type(caught).__name__} {caught}", caught.exit_code
    except BaseException:
        error, code = traceback.format_exc(), UNSOUND
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    Path(root, "said").write_text(error, encoding="utf-8")
    os._exit(code)
