"""Every enricher adds what it says, to what is searched and not to what is shown."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from genaiops.chunking import ChunkingSettings, GeneratedTexts, Tools, chunker_for
from genaiops.errors import ConfigurationError, ModelError
from genaiops.records import Chunk, Document, Message

BODY = "Some words of the body here. " * 3

# --- heading_path -------------------------------------------------------------


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


# --- the other enrichers ----------------------------------------------------------


def chunks_of(text: str, *enrichment: Any, size: int = 100, tools: Tools | None = None, **metadata: Any) -> list[Chunk]:
    chunker = chunker_for(ChunkingSettings(size=size, overlap=0), enrichment, tools or Tools())
    return chunker.chunk(Document("d", text, metadata))


def test_what_is_added_stands_before_the_text_in_the_order_of_the_names() -> None:
    fields = {"metadata": {"fields": ["product"], "search": True}}
    text = "# A\n\n## B\n\nOne."
    for names, before in (
        (("title", "heading_path", fields), "T\nA\nproduct: kettle"),
        ((fields, "heading_path", "title"), "product: kettle\nA\nT"),
    ):
        [chunk] = chunks_of(f"{text}\n\n## C\n\nTwo.", *names, title="T", product="kettle")
        assert chunk.indexed_text == f"{before}\n{chunk.text}"


def test_a_title_is_that_of_the_metadata_or_the_first_heading_of_the_highest_level() -> None:
    assert chunks_of("## B\n\n# A\n\nText.", "title")[0].indexed_text.startswith("A\n")
    assert chunks_of("# A\n\nText.", "title", title=" Kettles\n")[0].metadata["title"] == "Kettles"
    [chunk] = chunks_of("Text.", "title")
    assert (chunk.indexed_text, "title" in chunk.metadata) == ("Text.", False)


def test_keywords_are_what_sets_a_chunk_apart_from_its_document() -> None:
    text = (
        "The kettle has a filter. Descale the kettle filter with vinegar, never with bleach.\n\n"
        "The kettle has a cord. Wind the kettle cord around the base before storing it away.\n\n"
        "The kettle has a lid. Close the kettle lid before boiling, or boiling never ends here."
    )
    chunks = chunks_of(text, {"keywords": {"most": 3, "search": True}})
    assert [chunk.metadata["keywords"][0] for chunk in chunks] == ["filter", "cord", "boiling"]
    assert all(len(chunk.metadata["keywords"]) == 3 for chunk in chunks)
    assert chunks[0].indexed_text == f"{', '.join(chunks[0].metadata['keywords'])}\n{chunks[0].text}"
    [plain, *_] = chunks_of(text, "keywords")
    assert plain.indexed_text == plain.text
    assert chunks_of("123 4.5", "keywords")[0].metadata["keywords"] == []


def test_neighbours_name_the_chunks_beside_each_one() -> None:
    first, second, third = chunks_of(f"{BODY}\n\n{BODY}\n\n{BODY}", "neighbours")
    assert (first.metadata, third.metadata) == ({"next": second.id}, {"previous": second.id})
    assert second.metadata == {"previous": first.id, "next": third.id}
    assert second.indexed_text == second.text


def test_words_before_a_chunk_can_be_searched_with_it_and_begin_with_a_whole_word() -> None:
    first, second = chunks_of(f"{BODY}\n\n{BODY}", {"neighbours": {"before": 13}})
    assert first.indexed_text == first.text
    assert second.indexed_text == f"body here.\n{second.text}"


def test_named_fields_are_on_every_chunk_and_searched_only_when_asked() -> None:
    facts: dict[str, Any] = {"product": "kettle", "tags": ["new", "red"], "other": 1}
    [chunk] = chunks_of("Text.", {"metadata": ["product", "tags", "absent"]}, **facts)
    assert (chunk.metadata, chunk.indexed_text) == ({"product": "kettle", "tags": ["new", "red"]}, "Text.")
    [chunk] = chunks_of("Text.", {"metadata": {"fields": ["product", "tags"], "search": True}}, **facts)
    assert chunk.indexed_text == "product: kettle\ntags: new, red\nText."


def test_labels_win_over_what_an_enricher_adds_and_are_never_lost() -> None:
    [chunk] = chunks_of("Text.", {"metadata": ["access"]}, access=["staff"])
    assert chunk.metadata["access"] == ["staff"]


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ({"keywords": {"top": 3}}, "enrichment 'keywords' has wrong options (top: Extra inputs are not permitted)"),
        ({"keywords": {"most": 0}}, "most: Input should be greater than or equal to 1"),
        ({"metadata": []}, "fields: Tuple should have at least 1 item"),
        ({"heading_path": {"deep": True}}, "its options are: none"),
        ({"title": None, "keywords": None}, "an entry of enrichment is a name, or one name with its options"),
        (7, "an entry of enrichment is a name"),
        ("summary", "enrichment 'summary' needs a model"),
    ],
)
def test_wrong_entries_are_refused_with_what_is_right(entry: Any, told: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        chunker_for(ChunkingSettings(), (entry,))
    assert told in str(caught.value)


# --- written by a model -------------------------------------------------------------


class Model:
    """Answers with a count, or fails; remembers what it was asked."""

    def __init__(self, *failing: str) -> None:
        self.asked: list[str] = []
        self.failing = failing

    def __call__(self, messages: Sequence[Message]) -> str:
        self.asked.append(messages[-1].content)
        if any(word in messages[-1].content for word in self.failing):
            raise ModelError("the endpoint is down")
        return "What is it?\n\nWhose  is it?" if "questions" in messages[0].content else " A summary\nof it. "


PARTS = "\n\n".join(f"Part {word} says a few words about {word} only, and no more than these." for word in "abcdefgh")


def test_what_a_model_writes_is_searched_and_not_shown() -> None:
    [chunk] = chunks_of("Text.", "summary", "questions", tools=Tools(complete=Model()))
    assert chunk.indexed_text == "A summary of it.\nWhat is it?\nWhose is it?\nText."
    assert chunk.metadata == {"summary": "A summary of it.", "questions": ["What is it?", "Whose is it?"]}
    assert chunk.text == "Text."


def test_the_model_is_asked_once_for_each_content_and_told_what_is_material(tmp_path: Path) -> None:
    cache, model = GeneratedTexts(tmp_path / "cache.db"), Model()
    first = chunks_of(PARTS, "summary", tools=Tools(complete=model, model="m", cache=cache))
    assert len(model.asked) == len(first) == 8
    assert sorted(model.asked) == [f"<passage>\n{chunk.text}\n</passage>" for chunk in first]
    longer = f"{PARTS}\n\nPart i says a few new words about i, and more than would fit beside the others."
    again = chunks_of(longer, "summary", tools=Tools(complete=model, model="m", cache=cache))
    assert len(again) == 9
    assert len(model.asked) == 9
    chunks_of(PARTS, "summary", tools=Tools(complete=model, model="another", cache=cache))
    assert len(model.asked) == 17


def test_a_failed_call_leaves_the_chunk_without_and_says_so_and_is_tried_again(tmp_path: Path) -> None:
    cache = GeneratedTexts(tmp_path / "cache.db")
    chunks = chunks_of(PARTS, "summary", "questions", tools=Tools(complete=Model("Part c"), cache=cache))
    lacking = [chunk for chunk in chunks if "not_enriched" in chunk.metadata]
    assert [chunk.text[:6] for chunk in lacking] == ["Part c"]
    assert lacking[0].metadata == {"not_enriched": ["summary", "questions"]}
    assert lacking[0].indexed_text == lacking[0].text
    model = Model()
    whole = chunks_of(PARTS, "summary", "questions", tools=Tools(complete=model, cache=cache))
    assert not any("not_enriched" in chunk.metadata for chunk in whole)
    assert len(model.asked) == 2


def test_strict_makes_a_failed_call_an_error() -> None:
    with pytest.raises(ModelError, match="the endpoint is down"):
        chunks_of(PARTS, "summary", tools=Tools(complete=Model("Part c"), strict=True))


def test_a_dead_endpoint_is_asked_five_times_and_no_more() -> None:
    model = Model("Part")
    chunks = chunks_of(PARTS, {"summary": {"workers": 1}}, tools=Tools(complete=model))
    assert len(model.asked) == 5
    assert all(chunk.metadata["not_enriched"] == ["summary"] for chunk in chunks)


def test_a_long_reply_is_cut() -> None:
    [chunk] = chunks_of("Text.", "summary", tools=Tools(complete=lambda messages: "word " * 1000))
    assert len(chunk.metadata["summary"]) == 600


def test_a_damaged_cache_is_as_good_as_none(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "cache.db"
    path.write_bytes(b"no database at all, but long enough to be taken for one" * 40)
    [chunk] = chunks_of("Text.", "summary", tools=Tools(complete=Model(), cache=GeneratedTexts(path)))
    assert chunk.metadata["summary"] == "A summary of it."
    assert "the cache is not usable" in caplog.text
