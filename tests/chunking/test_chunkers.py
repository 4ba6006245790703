"""Both strategies keep the contract; each cuts where it says."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from genaiops.chunking import CHUNKERS, ChunkingSettings, chunker_for
from genaiops.errors import ConfigurationError
from genaiops.files import validated_data
from genaiops.records import Chunk, Document
from tests.contracts.chunker_contract import ChunkerContract


class TestRecursiveChunker(ChunkerContract):
    strategy: ClassVar[str] = "recursive"


class TestMarkdownChunker(ChunkerContract):
    strategy: ClassVar[str] = "markdown"


def cut(text: str, *, strategy: str = "markdown", size: int = 100, overlap: int = 0) -> list[str]:
    settings = ChunkingSettings.model_validate({"strategy": strategy, "size": size, "overlap": overlap})
    return [chunk.text for chunk in chunker_for(settings).chunk(Document("d.md", text))]


BODY = "Some words of the body here. " * 3

# --- recursive ----------------------------------------------------------------


def test_paragraphs_are_kept_whole_and_small_ones_share_a_chunk() -> None:
    small, large = "A small paragraph.", "One sentence of it. " * 4
    assert cut(f"{small}\n\n{small}\n\n{large}\n\n{small}", strategy="recursive") == [
        f"{small}\n\n{small}", large.strip(), small,
    ]  # fmt: skip


def test_a_long_paragraph_is_cut_into_even_shares_of_whole_sentences() -> None:
    text = " ".join(f"Sentence {n:02d} has thirty letters." for n in range(8))
    lengths = [len(chunk) for chunk in cut(text, strategy="recursive", size=220)]
    assert lengths == [127, 127]


def test_a_sentence_too_long_is_cut_at_lines_then_words_then_characters() -> None:
    assert cut("word " * 15 + "\n" + "x" * 60 + "\nend", strategy="recursive", size=50) == [
        ("word " * 8).strip(), ("word " * 7).strip(), "x" * 50, "x" * 10, "end",
    ]  # fmt: skip


def test_lines_of_a_list_are_cut_between_items() -> None:
    items = [f"- Item {n} says something. And a bit more." for n in range(6)]
    chunks = cut("\n".join(items), strategy="recursive", size=100)
    assert chunks == ["\n".join(items[n : n + 2]) for n in (0, 2, 4)]


def test_words_that_announce_a_list_stay_with_it() -> None:
    before = "A paragraph of some words. " * 3
    chunks = cut(f"{before}\n\nThe steps are:\n\n- one\n- two", strategy="recursive", size=90)
    assert chunks[-1] == "The steps are:\n\n- one\n- two"


def test_the_mark_of_an_alert_stays_with_its_text() -> None:
    alert = '> [!div class="checklist"]\n>\n> - First thing to do.\n> - Second thing to do.'
    assert cut(f"{BODY}\n\n{alert}", strategy="recursive", size=110)[-1] == alert


# --- Markdown -----------------------------------------------------------------


def test_sections_are_cut_at_headings_of_both_kinds_and_headings_stay_with_their_text() -> None:
    assert cut(f"Preamble {BODY}\n# One\n{BODY}\n\nTwo\n===\n\n{BODY}\n\nThree\n---\n{BODY}", size=120) == [
        f"Preamble {BODY}".strip(), f"# One\n{BODY}".strip(), f"Two\n===\n\n{BODY}".strip(),
        f"Three\n---\n{BODY}".strip(),
    ]  # fmt: skip


def test_small_neighbours_of_one_parent_share_a_chunk_and_cousins_do_not() -> None:
    text = "# A\n\n## a1\n\nOne.\n\n## a2\n\nTwo.\n\n# B\n\n## b1\n\nThree.\n\n## b2\n\n" + BODY
    assert cut(text, size=100) == [
        "# A\n\n## a1\n\nOne.\n\n## a2\n\nTwo.", "# B\n\n## b1\n\nThree.", f"## b2\n\n{BODY}".strip(),
    ]  # fmt: skip


def test_headings_without_text_go_with_the_first_section_below() -> None:
    assert cut(f"# A\n\n## B\n\n### C\n\n{BODY}\n\n### D\n\n{BODY}", size=120) == [
        f"# A\n\n## B\n\n### C\n\n{BODY}".strip(), f"### D\n\n{BODY}".strip(),
    ]  # fmt: skip


def test_what_looks_like_a_heading_in_fenced_code_is_none() -> None:
    code = "~~~sh\n# not a heading\nrun\n```\n## nor this\n~~~"
    assert cut(f"# H\n\n{BODY}\n\n{code}\n\n{BODY}", size=120) == [f"# H\n\n{BODY}".strip(), code, BODY.strip()]


def test_code_and_tables_that_fit_are_not_cut() -> None:
    code = "```python\nx = 1\n\n\ny = 2. Z\n```"
    table = "| a | b |\n|---|---|\n| 1. One | 2 |\n| 3 | 4 |"
    chunks = cut(f"# H\n\n{BODY}\n\n{code}\n\n{BODY}\n\n{table}\n\n{BODY}", size=100)
    assert any(code in chunk for chunk in chunks)
    assert any(table in chunk for chunk in chunks)


def test_a_table_too_long_is_cut_between_rows_and_its_head_stays_with_a_row() -> None:
    rows = [f"| row {n:02d} | value. Another |" for n in range(12)]
    head = "| name | value |\n|---|---|"
    chunks = cut("\n".join(["# Table", "", head, *rows]), size=100)
    assert chunks[0].startswith(f"# Table\n\n{head}\n| row 00")
    assert all(line in (*rows, "# Table", "", *head.split("\n")) for chunk in chunks for line in chunk.split("\n"))


def test_a_table_without_outer_pipes_is_a_table() -> None:
    table = "name | value. Yes\n--- | ---\none | 1\ntwo | 2"
    assert table in "|".join(cut(f"{BODY}\n\n{table}\n\n{BODY}", size=100))


def test_code_too_long_is_cut_between_lines() -> None:
    lines = [f"call_{n:02d}(first, second)" for n in range(12)]
    chunks = cut("\n".join(["```", *lines, "```"]), size=100)
    assert chunks[0].startswith("```\ncall_00")
    assert all(line in (*lines, "```") for chunk in chunks for line in chunk.split("\n"))


def test_overlap_stays_inside_a_section() -> None:
    text = f"# A\n\n{BODY * 3}\n\n# B\n\n{BODY}"
    chunks = cut(text, size=120, overlap=40)
    assert chunks[-1].startswith("# B")
    assert sum(map(len, chunks)) > len(text)


# --- settings -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"overlap": 800}, "chunking.overlap must be below size=800, got 800"),
        ({"size": 49}, "size: Input should be greater than or equal to 50, got 49"),
        ({"size": 20_001}, "size: Input should be less than or equal to 20000"),
        ({"overlap": -1}, "overlap: Input should be greater than or equal to 0, got -1"),
        ({"strategy": "semantic"}, "strategy: Input should be 'markdown' or 'recursive'"),
        ({"sizes": 100}, "unknown key 'sizes'; did you mean 'size'?"),
    ],
)
def test_settings_out_of_bounds_are_refused_with_value_and_bound(given: dict[str, Any], reason: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        validated_data(ChunkingSettings, given, where=lambda _: "flow.yaml:7")
    assert reason in str(caught.value)


def test_every_strategy_is_in_the_dict_and_ids_tell_strategies_apart() -> None:
    ids = [chunker_for(ChunkingSettings(strategy=name)).chunk(Document("d", "Text."))[0].id for name in CHUNKERS]  # type: ignore[arg-type]
    assert len(set(ids)) == len(ids) == 2


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
