"""A build does what the content asks for and no more, and sets bad documents aside."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from genaiops.embedding.loading import LocalEmbedder
from genaiops.errors import ConfigurationError, DocumentError, NotBuilt
from genaiops.flow.building import current_index, pointer_file
from genaiops.flow.settings import read_flow
from genaiops.indexing import read_manifest
from genaiops.indexing.snapshot import read_documents_of
from genaiops.project import Project
from tests.builds import build, current, opened
from tests.small_project import DOCUMENTS, SmallProject
from tests.words_embedder import WordsEmbedder


def texts(project: SmallProject) -> set[str]:
    return {chunk.indexed_text for chunk in opened(project, WordsEmbedder()).chunks}


def keep_duplicates(project: SmallProject) -> None:
    path = project.flow / "flow.yaml"
    path.write_text(path.read_text(encoding="utf-8") + "cleansing: {duplicates: keep}\n", encoding="utf-8")


def test_the_first_build_embeds_every_text_once(small_project: SmallProject) -> None:
    (small_project.documents / "twin").mkdir()
    (small_project.documents / "twin" / "travel.md").write_text(DOCUMENTS["models/travel.md"], encoding="utf-8")
    keep_duplicates(small_project)
    embedder = WordsEmbedder()
    report = build(small_project, embedder)
    assert (report.documents, report.unchanged, report.quarantined) == (len(DOCUMENTS) + 1, False, ())
    assert report.chunks == len(opened(small_project, embedder).chunks)
    assert report.embedded == embedder.asked == len(texts(small_project)) == report.chunks - 1  # the twin is free
    assert report.seconds > 0


def test_an_unchanged_build_embeds_nothing_and_writes_only_that_it_looked(small_project: SmallProject) -> None:
    first = build(small_project, WordsEmbedder())
    before = {path: path.stat().st_mtime_ns for path in small_project.home.rglob("*") if "cache" not in path.name}
    embedder = WordsEmbedder()
    again = build(small_project, embedder)
    assert (again.index, again.unchanged, again.embedded, embedder.asked) == (first.index, True, 0, 0)
    assert (again.documents, again.chunks) == (first.documents, first.chunks)
    now = {path: path.stat().st_mtime_ns for path in small_project.home.rglob("*") if "cache" not in path.name}
    assert {path.name for path in now if now[path] != before.get(path)} == {"history.jsonl"}


def test_one_changed_file_embeds_only_its_changed_chunks(small_project: SmallProject) -> None:
    overrides = ("chunking.size=120",)
    first = build(small_project, WordsEmbedder(), overrides=overrides)
    changed = DOCUMENTS["returns.md"].replace("30 days", "45 days")
    (small_project.documents / "returns.md").write_text(changed, encoding="utf-8")
    embedder = WordsEmbedder()
    second = build(small_project, embedder, overrides=overrides)
    assert second.index != first.index
    assert second.chunks == first.chunks
    assert second.embedded == embedder.asked == 1


def test_a_removed_document_leaves_and_a_restored_one_costs_nothing(small_project: SmallProject) -> None:
    first = build(small_project, WordsEmbedder())
    path = small_project.documents / "cleaning.md"
    path.unlink()
    without = build(small_project, WordsEmbedder())
    assert (without.documents, without.embedded) == (first.documents - 1, 0)
    assert "cleaning.md" not in {chunk.document_id for chunk in opened(small_project, WordsEmbedder()).chunks}
    path.write_text(DOCUMENTS["cleaning.md"], encoding="utf-8")
    restored = build(small_project, WordsEmbedder())
    assert (restored.index, restored.unchanged) == (first.index, True)
    assert current(small_project).name == first.index


def test_a_touched_or_rewritten_file_of_the_same_content_changes_nothing(small_project: SmallProject) -> None:
    build(small_project, WordsEmbedder())
    for name, text in DOCUMENTS.items():
        (small_project.documents / name).write_text(text, encoding="utf-8")
        os.utime(small_project.documents / name, (1, 1))
    assert build(small_project, WordsEmbedder()).unchanged


def test_a_full_build_of_what_is_whole_keeps_it(small_project: SmallProject) -> None:
    first = build(small_project, WordsEmbedder())
    again = build(small_project, WordsEmbedder(), full=True)
    assert (again.index, again.unchanged, again.embedded) == (first.index, True, 0)


def test_the_cache_may_be_deleted_or_ruined_at_any_time(small_project: SmallProject) -> None:
    first = build(small_project, WordsEmbedder())
    expected = read_manifest(current(small_project)).files
    for content in (None, b"", b"ruined" * 1000):
        for path in small_project.home.glob("cache.db*"):
            path.unlink()
        if content is not None:
            (small_project.home / "cache.db").write_bytes(content)
        next(current(small_project).glob("vectors.faiss")).unlink()
        again = build(small_project, WordsEmbedder())
        assert (again.index, again.embedded) == (first.index, first.chunks)
        assert read_manifest(current(small_project)).files == expected


def test_each_set_of_settings_has_its_own_current_index(small_project: SmallProject) -> None:
    project, embedder = Project.find(small_project.root), WordsEmbedder()
    first = build(small_project, embedder)
    small = build(small_project, embedder, overrides=("chunking.size=120",))
    assert small.index != first.index
    assert current_index(project, read_flow(small_project.flow).settings, small_project.flow) == first.index
    assert (
        current_index(project, read_flow(small_project.flow, ("chunking.size=120",)).settings, small_project.flow)
        == small.index
    )
    same = ("retrieval.top_k=3", "prompt=brief")
    assert current_index(project, read_flow(small_project.flow, same).settings, small_project.flow) == first.index
    with pytest.raises(NotBuilt, match="only for others"):
        current_index(project, read_flow(small_project.flow, ("chunking.size=130",)).settings, small_project.flow)


def test_before_the_first_build_there_is_no_index(small_project: SmallProject) -> None:
    with pytest.raises(NotBuilt, match="flow 'kettles' has no index for these settings"):
        current_index(Project.find(small_project.root), read_flow(small_project.flow).settings, small_project.flow)
    assert not small_project.home.exists()


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"{}", b"[]", b"null", b'{"index": "../../etc"}'])
def test_a_damaged_pointer_is_not_followed_and_the_next_build_mends_it(
    small_project: SmallProject, content: bytes
) -> None:
    project, settings = Project.find(small_project.root), read_flow(small_project.flow).settings
    report = build(small_project, WordsEmbedder())
    pointer_file(project, settings, small_project.flow).write_bytes(content)
    with pytest.raises(NotBuilt, match="genaiops build"):
        opened(small_project, WordsEmbedder())
    again = build(small_project, WordsEmbedder())
    assert again.unchanged
    assert current_index(project, settings, small_project.flow) == report.index


BAD = {
    "empty.md": b"",
    "blank.md": b" \n\t\n",
    "latin.md": "Größe".encode("latin-1"),
    "binary.txt": b"\x00\x01\x02\x00",
    "broken.json.jsonl": b"{not json}\n",
}


def test_bad_documents_are_set_aside_with_a_reason_and_the_others_go_on(small_project: SmallProject) -> None:
    whole = build(small_project, WordsEmbedder())
    for name, content in BAD.items():
        (small_project.documents / name).write_bytes(content)
    (small_project.documents / "leaves.md").symlink_to("/etc/hostname")
    report = build(small_project, WordsEmbedder())
    assert report.index == whole.index  # what was set aside takes no part in the id
    reasons = {item.document_id.partition("#")[0]: item.reason for item in report.quarantined}
    assert set(reasons) == {*BAD, "leaves.md"}
    assert all(reasons.values())
    assert "link" in reasons["leaves.md"]


def test_what_was_set_aside_is_a_fact_of_the_build(small_project: SmallProject) -> None:
    (small_project.documents / "empty.md").write_bytes(b"")
    report = build(small_project, WordsEmbedder())
    manifest = read_manifest(current(small_project))
    assert manifest.facts["quarantined"] == [[item.document_id, item.reason] for item in report.quarantined]
    assert {document.id for document in read_documents_of(current(small_project))} == set(DOCUMENTS)


def test_strict_refuses_and_leaves_the_current_index(small_project: SmallProject) -> None:
    before = build(small_project, WordsEmbedder()).index
    (small_project.documents / "empty.md").write_bytes(b"")
    (small_project.documents / "new.md").write_text("# New\n\nA new page.\n", encoding="utf-8")
    with pytest.raises(DocumentError, match=r"empty\.md") as caught:
        build(small_project, WordsEmbedder(), strict=True)
    assert caught.value.exit_code == 2
    assert current(small_project).name == before


def test_when_no_document_can_be_read_the_current_index_stays(small_project: SmallProject) -> None:
    before = build(small_project, WordsEmbedder()).index
    for name in DOCUMENTS:
        (small_project.documents / name).write_bytes(b"\xff\x00")
    with pytest.raises(DocumentError, match="none of 5 document"):
        build(small_project, WordsEmbedder())
    assert current(small_project).name == before


def test_a_missing_source_is_named(small_project: SmallProject) -> None:
    build(small_project, WordsEmbedder())
    small_project.documents.rename(small_project.root / "moved")
    with pytest.raises(ConfigurationError, match="documents"):
        build(small_project, WordsEmbedder())


CHILD = """
import sys
from genaiops import Flow
report = Flow.load(sys.argv[1]).build()
heavy = {"torch", "transformers", "sentence_transformers", "mlflow", "langchain_core"} & set(sys.modules)
print(report.index, report.unchanged, report.embedded, sorted(heavy))
"""


def test_a_build_with_nothing_to_embed_loads_no_model(small_project: SmallProject, embedder: LocalEmbedder) -> None:
    def child() -> list[str]:
        done = subprocess.run(
            [sys.executable, "-c", CHILD, str(small_project.flow)],
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.split()

    report = build(small_project, embedder)
    assert child() == [report.index, "True", "0", "[]"]
    (small_project.documents / "cleaning.md").unlink()
    index, unchanged, embedded, heavy = child()
    assert (unchanged, embedded, heavy) == ("False", "0", "[]")
    assert current(small_project).name == index
