"""The same documents and settings give the same id and the same bytes: elsewhere, in any order, in any process."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from genaiops.embedding.loading import LocalEmbedder
from genaiops.indexing import read_manifest
from genaiops.indexing.manifest import PROVENANCE_FILE
from tests.builds import build, current
from tests.faults.build_children import LONG
from tests.small_project import DOCUMENTS, SmallProject, write_small_project
from tests.words_embedder import WordsEmbedder

REPOSITORY = Path(__file__).parents[2]
CHILD = """
import json, sys
from pathlib import Path
from genaiops.indexing import read_manifest
from tests.builds import build, current
from tests.small_project import write_small_project
from tests.words_embedder import WordsEmbedder
project = write_small_project(Path(sys.argv[1]))
build(project, WordsEmbedder())
print(read_manifest(current(project)).id, json.dumps(dict(read_manifest(current(project)).files), sort_keys=True))
"""


def shuffled_project(root: Path, seed: int) -> SmallProject:
    """The small project with its documents written in another order."""
    project = write_small_project(root)
    names = list(DOCUMENTS)
    random.Random(seed).shuffle(names)
    for name in names:
        (project.documents / name).unlink()
    for name in names:
        (project.documents / name).write_text(DOCUMENTS[name], encoding="utf-8")
        os.utime(project.documents / name, (seed, seed))
    return project


def test_f13_in_other_folders_and_orders_with_the_real_model(
    tmp_path: Path, embedder: LocalEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifests = []
    for turn in range(20 if LONG else 3):
        project = shuffled_project(tmp_path / ("deep/" * turn) / f"project {turn}", seed=turn)
        monkeypatch.chdir(project.root.parent)
        report = build(project, embedder)
        assert report.embedded == report.chunks  # nothing came from a cache
        manifests.append(read_manifest(current(project)))
    assert len({manifest.id for manifest in manifests}) == 1
    # When a file was last changed is a fact of this machine, kept beside the documents and never in them.
    made = [{name: digest for name, digest in m.files.items() if name != PROVENANCE_FILE} for m in manifests]
    assert all(files == made[0] for files in made)
    assert len(made[0]) == 9


def test_f13_in_other_processes_with_other_hash_seeds_and_locales(tmp_path: Path) -> None:
    project = write_small_project(tmp_path / "here")
    build(project, WordsEmbedder())
    here = read_manifest(current(project))
    seeds = range(10) if LONG else (1, 4242)
    for seed in seeds:
        environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("GENAIOPS_")},
            "PYTHONHASHSEED": str(seed),
            "PYTHONPATH": str(REPOSITORY),
            "LC_ALL": ("C", "C.UTF-8")[seed % 2],
            "TZ": ("Asia/Kathmandu", "UTC")[seed % 2],
            "OMP_NUM_THREADS": str(1 + seed % 2),
        }
        folder = tmp_path / f"seed{seed}"
        folder.mkdir()
        done = subprocess.run(
            [sys.executable, "-c", CHILD, str(folder / "project")],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.split(" ", 1)[0] == here.id
        there = json.loads(done.stdout.split(" ", 1)[1])
        assert {**there, PROVENANCE_FILE: ""} == {**here.files, PROVENANCE_FILE: ""}
