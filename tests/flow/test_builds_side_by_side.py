"""Builds of one flow in several processes: one makes the index, the others wait and find it."""

from __future__ import annotations

import json
import os
from pathlib import Path

from tests.builds import build, current, leftovers, opened
from tests.faults.build_children import context
from tests.small_project import SmallProject, write_small_project
from tests.words_embedder import WordsEmbedder

AT_ONCE = 4


def build_and_tell(root: str, number: int) -> None:
    embedder = WordsEmbedder()
    report = build(SmallProject(Path(root)), embedder)
    told = {"index": report.index, "unchanged": report.unchanged, "asked": embedder.asked, "embedded": report.embedded}
    Path(root, f"told{number}").write_text(json.dumps(told))


def together(project: SmallProject) -> list[dict[str, object]]:
    children = [context().Process(target=build_and_tell, args=(str(project.root), n)) for n in range(AT_ONCE)]
    for child in children:
        child.start()
    for child in children:
        child.join(60)
    assert [child.exitcode for child in children] == [0] * AT_ONCE
    return [json.loads((project.root / f"told{n}").read_text()) for n in range(AT_ONCE)]


def test_one_of_them_does_the_work(tmp_path: Path) -> None:
    project = write_small_project(tmp_path / "project")
    told = together(project)
    assert len({str(one["index"]) for one in told}) == 1
    assert sorted(bool(one["unchanged"]) for one in told) == [False] + [True] * (AT_ONCE - 1)
    assert leftovers(project) == []


def test_a_damaged_index_is_made_anew_once(tmp_path: Path) -> None:
    project = write_small_project(tmp_path / "project")
    first = build(project, WordsEmbedder())
    (current(project) / "chunks.jsonl").write_bytes(b"ruined\n")
    told = together(project)
    assert {one["index"] for one in told} == {first.index}
    assert sum(not one["unchanged"] for one in told) == 1
    assert opened(project, WordsEmbedder()).id == first.index


def killed_while_embedding(root: str) -> None:
    """Die when the second block of texts comes: the first is in the cache by then."""

    class Dying(WordsEmbedder):
        def embed(self, texts, progress=lambda done, total: None):  # type: ignore[no-untyped-def]
            if self.asked:
                os._exit(9)
            return super().embed(texts, progress)

    from genaiops.embedding import loading

    loading._KEPT_TOGETHER = 4
    build(SmallProject(Path(root)), Dying(), overrides=("chunking.size=60",))


def test_a_build_that_was_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    project = write_small_project(tmp_path / "project")
    child = context().Process(target=killed_while_embedding, args=(str(project.root),))
    child.start()
    child.join(60)
    assert child.exitcode == 9
    embedder = WordsEmbedder()
    report = build(project, embedder, overrides=("chunking.size=60",))
    assert report.embedded == embedder.asked == report.chunks - 4
    assert leftovers(project) == []
