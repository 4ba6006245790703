"""Every enricher adds what it says, to what is searched and not to what is shown."""

from __future__ import annotations

from typing import Any

import pytest

from genaiops.chunking import ChunkingSettings, chunker_for
from genaiops.errors import ConfigurationError
from genaiops.records import Chunk, Document

BODY = "Some words of the body here. " * 3

# --- enrichment ---------------------------------------------------------------


def enriched(text: str, *, size: int = 100, **metadata: Any) -> list[Chunk]:
    return chunker_for(ChunkingSettings(size=size, overlap=0), ("heading_path",)).chunk(Document("d", text, metadata))


def test_the_path_of_headings_is_put_before_the_indexed_text_only() -> None:
    text = f"# A #\n\n{BODY}\n\n## B {{#anchor}}\n\n{BODY}\n\n{BODY}\n\n# C\n\n{BODY}"
    chunks = enriched(text, size=110)
    assert [chunk.metadata["heading_path"] for chunk in chunks] == [["A"], ["A", "B"], ["A", "B"], ["C"]]
    assert chunks[1].indexed_text == f"A > B\n{chunks[1].text}"
    assert all(text[chunk.start : chunk.end] == chunk.text for chunk in chunks)


def test_a_chunk_of_several_sections_has_the_path_of_their_parent() -> None:
    [chunk] = enriched("# A\n\n## B\n\nOne.\n\n## C\n\nTwo.")
    assert chunk.metadata["heading_path"] == ["A"]


def test_the_title_of_the_document_stands_in_for_a_first_heading() -> None:
    assert enriched("Text.", title="T")[0].indexed_text == "T\nText."
    assert enriched("## B\n\nText.", title="T")[0].metadata["heading_path"] == ["T", "B"]
    assert enriched("# A\n\nText.", title="T")[0].metadata["heading_path"] == ["A"]


def test_without_headings_and_title_there_is_no_path() -> None:
    [chunk] = enriched("Text.")
    assert (chunk.indexed_text, chunk.metadata["heading_path"]) == ("Text.", [])


def test_enrichment_does_not_change_ids() -> None:
    document = Document("d", f"# A\n\n{BODY * 20}")
    plain, with_path = (chunker_for(ChunkingSettings(), names).chunk(document) for names in ((), ("heading_path",)))
    assert [chunk.id for chunk in plain] == [chunk.id for chunk in with_path]


def test_an_unknown_enrichment_is_refused_with_the_closest_name() -> None:
    with pytest.raises(ConfigurationError, match="no enrichment 'heading_paths'") as caught:
        chunker_for(ChunkingSettings(), ("heading_paths",))
    assert "did you mean 'heading_path'?" in caught.value.remedy
    with pytest.raises(ConfigurationError, match="given twice"):
        chunker_for(ChunkingSettings(), ("heading_path", "heading_path"))
