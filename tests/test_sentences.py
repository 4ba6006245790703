"""Where sentences end: in prose, in Markdown, and in text made to be slow."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genaiops.sentences import sentence_spans, sentences


def texts(text: str) -> list[str]:
    return [text[start:end] for start, end in sentence_spans(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ("Dr. Po paid 3.5 dollars, e.g. for tea. He left.", ["Dr. Po paid 3.5 dollars, e.g. for tea.", "He left."]),
        ("Use the U.S. Government form. Sign it.", ["Use the U.S. Government form.", "Sign it."]),
        ("He moved to the U.S. The rest stayed.", ["He moved to the U.S.", "The rest stayed."]),
        ("See Fig. 3 and No. 7. Then go on.", ["See Fig. 3 and No. 7.", "Then go on."]),
        ("Apples, pears etc. are fruit. Others etc. Next.", ["Apples, pears etc. are fruit.", "Others etc.", "Next."]),
        ("J. R. Tolkien wrote it. It sold.", ["J. R. Tolkien wrote it.", "It sold."]),
        ('"What?" he said. "Go." They went.', ['"What?" he said.', '"Go."', "They went."]),
        ("It is **bold.** Next (too.) Last.[2] End.", ["It is **bold.**", "Next (too.)", "Last.[2]", "End."]),
        ("Wait... what? Wait... No.", ["Wait... what?", "Wait...", "No."]),
        ("lowercase text ends here. next one.", ["lowercase text ends here.", "next one."]),
        ("Read a.yaml or v2.1.0 at https://a.b/c.d?e=f.", ["Read a.yaml or v2.1.0 at https://a.b/c.d?e=f."]),
        ("これは文です。次の文です。", ["これは文です。", "次の文です。"]),
        ("A line\nwrapped here. Second\none.", ["A line\nwrapped here.", "Second\none."]),
    ],
)
def test_sentences_of_prose(text: str, expected: list[str]) -> None:
    assert texts(text) == expected


def test_blank_lines_headings_and_list_markers_end_a_sentence() -> None:
    text = "# Title\nNo full stop\n- first item\n  goes on\n- [ ] second\n2. third\n\nLast\n\nSetext\n------\nBody"
    assert texts(text) == [
        "Title", "No full stop", "first item\n  goes on", "second", "third", "Last", "Setext", "Body",
    ]  # fmt: skip


def test_table_rows_and_code_lines_are_sentences_of_their_own() -> None:
    text = "Before\n| a. B | c |\n|---|---|\n| 1 | 2 |\n```py\nx. Y = 1\n\n# no heading\n```\nAfter"
    assert [(text[s.start : s.end], s.kind) for s in sentences(text)] == [
        ("Before", "prose"), ("| a. B | c |", "row"), ("| 1 | 2 |", "row"),
        ("x. Y = 1", "code"), ("# no heading", "code"), ("After", "prose"),
    ]  # fmt: skip


def test_kinds_tell_headings_and_items_from_prose() -> None:
    kinds = [s.kind for s in sentences("# H\n\nProse.\n\n* item\n\n    more of the item\n\nT\n=\n\n    code\n")]
    assert kinds == ["heading", "prose", "item", "prose", "heading", "code"]


def test_quote_marks_at_the_start_of_a_sentence_stay_out() -> None:
    assert texts('> [!div class="x"]\n> - item') == ['[!div class="x"]', "item"]
    assert texts("> [!NOTE]\n> One is long\n> indeed. Two.\n>\n> Three") == [
        "[!NOTE]", "One is long\n> indeed.", "Two.", "Three",
    ]  # fmt: skip


def test_a_page_break_ends_a_sentence() -> None:
    assert texts("page one\fpage two") == ["page one", "page two"]


def test_an_unclosed_fence_makes_the_rest_code() -> None:
    assert texts("```\na. B\nc. D") == ["a. B", "c. D"]


@given(st.text(alphabet=st.sampled_from("aB3.!?… \n\t\f>#|-*`~\"')[]。é1"), max_size=120) | st.text(max_size=80))
def test_spans_are_ordered_disjoint_and_stripped(text: str) -> None:
    end_before = 0
    for start, end in sentence_spans(text):
        assert end_before <= start < end <= len(text)
        assert text[start:end] == text[start:end].strip()
        end_before = end


@given(st.text(alphabet=st.sampled_from("aBz.!? \n\t\f>#|-*é。"), max_size=120))
def test_every_letter_is_in_a_sentence(text: str) -> None:
    kept = sum(sum(c.isalpha() for c in text[start:end]) for start, end in sentence_spans(text))
    assert kept == sum(c.isalpha() for c in text)


SLOW_S = 5
HOSTILE = {
    "dots": ".", "spaced dots": " .", "bracketed dots": ".) ", "quotes": ">", "hashes": "#", "ticks": "`",
    "rows": "| a | b |\n", "spaces": " ", "footnotes": ".[1]", "no space": "a", "blank quotes": ">\n",
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_time_grows_with_the_length_and_not_faster(name: str) -> None:
    """The slowest of these needs half a second for 200 kB; quadratic work would need minutes."""
    text = HOSTILE[name] * (200_000 // len(HOSTILE[name]))
    began = time.process_time()
    sentence_spans(text)
    assert time.process_time() - began < SLOW_S
