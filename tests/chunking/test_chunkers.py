"""The recursive and the Markdown strategy cut where they say."""

from __future__ import annotations

from typing import Any

import pytest

from genaiops.chunking import ChunkingSettings, chunker_for
from genaiops.configuration import validated_data
from genaiops.errors import ConfigurationError
from genaiops.records import Document


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


# --- wikis ---------------------------------------------------------------------


def test_headings_of_a_wiki_are_headings() -> None:
    text = f"= A =\n{BODY}\n\n== B ==\n{BODY}\n\n = = = C = = = \n{BODY}\n"
    assert [chunk.splitlines()[0] for chunk in cut(text, size=120)] == ["= A =", "== B ==", "= = = C = = = "]


@pytest.mark.parametrize("line", ["= A ==", "a == b ==", "= = =", "=", "==", "= x = y", "===== A"])
def test_lines_with_equals_signs_are_not_always_headings(line: str) -> None:
    assert len(cut(f"Words before.\n\n{line}\n\nWords behind.", size=100)) == 1


# --- settings -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"overlap": 800}, "chunking.overlap must be below size=800, got 800"),
        ({"size": 49}, "chunking.size must be at least 50 characters, got 49"),
        ({"size": 20_001}, "size: Input should be less than or equal to 20000"),
        ({"overlap": -1}, "overlap: Input should be greater than or equal to 0, got -1"),
        ({"strategy": "semantics"}, "strategy: Input should be 'markdown', 'recursive', 'sentence'"),
        ({"unit": "tokens", "size": 200}, "chunking.size and chunking.overlap must be given with unit: tokens"),
        ({"strategy": "parent_child", "parent_size": 700}, "parent_size must be above size=800, got 700"),
        ({"parent_size": 2000}, "parent_size is for strategy: parent_child, not for markdown"),
        ({"strategy": "langchain"}, "strategy: langchain needs chunking.splitter"),
        ({"arguments": {"a": 1}}, "splitter and arguments are for strategy: langchain, not for markdown"),
        ({"sizes": 100}, "unknown key 'sizes'; did you mean 'size'?"),
    ],
)
def test_settings_out_of_bounds_are_refused_with_value_and_bound(given: dict[str, Any], reason: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        validated_data(ChunkingSettings, given, where=lambda _: "flow.yaml:7")
    assert reason in str(caught.value)
