from __future__ import annotations

import random

from genaiops.evaluation.reports.spans import MOST_WORDS, Span, segments, word_changes


def test_pieces_lose_and_repeat_no_character_and_hold_every_mark_on_them() -> None:
    text = "abcdefgh"
    assert segments(text, [Span(2, 5, "x"), Span(4, 7, "y")]) == [
        ("ab", ()), ("cd", ("x",)), ("e", ("x", "y")), ("fg", ("y",)), ("h", ()),
    ]  # fmt: skip
    assert segments(text, [Span(-3, 2, "x"), Span(6, 99, "y"), Span(5, 2, "z"), Span(40, 50, "z")]) == [
        ("ab", ("x",)), ("cdef", ()), ("gh", ("y",)),
    ]  # fmt: skip
    assert segments("", [Span(0, 3, "x")]) == []


def test_any_spans_of_any_text_give_it_back() -> None:
    draw = random.Random(0)
    for _ in range(300):
        text = "".join(draw.choice("ab \n") for _ in range(draw.randint(0, 30)))
        spans = [Span(draw.randint(-5, 35), draw.randint(-5, 35), n) for n in range(draw.randint(0, 6))]
        cut = segments(text, spans)
        assert "".join(piece for piece, _ in cut) == text
        place = 0
        for piece, marks in cut:
            for position in range(place, place + len(piece)):
                assert set(marks) == {s.mark for s in spans if s.start <= position < s.end}
            place += len(piece)


def test_words_that_are_gone_and_new_are_found_as_spans_of_characters() -> None:
    before, after = "Fees are  paid in cash today.", "Fees are paid by card today."
    changed = word_changes(before, after)
    assert changed is not None
    gone, new = changed
    assert [before[a:b] for a, b in gone] == ["in cash"]
    assert [after[a:b] for a, b in new] == ["by card"]
    assert word_changes("same words here", "same words here") == ([], [])


def test_texts_that_share_hardly_a_word_or_are_too_long_are_not_compared() -> None:
    assert word_changes("I cannot answer that.", "Boats over twelve metres need a pilot.") is None
    assert word_changes("word " * (MOST_WORDS + 1), "word") is None


def test_comparing_the_longest_texts_of_like_words_ends() -> None:
    draw = random.Random(0)
    before = " ".join(draw.choice("ab") for _ in range(MOST_WORDS))
    after = " ".join(draw.choice("ab") for _ in range(MOST_WORDS))
    word_changes(before, after)  # hostile to a matcher: nothing to assert but that it comes back
