"""The command line as a fixture, and a finished project to use it on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from genaiops.embedding import loading
from genaiops.embedding.loading import LocalEmbedder
from tests.cli.commands import Run, Writer, runner
from tests.flow import workshop

PAGE = """\
# Winter storage

If frost reaches the battery cells, the promise of ten years ends on the same day.

A storage hook is the steel bracket that carries a bicycle by its front wheel.

Chain oil is renewed twice because dry links rust within a few weeks.
"""


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    return runner(monkeypatch, capsys)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, embedder: LocalEmbedder) -> Path:
    """The working folder of somebody who has no project but for one setting: nothing is tracked."""
    monkeypatch.delenv("GENAIOPS_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    # Measuring which precision is faster here takes longer than all the rest.
    monkeypatch.setitem(loading._CHOSEN, embedder.fingerprint, "fp32")
    (tmp_path / "genaiops.yaml").write_text("tracking: none\n")
    return tmp_path


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the finished workshop, as the working folder."""
    monkeypatch.delenv("GENAIOPS_HOME", raising=False)
    root = workshop.copy(tmp_path)
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def stored(root: Path) -> Path:
    """The workshop with one page more, which no case asks about."""
    (root / "manual" / "storage.md").write_text(PAGE)
    return root


@pytest.fixture
def model(root: Path) -> Iterator[Writer]:
    writer = Writer()
    with writer.server as server:
        (root / "models.yaml").write_text(f"models:\n  writer: {{base_url: '{server.base_url}'}}\n")
        yield writer
