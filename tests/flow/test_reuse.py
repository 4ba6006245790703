"""A build takes over what the index before holds of unchanged documents, and the result is that of a full build."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from genaiops.errors import GateRefused
from genaiops.flow.planning import plan_build
from genaiops.flow.settings import read_flow
from genaiops.indexing import read_manifest
from genaiops.indexing.manifest import PROVENANCE_FILE
from genaiops.project import Project
from tests.builds import build, current, opened
from tests.small_project import DOCUMENTS, SmallProject, write_small_project
from tests.words_embedder import WordsEmbedder

SMALL_CHUNKS = ("chunking.size=120",)


def edit(project: SmallProject) -> None:
    """One document changed, one new, one gone; two stay."""
    (project.documents / "returns.md").write_text(DOCUMENTS["returns.md"].replace("30 days", "45 days"))
    (project.documents / "aaa.md").write_text("# First\n\nA page that comes before all others, with new words.\n")
    (project.documents / "cleaning.md").unlink()


def files(project: SmallProject) -> dict[str, str]:
    """Digests of what must be the same; provenance tells when files were last changed."""
    return {name: digest for name, digest in read_manifest(current(project)).files.items() if name != PROVENANCE_FILE}


@pytest.mark.parametrize("kind", ["flat", "hnsw"])
def test_the_result_is_that_of_a_full_build_byte_for_byte(tmp_path: Path, kind: str) -> None:
    made = []
    for name in ("incremental", "full"):
        project = write_small_project(tmp_path / name)
        path = project.flow / "flow.yaml"
        path.write_text(path.read_text().replace("size: 300", "size: 120") + f"index: {{kind: {kind}}}\n")
        if name == "incremental":
            build(project, WordsEmbedder())
        edit(project)
        report = build(project, WordsEmbedder(), full=name == "full")
        assert (report.reused > 0) == (name == "incremental")
        made.append((report.index, files(project), read_manifest(current(project)).content))
    assert made[0] == made[1]


def test_it_needs_no_cache_to_take_over_vectors(small_project: SmallProject) -> None:
    first = build(small_project, WordsEmbedder())
    for path in small_project.home.glob("cache.db*"):
        path.unlink()
    (small_project.documents / "models" / "glass.md").unlink()
    embedder = WordsEmbedder()
    second = build(small_project, embedder)
    assert (second.embedded, embedder.asked) == (0, 0)
    assert 0 < second.reused == second.chunks < first.chunks


@pytest.mark.parametrize("name", ["chunks.jsonl", "vectors.faiss", "full_text/counts.u32", "manifest.json"])
def test_a_damaged_index_is_not_taken_over(small_project: SmallProject, name: str) -> None:
    build(small_project, WordsEmbedder())
    path = current(small_project) / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    edit(small_project)
    report = build(small_project, WordsEmbedder())
    assert report.reused == 0
    assert files(small_project)
    opened(small_project, WordsEmbedder())


def test_other_settings_and_other_vectors_take_nothing_over(small_project: SmallProject) -> None:
    build(small_project, WordsEmbedder())
    assert build(small_project, WordsEmbedder(), overrides=SMALL_CHUNKS).reused == 0
    edit(small_project)
    assert build(small_project, WordsEmbedder(fingerprint="words-2")).reused == 0
    build(small_project, WordsEmbedder())
    (small_project.documents / "more.md").write_text("# More\n\nStill more of it.\n")
    assert build(small_project, WordsEmbedder(), full=True).reused == 0


def test_a_dry_run_counts_chunks_and_a_shifted_chunk_is_none_that_changed(small_project: SmallProject) -> None:
    project, settings = Project.find(small_project.root), read_flow(small_project.flow, SMALL_CHUNKS).settings
    first = build(small_project, WordsEmbedder(), overrides=SMALL_CHUNKS)
    path = small_project.documents / "returns.md"
    path.write_text(DOCUMENTS["returns.md"].replace("within 30 days", "within the first 45 days"))
    plan = plan_build(project, settings, small_project.flow, WordsEmbedder())
    assert (plan.changed, plan.added, plan.removed) == (("returns.md",), (), ())
    assert (plan.chunks.added, plan.chunks.changed, plan.chunks.removed) == (0, 1, 0)
    assert plan.chunks.kept == first.chunks - 1
    report = build(small_project, WordsEmbedder(), overrides=SMALL_CHUNKS)
    assert (report.index, report.embedded) == (plan.index, 1)


def test_a_dry_run_of_a_first_build_adds_everything(small_project: SmallProject) -> None:
    project, settings = Project.find(small_project.root), read_flow(small_project.flow).settings
    plan = plan_build(project, settings, small_project.flow, WordsEmbedder())
    assert set(plan.added) == set(DOCUMENTS)
    report = build(small_project, WordsEmbedder())
    assert (plan.chunks.added, plan.chunks.kept, plan.index) == (report.chunks, 0, report.index)


def test_a_missed_quality_bar_fails_the_build_and_the_index_stays(small_project: SmallProject) -> None:
    before = build(small_project, WordsEmbedder()).index
    indexes = sorted((small_project.home / "indexes").iterdir())
    edit(small_project)
    embedder = WordsEmbedder()
    with pytest.raises(GateRefused, match="quality bar") as caught:
        build(small_project, embedder, overrides=("quality.min_documents=6", "quality.max_chunk_p95=10"))
    assert caught.value.exit_code == 1
    settings = read_flow(small_project.flow, ("quality.min_documents=6", "quality.max_chunk_p95=10")).settings
    plan = plan_build(Project.find(small_project.root), settings, small_project.flow, WordsEmbedder())
    assert "\n  ".join(plan.missed) == caught.value.remedy  # a dry run says the same
    assert "min_documents 6" in caught.value.remedy and "max_chunk_p95 10" in caught.value.remedy
    assert embedder.asked == 0  # nothing was embedded in vain
    assert sorted((small_project.home / "indexes").iterdir()) == indexes
    assert current(small_project).name == before


def test_the_bar_holds_for_an_index_that_is_there_already(small_project: SmallProject) -> None:
    first = build(small_project, WordsEmbedder())
    again = build(small_project, WordsEmbedder())
    assert again.unchanged and again.quality == first.quality
    with pytest.raises(GateRefused, match="quality bar"):
        build(small_project, WordsEmbedder(), overrides=("quality.max_chunk_p95=10",))


def test_the_report_tells_the_quality_of_what_was_read(small_project: SmallProject) -> None:
    (small_project.documents / "twin.md").write_text(DOCUMENTS["cleaning.md"])
    (small_project.documents / "empty.md").write_text("")
    report = build(small_project, WordsEmbedder())
    quality = report.quality
    assert (quality.documents_in, quality.kept) == (len(DOCUMENTS) + 2, len(DOCUMENTS))
    assert (quality.duplicates, quality.empty) == (1, 1)
    assert quality.chunks is not None and quality.chunks.count == report.chunks


def test_a_store_that_spilled_gives_the_same_index(
    small_project: SmallProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(small_project, WordsEmbedder())
    expected = files(small_project)
    shutil.rmtree(small_project.home)
    monkeypatch.setattr("genaiops.flow.gathering.SPILLED_FROM", 100)
    monkeypatch.setattr("genaiops.indexing.writing.EMBEDDED_TOGETHER", 2)
    build(small_project, WordsEmbedder())
    assert files(small_project) == expected
