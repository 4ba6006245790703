"""A kill during an evaluation loses the question under way; the next evaluation asks only what is missing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from typing import Any

from genaiops.delivery import evaluate_flow
from genaiops.embedding.loading import LocalEmbedder
from genaiops.flow import Flow
from genaiops.project import Project
from genaiops.testing import Reply, ScriptedModelServer
from tests.small_project import GOLDEN, SmallProject

UNDER_WAY = 4  # the request during which the process dies


def test_what_was_answered_before_the_kill_is_not_asked_again(
    small_project: SmallProject, embedder: LocalEmbedder
) -> None:
    Flow.load(small_project.flow).build()
    reached = threading.Event()
    count = iter(range(1, 1000))

    def says(body: dict[str, Any]) -> Reply:
        if next(count) != UNDER_WAY:
            return Reply("Two years. [1]")
        reached.set()
        return Reply("Nobody hears this.", delay_s=60)  # ends when the killed client's connection does

    with ScriptedModelServer(says) as server:
        settings = ["retrieval.search=full_text", "evaluation.reuse=models", "generation.model=house",
                    f"generation.base_url={server.base_url}", "generation.timeout_s=120"]  # fmt: skip
        options = [part for setting in settings for part in ("--set", setting)]
        command = [sys.executable, "-c", "from genaiops.cli import main; main()", "evaluate", str(small_project.flow)]
        paths = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        child = subprocess.Popen([*command, *options], env=paths, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            assert reached.wait(120)
        finally:
            os.kill(child.pid, signal.SIGKILL)
            child.wait()
        assert not list(Project.find(small_project.root).runs.glob("*"))  # no half of a run
        run = evaluate_flow(Flow.load(small_project.flow, overrides=settings)).run
        assert len(server.chats) == len(GOLDEN) + 1
    done = ["answer" in result.reused for result in run.results]
    assert done == [number < UNDER_WAY for number in range(1, len(GOLDEN) + 1)]
