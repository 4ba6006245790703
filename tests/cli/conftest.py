"""The command line as a fixture, and a finished project to use it on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.commands import Run, runner
from tests.flow import workshop


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    return runner(monkeypatch, capsys)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the finished workshop, as the working folder."""
    monkeypatch.delenv("GENAIOPS_HOME", raising=False)
    root = workshop.copy(tmp_path)
    monkeypatch.chdir(root)
    return root
