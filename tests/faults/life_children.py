"""What child processes do to indexes that are read, replaced, cleaned away and erased from."""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from genaiops.delivery import forget
from genaiops.errors import GenaiopsError
from genaiops.flow import Flow
from genaiops.project import Project
from tests.builds import build
from tests.faults.build_children import FILE_EVENTS, change
from tests.small_project import SmallProject
from tests.words_embedder import WordsEmbedder

QUESTION = "How do I remove limescale with vinegar?"


def opened(root: str) -> Flow:
    """The small project's flow with counted words for vectors."""
    small = SmallProject(Path(root))
    flow = Flow.load(small.flow, project=Project.find(small.root))
    flow.__dict__["embedder"] = WordsEmbedder()
    return flow


def read_on_and_on(root: str, name: str) -> None:
    """Open the current index and search it, again and again, until told to stop; then say how it went."""
    reads, seen, errors = 0, set(), []
    stop = Path(root, "stop")
    while not stop.exists():
        try:
            pipeline = opened(root).pipeline
            for _ in range(5):
                hits = pipeline.search(QUESTION, 3)
                assert hits[0].chunk.text, hits
            seen.add(pipeline.served.index)
            reads += 1
        except BaseException:
            errors.append(traceback.format_exc())
    Path(root, f"read-{name}").write_text(f"{reads} {len(seen)} {len(errors)}\n" + "\n".join(errors), encoding="utf-8")


def switch_on_and_on(root: str) -> None:
    """Change documents and build, until told to stop."""
    project, turn, errors = SmallProject(Path(root)), 0, []
    while not Path(root, "stop").exists():
        turn += 1
        change(project, turn)
        try:
            build(project, WordsEmbedder())
        except GenaiopsError:
            errors.append(traceback.format_exc())
        time.sleep(0.02)
    Path(root, "built").write_text(f"{turn} {len(errors)}\n" + "\n".join(errors), encoding="utf-8")


def forget_and_die(root: str, document: str, point: int) -> None:
    """Erase a document, but kill this process at its `point`-th touch of a file of the project's state."""
    flow = Flow.load(Path(root) / "flows" / "workshop", project=Project.find(Path(root)))
    left = point

    def on_audit(name: str, arguments: tuple[Any, ...]) -> None:
        nonlocal left
        if name in FILE_EVENTS and (".genaiops" in str(arguments[0]) or "golden" in str(arguments[0])):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(on_audit)
    forget(flow, document=document)
