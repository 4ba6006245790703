"""A text that was changed more than once leads back to its original."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genaiops.cleansing.rewriting import Replacement, Rewritten
from genaiops.records import Edit


@st.composite
def replacements(draw: st.DrawFn, text: str, kind: str) -> list[Replacement]:
    """Some places of the text, in order and not overlapping, and what to put there."""
    points = sorted(draw(st.lists(st.integers(0, len(text)), max_size=8)))
    return [
        Replacement(start, end, draw(st.text("xyz", max_size=4)), kind)
        for start, end in zip(points[::2], points[1::2], strict=False)
    ]


@st.composite
def rewritings(draw: st.DrawFn) -> tuple[str, Rewritten]:
    """A text of distinct signs, changed up to four times, so that what is left of it can be recognised."""
    original = "".join(map(chr, range(0x4E00, 0x4E00 + draw(st.integers(0, 40)))))
    rewritten = Rewritten(original)
    for turn in range(draw(st.integers(0, 4))):
        rewritten = rewritten.replace(draw(replacements(rewritten.text, f"turn{turn}")))
    return original, rewritten


@given(rewritings())
def test_between_two_edits_both_texts_are_the_same(case: tuple[str, Rewritten]) -> None:
    original, rewritten = case
    borders = [Edit(0, 0, 0, 0, ""), *rewritten.edits]
    ends = [*rewritten.edits, Edit(len(rewritten.text), 0, len(original), 0, "")]
    for before, behind in zip(borders, ends, strict=True):
        assert rewritten.text[before.end : behind.start] == original[before.original_end : behind.original_start]


@given(rewritings())
def test_edits_are_in_order_and_do_not_overlap(case: tuple[str, Rewritten]) -> None:
    for edit in case[1].edits:
        assert edit.start <= edit.end
        assert edit.original_start <= edit.original_end
    for before, behind in pairwise(case[1].edits):
        assert before.end <= behind.start
        assert before.original_end <= behind.original_start


@given(rewritings())
def test_what_survived_is_outside_of_edits_and_maps_to_where_it_stood(case: tuple[str, Rewritten]) -> None:
    original, rewritten = case
    for place, sign in enumerate(rewritten.text):
        edited = any(edit.start <= place < edit.end for edit in rewritten.edits)
        if sign in "xyz":
            assert edited
        if not edited:
            assert rewritten.original_span(place, place + 1) == (original.index(sign), original.index(sign) + 1)


@given(rewritings())
def test_mapping_is_monotone_and_stays_inside(case: tuple[str, Rewritten]) -> None:
    original, rewritten = case
    spans = [rewritten.original_span(place, place + 1) for place in range(len(rewritten.text))]
    starts, ends = [start for start, _ in spans], [end for _, end in spans]
    assert starts == sorted(starts)
    assert ends == sorted(ends)
    assert all(0 <= start <= end <= len(original) for start, end in spans)


def test_a_replaced_word_maps_to_all_of_what_stood_there() -> None:
    text = "write to ann@example.org today"
    rewritten = Rewritten(text).replace([Replacement(9, 24, "[EMAIL]", "redacted:email")])
    assert rewritten.text == "write to [EMAIL] today"
    assert rewritten.original_span(10, 12) == (9, 24)
    assert rewritten.original_span(0, 22) == (0, 30)
    assert "ann" not in repr(rewritten.edits)


def test_what_was_taken_out_belongs_to_no_neighbour() -> None:
    rewritten = Rewritten("one two three").replace([Replacement(4, 8, "", "boilerplate")])
    assert rewritten.text == "one three"
    assert rewritten.original_span(0, 4) == (0, 4)
    assert rewritten.original_span(4, 9) == (8, 13)


def test_the_later_of_two_kinds_is_told_where_both_changed_a_place() -> None:
    once = Rewritten("tel +49 \u200b30 123").replace([Replacement(8, 9, "", "invisible")])
    twice = once.replace([Replacement(4, 14, "[PHONE]", "redacted:phone")])
    assert twice.text == "tel [PHONE]"
    assert twice.edits == (Edit(4, 11, 4, 15, "redacted:phone"),)


@pytest.mark.parametrize("wrong", [[(3, 2)], [(0, 9)], [(0, 3), (2, 4)], [(-1, 2)]])
def test_replacements_that_overlap_or_leave_the_text_are_refused(wrong: list[tuple[int, int]]) -> None:
    with pytest.raises(ValueError, match="overlaps"):
        Rewritten("abcd").replace([Replacement(start, end, "", "x") for start, end in wrong])
