"""Endings that are nobody's answer: a reader that leaves, Ctrl-C, a full disk, a bug."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.commands import runner
from tests.flow import workshop

ENVIRONMENT = {"PYTHONPATH": str(Path(__file__).parents[2])}
GENAIOPS = [sys.executable, "-c", "from genaiops.cli import main; main()"]


def test_a_reader_that_leaves_gives_neither_a_verdict_nor_a_traceback(tmp_path: Path) -> None:
    workshop.write(tmp_path)
    reader, writer = os.pipe()
    os.close(reader)  # gone before the first line
    try:
        done = subprocess.run(
            [*GENAIOPS, "config", "show", "flows/workshop"],
            cwd=tmp_path, env=ENVIRONMENT, stdout=writer, stderr=subprocess.PIPE, timeout=60, check=False,
        )  # fmt: skip
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.parametrize(
    ("raised", "code", "told"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/state/run.json"), 3, "error: /state/run.json: No space"),
        (PermissionError(errno.EACCES, "Permission denied", "/state"), 3, "error: /state: Permission denied"),
        (KeyboardInterrupt(), 130, ""),
        (ZeroDivisionError("boom"), 70, "ZeroDivisionError: boom"),
    ],
)
def test_no_failure_of_ours_or_of_the_machine_looks_like_a_gate_that_failed(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    raised: BaseException,
    code: int,
    told: str,
) -> None:
    def fail() -> Any:
        raise raised

    monkeypatch.setattr("genaiops.project.Project.find", fail)
    result = runner(monkeypatch, capsys)("status")
    assert result.code == code
    assert told in result.err


def test_ctrl_c_ends_a_child_with_130() -> None:
    interrupting = (
        "import os, signal\n"
        "from genaiops.project import Project\n"
        "Project.find = lambda: os.kill(os.getpid(), signal.SIGINT)\n"
        "from genaiops.cli import main\n"
        "main()\n"
    )
    command = [sys.executable, "-c", interrupting, "status"]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 130
    assert "Traceback" not in done.stderr
