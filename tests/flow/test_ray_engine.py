"""A build on Ray, with two workers on this machine: the same index, and workers may die."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from genaiops.embedding.protocol import silent
from genaiops.errors import ConfigurationError, DocumentError, EngineError
from genaiops.flow.building import build_index
from genaiops.flow.engines import Engine, LocalEngine, engine_named
from genaiops.flow.settings import read_flow
from genaiops.indexing import read_manifest
from genaiops.indexing.manifest import PROVENANCE_FILE
from genaiops.project import Project
from tests.builds import build, current, opened
from tests.faults.build_children import LONG
from tests.small_project import write_small_project
from tests.words_embedder import WordsEmbedder

MOST_APART = 1e-6  # of two vectors of one text, in any place


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    ray = pytest.importorskip("ray")
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    paths = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, runtime_env={"env_vars": paths})
    yield engine_named("ray")
    ray.shutdown()


class DiesOnce:
    """Work whose first worker is killed."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __call__(self, block: int) -> int:
        if block == 3 and not self.mark.exists():
            self.mark.touch()
            os._exit(9)
        return block * block


class Refuses:
    def __call__(self, block: int) -> int:
        raise DocumentError(f"block {block} cannot be read", remedy="mend it")


class AlwaysDies:
    def __call__(self, block: int) -> int:
        os._exit(9)


def test_the_index_is_that_of_the_local_engine(engine: Engine, tmp_path: Path) -> None:
    local, spread = write_small_project(tmp_path / "local"), write_small_project(tmp_path / "spread")
    first = build(local, WordsEmbedder())
    settings = read_flow(spread.flow).settings
    project = Project.find(spread.root)
    second = build_index(
        project, settings, spread.flow, WordsEmbedder(), full=False, strict=False, progress=silent, engine=engine
    )
    assert (second.index, second.chunks, second.embedded) == (first.index, first.chunks, first.embedded)
    one, other = read_manifest(current(local)), read_manifest(current(spread))
    assert one.content == other.content
    assert {**one.files, PROVENANCE_FILE: ""} == {**other.files, PROVENANCE_FILE: ""}  # words are counted exactly
    assert (one.facts["engine"], other.facts["engine"]) == ("local", "ray")
    for position, chunk in enumerate(opened(local, WordsEmbedder()).chunks):
        vector = WordsEmbedder().embed([chunk.indexed_text])[0]
        found = opened(spread, WordsEmbedder()).vectors.search(vector, 1)
        assert abs(found[0][1] - float(np.dot(vector, vector))) < MOST_APART, position


def test_results_come_in_order_and_a_worker_that_dies_is_replaced(engine: Engine, tmp_path: Path) -> None:
    assert engine.workers == 2
    assert list(engine.map(DiesOnce(tmp_path / "died"), range(12))) == [n * n for n in range(12)]
    assert (tmp_path / "died").exists()


def test_an_error_of_the_work_is_the_error_of_the_build(engine: Engine) -> None:
    with pytest.raises(DocumentError, match="block 0 cannot be read") as caught:
        list(engine.map(Refuses(), range(3)))
    assert caught.value.remedy == "mend it"


@pytest.mark.skipif(not LONG, reason="four workers are started in turn")
def test_work_that_kills_every_worker_is_given_up(engine: Engine) -> None:
    with pytest.raises(EngineError, match="given up after 4 tries") as caught:
        list(engine.map(AlwaysDies(), [1]))
    assert caught.value.exit_code == 3


def test_without_the_package_the_command_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ConfigurationError, match="needs the package ray") as caught:
        engine_named("ray")
    assert "genaiops[ray]" in caught.value.remedy


def test_an_unknown_engine_is_refused() -> None:
    assert isinstance(engine_named("local"), LocalEngine)
    with pytest.raises(ConfigurationError, match="no engine 'spark'"):
        engine_named("spark")
