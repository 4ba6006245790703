"""Bit rot: whatever happens to whichever file of an index, opening it names the file before it is parsed."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from genaiops.errors import IntegrityError
from genaiops.indexing import read_manifest
from genaiops.indexing.snapshot import load_index, read_documents_of
from tests.builds import build, current, files_of
from tests.faults.build_children import LONG
from tests.small_project import write_small_project
from tests.words_embedder import WordsEmbedder

FLIPS = 10_000 if LONG else 270  # in all, over eleven files
# What is said when the digests speak; a parser's complaint would read "cannot be read".
BEFORE_PARSING = ("was changed after the index was built", "is missing", "does not belong to the index", "damaged")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = write_small_project(tmp_path_factory.mktemp("f05") / "project")
    build(project, WordsEmbedder())
    return current(project)


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / folder.name))


def check_named(copy: Path, *paths: Path) -> None:
    for read in (lambda: load_index(copy, embedder="words-1"), lambda: read_documents_of(copy)):
        with pytest.raises(IntegrityError) as caught:
            read()
        assert caught.value.where in map(str, paths)
        assert any(said in caught.value.what for said in BEFORE_PARSING)
        assert caught.value.exit_code == 2
        assert "genaiops build FLOW --full" in caught.value.remedy or "upgrade" in caught.value.remedy


def test_f05_single_bits(copy: Path) -> None:
    chance, paths = random.Random(5), files_of(copy)
    assert len(paths) == 11
    for path in paths:
        whole = path.read_bytes()
        for _ in range(FLIPS // len(paths) + 1):
            flipped = bytearray(whole)
            flipped[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
            path.write_bytes(flipped)
            check_named(copy, path)
        path.write_bytes(whole)
    assert load_index(copy, embedder="words-1").chunks


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:-1],
        lambda data: data[: len(data) // 2],
        lambda data: data + b"\n",
        lambda data: bytes(len(data)),
        lambda data: data[1:] + data[:1],
    ],
    ids=["zero length", "one byte short", "half", "one byte more", "zeros", "shifted"],
)
def test_f05_files_of_other_length_or_content(copy: Path, damage: Callable[[bytes], bytes]) -> None:
    for path in files_of(copy):
        whole = path.read_bytes()
        path.write_bytes(damage(whole))
        check_named(copy, path)
        path.write_bytes(whole)


def test_f05_cut_at_every_block(copy: Path) -> None:
    for path in files_of(copy):
        whole = path.read_bytes()
        for end in range(0, len(whole), 4096):
            path.write_bytes(whole[:end])
            check_named(copy, path)
        path.write_bytes(whole)


def test_f05_missing_files(copy: Path) -> None:
    for path in files_of(copy):
        whole = path.read_bytes()
        path.unlink()
        check_named(copy, path)
        path.write_bytes(whole)


def test_f05_folders_and_dead_links_in_the_place_of_files(copy: Path) -> None:
    for path in files_of(copy):
        whole = path.read_bytes()
        path.unlink()
        path.mkdir()
        with pytest.raises(IntegrityError) as caught:
            load_index(copy, embedder="words-1")
        assert caught.value.where == str(path)
        path.rmdir()
        path.symlink_to(copy / "nowhere")
        with pytest.raises(IntegrityError) as caught:
            load_index(copy, embedder="words-1")
        assert caught.value.where == str(path)
        path.unlink()
        path.write_bytes(whole)


@pytest.mark.parametrize("name", ["chunks.jsonl.bak", "full_text/extra.npy", "a/b/c", "full_text/manifest.json"])
def test_f05_extra_files(copy: Path, name: str) -> None:
    path = copy / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")
    check_named(copy, path)


def test_f05_swapped_files(copy: Path) -> None:
    paths = files_of(copy)
    chance = random.Random(6)
    for _ in range(12):
        one, two = chance.sample(paths, 2)
        first, second = one.read_bytes(), two.read_bytes()
        one.write_bytes(second)
        two.write_bytes(first)
        check_named(copy, one, two)
        one.write_bytes(first)
        two.write_bytes(second)


def test_f05_full_build_repairs_what_a_plain_build_need_not_notice(tmp_path: Path) -> None:
    project = write_small_project(tmp_path / "project")
    report = build(project, WordsEmbedder())
    digests = read_manifest(current(project)).files
    for path in files_of(current(project)):
        whole = path.read_bytes()
        path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 4]))
        repaired = build(project, WordsEmbedder(), full=True)
        assert not repaired.unchanged
        assert (repaired.index, repaired.embedded) == (report.index, report.chunks)
        assert load_index(current(project), embedder="words-1").manifest.files == digests
        path.unlink()  # a plain build sees by the names that the index is not whole
        assert not build(project, WordsEmbedder()).unchanged
        load_index(current(project), embedder="words-1")
    assert [path.name for path in (project.home / "indexes").iterdir()] == [report.index]
