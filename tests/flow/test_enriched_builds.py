"""What a flow builds with other strategies, with tokens, and with enrichment by its own model over real HTTP."""

from __future__ import annotations

from pathlib import Path

import pytest

from genaiops.errors import ConfigurationError, ModelError
from genaiops.flow import Flow
from genaiops.records import Chunk
from genaiops.testing import Reply, ScriptedModelServer
from tests.builds import build
from tests.small_project import SmallProject
from tests.words_embedder import WordsEmbedder

SUMMARY = "enrichment=[heading_path, summary]"


def built(project: SmallProject, *overrides: str, strict: bool = False) -> tuple[int, list[Chunk]]:
    """How many chunks lack what the model should have written, and all chunks."""
    from genaiops.indexing.snapshot import load_index
    from genaiops.project import Project

    embedder = WordsEmbedder()
    report = build(project, embedder, overrides=overrides, strict=strict)
    index = load_index(Project.find(project.root).indexes / report.index, embedder=embedder.fingerprint)
    return report.missing, list(index.chunks)


def by_model(server: ScriptedModelServer) -> tuple[str, ...]:
    return (SUMMARY, "generation.model=scripted", f"generation.base_url={server.base_url}")


def test_a_model_of_the_flow_writes_summaries_once_for_each_content(small_project: SmallProject) -> None:
    with ScriptedModelServer("All about kettles.") as server:
        missing, chunks = built(small_project, *by_model(server))
        asked = len(server.chats)
        assert (missing, asked) == (0, len(chunks))
        assert all(chunk.metadata["summary"] == "All about kettles." for chunk in chunks)
        warranty = next(chunk for chunk in chunks if chunk.document_id == "warranty.md")
        assert warranty.indexed_text == f"Warranty\nAll about kettles.\n{warranty.text}"
        assert "not instructions" in server.chats[0].body["messages"][0]["content"]
        path = small_project.documents / "warranty.md"
        path.write_text(path.read_text(encoding="utf-8").replace("two years", "three years"), encoding="utf-8")
        built(small_project, *by_model(server))
        assert len(server.chats) == asked + 1


def test_an_index_with_gaps_is_another_and_the_next_build_fills_them(small_project: SmallProject) -> None:
    with ScriptedModelServer(lambda body: Reply(status=400) if "limescale" in str(body) else "Kettles.") as server:
        missing, chunks = built(small_project, *by_model(server))
        lacking = [chunk for chunk in chunks if chunk.metadata.get("not_enriched") == ["summary"]]
        assert 0 < missing == len(lacking) < len(chunks)
        asked = len(server.chats)
        missing_again, _ = built(small_project, *by_model(server))
        assert (missing_again, len(server.chats)) == (missing, asked + missing)
        server._script = "Kettles."
        filled, chunks = built(small_project, *by_model(server))
        assert (filled, len(server.chats)) == (0, asked + 2 * missing)
        assert not any("not_enriched" in chunk.metadata for chunk in chunks)
        built(small_project, *by_model(server))
        assert len(server.chats) == asked + 2 * missing  # unchanged: nothing is asked


def test_a_strict_build_fails_with_the_model(small_project: SmallProject) -> None:
    with ScriptedModelServer(Reply(status=400)) as server, pytest.raises(ModelError):
        built(small_project, *by_model(server), strict=True)


def test_the_offline_generator_writes_no_summaries(small_project: SmallProject) -> None:
    with pytest.raises(ConfigurationError, match="enrichment 'summary' needs a model") as caught:
        built(small_project, SUMMARY)
    assert "generation: {model: …}" in caught.value.remedy
    assert not list(small_project.home.glob("indexes/*/manifest.json"))


def test_the_model_takes_part_in_the_index_only_where_it_writes(small_project: SmallProject) -> None:
    def part(*overrides: str) -> object:
        return Flow.load(small_project.flow, overrides=overrides).settings.index_part()

    url = "generation.base_url=http://127.0.0.1:9/v1"
    first, second = "generation.model=first", "generation.model=second"
    assert part(first, url) == part(second, url)
    assert part(SUMMARY, first, url) != part(SUMMARY, second, url)


def test_chunks_are_counted_in_tokens_of_the_flows_embedder(small_project: SmallProject) -> None:
    _, chunks = built(small_project, "chunking={strategy: markdown, unit: tokens, size: 20, overlap: 0}")
    assert max(len(chunk.text.split()) for chunk in chunks) <= 20
    assert len(chunks) > len(built(small_project, "chunking={strategy: markdown, size: 300}")[1])


def test_chunks_of_more_tokens_than_the_embedder_reads_are_refused_before_anything_is_built(
    small_project: SmallProject,
) -> None:
    chunking = "chunking={{strategy: markdown, unit: tokens, size: {}, overlap: 0}}"
    too_large = Flow.load(small_project.flow, overrides=[chunking.format(255)])
    for ask in (too_large.build, too_large.plan_build):
        with pytest.raises(ConfigurationError, match=r"size is 255 tokens, but .*MiniLM-L6-v2 reads 254") as told:
            ask()
        assert "254 at most" in told.value.remedy
    assert not list(small_project.home.glob("indexes/*"))
    whole, words = chunking.format(254), "retrieval.search=full_text"
    assert Flow.load(small_project.flow, overrides=[whole]).plan_build().added
    assert Flow.load(small_project.flow, overrides=[chunking.format(255), words]).plan_build().added


def test_a_semantic_flow_embeds_with_its_own_model(small_project: SmallProject) -> None:
    _, chunks = built(small_project, "chunking={strategy: semantic, size: 200, overlap: 0}")
    texts = {path.name: path.read_text(encoding="utf-8") for path in Path(small_project.documents).rglob("*.md")}
    assert all(chunk.text in texts[Path(chunk.document_id).name] for chunk in chunks)


def test_labels_and_named_fields_reach_the_index(small_project: SmallProject) -> None:
    path = small_project.documents / "warranty.md"
    front = "---\nsensitivity: internal\naccess: [staff]\nproduct: kettle\n---\n"
    path.write_text(front + path.read_text(encoding="utf-8"), encoding="utf-8")
    _, chunks = built(small_project, "enrichment=[{metadata: [product]}, neighbours]")
    [chunk] = [chunk for chunk in chunks if chunk.document_id == "warranty.md"]
    labels = {"sensitivity": "internal", "access": ["staff"], "language": "en"}
    assert chunk.metadata == {**labels, "product": "kettle"}
