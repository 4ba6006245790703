"""Words as full-text search, the offline generator and the judges count them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genaiops.words import STOPWORDS, content_words, stem, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The kettle's lid.", ["the", "kettle's", "lid"]),
        ("the kettle’s lid", ["the", "kettle's", "lid"]),
        ("G2-14 costs 7.50", ["g2", "14", "costs", "7", "50"]),
        ("Größe ÜBER 水壺 snake_case", ["größe", "über", "水壺", "snake_case"]),
        ("don't 'quote' me", ["don't", "quote", "me"]),
        ("", []),
        ("?! --- ☕", []),
    ],
)
def test_words_are_lower_case_and_in_order(text: str, expected: list[str]) -> None:
    assert words(text) == expected


def test_content_words_are_stems_without_stop_words_and_with_repeats() -> None:
    assert content_words("The kettles of the kettle's boiling, boiled kettle") == [
        "kettl", "kettl", "boil", "boil", "kettl",
    ]  # fmt: skip


@pytest.mark.parametrize("one", ["return", "warranty", "cleaning"])
def test_forms_of_a_word_share_their_stem(one: str) -> None:
    forms = {"return": ["returns", "returned"], "warranty": ["warranties"], "cleaning": ["clean", "cleans"]}
    assert {stem(form) for form in forms[one]} == {stem(one)}


def test_every_stop_word_is_a_word_that_is_dropped() -> None:
    assert all(words(word) == [word] for word in STOPWORDS)
    assert content_words(" ".join(sorted(STOPWORDS))) == []


@given(st.text())
def test_any_text_has_words(text: str) -> None:
    assert all(word and word == word.strip() for word in words(text))
    assert len(content_words(text)) <= len(words(text))


def test_threads_stem_alike() -> None:
    some = [f"kettle{number}s boiling returned" for number in range(300)]
    alone = [content_words(text) for text in some]
    stem.cache_clear()
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(content_words, some)) == alone
