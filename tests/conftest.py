"""What many rooms' tests share: the real embedder, loaded once, and a small project of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from genaiops.embedding import EmbeddingSettings, load_embedder
from genaiops.embedding.loading import LocalEmbedder
from tests.postgres import postgres
from tests.small_project import SmallProject, write_small_project

__all__ = ["embedder", "postgres", "small_project"]


@pytest.fixture(scope="session")
def embedder() -> LocalEmbedder:
    """MiniLM in fp32. The weights are held once in the process, so flows of `small_project` share them."""
    return load_embedder(EmbeddingSettings(precision="fp32"))


@pytest.fixture
def small_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SmallProject:
    """A project in a folder of its own, with its state in `.genaiops` beside it, and the working folder there."""
    root = tmp_path / "project"
    project = write_small_project(root)
    monkeypatch.delenv("GENAIOPS_HOME", raising=False)
    monkeypatch.chdir(root)
    return project
