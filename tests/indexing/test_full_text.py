"""BM25 against the plain computation."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from genaiops.indexing.full_text import FullText
from genaiops.words import content_words
from tests.indexing.full_texts import write_full_text

TEXTS = [
    "The kettle boils water. Kettles boil quickly.",
    "Return parcels within thirty days.",
    "The warranty covers the kettle's lid and the kettle's switch.",
    "A cup.",
    "Water, water and more water in the kettle",
    "",
]


def full_text(folder: Path, texts: list[str]) -> FullText:
    write_full_text(texts, folder / "full_text")
    return FullText(folder / "full_text")


def plain_bm25(query: str, texts: list[str], *, k1: float = 1.5, b: float = 0.75) -> list[float]:
    """Robertson's formula with Lucene's idf, word by word."""
    rows = [Counter(content_words(text)) for text in texts]
    mean = sum(row.total() for row in rows) / len(rows)
    scores = [0.0] * len(rows)
    for word in content_words(query):
        holding = sum(word in row for row in rows)
        idf = math.log(1 + (len(rows) - holding + 0.5) / (holding + 0.5))
        for position, row in enumerate(rows):
            scores[position] += idf * row[word] / (row[word] + k1 * (1 - b + b * row.total() / mean))
    return scores


@pytest.mark.parametrize("query", ["boiling water", "kettles", "Who covers the lid's warranty?", "kettle kettle cup"])
def test_bm25_is_the_published_formula(tmp_path: Path, query: str) -> None:
    expected = plain_bm25(query, TEXTS)
    found = full_text(tmp_path, TEXTS).search(query, 10)
    assert [score for _, score in found] == pytest.approx([expected[p] for p, _ in found], rel=1e-4)
    assert {p for p, _ in found} == {p for p, score in enumerate(expected) if score > 0}
    assert [p for p, _ in found] == sorted((p for p, _ in found), key=lambda p: (-expected[p], p))


def test_other_forms_of_a_word_are_found(tmp_path: Path) -> None:
    search = full_text(tmp_path, TEXTS)
    assert search.search("returned", 1)[0][0] == 1
    assert search.search("KETTLE’S LIDS", 1)[0][0] == 2


@pytest.mark.parametrize("query", ["", "the of and", "zeppelin", "!?"])
def test_a_query_of_no_known_word_finds_nothing(tmp_path: Path, query: str) -> None:
    assert full_text(tmp_path, TEXTS).search(query, 5) == []


@pytest.mark.parametrize("texts", [[], [""], ["the and of", "?!"]])
def test_texts_without_words_make_an_index_that_finds_nothing(tmp_path: Path, texts: list[str]) -> None:
    assert full_text(tmp_path, texts).search("kettle", 5) == []


@pytest.mark.parametrize("k", [1, 3, 10, 99, 300, 400])
def test_equal_scores_are_found_by_position(tmp_path: Path, k: int) -> None:
    texts = ["kettle lid"] * 300 + ["cup"] * 50
    assert [p for p, _ in full_text(tmp_path, texts).search("kettle", k)] == list(range(min(k, 300)))


def test_no_file_of_the_index_is_pickled(tmp_path: Path) -> None:
    full_text(tmp_path, TEXTS)
    for path in (tmp_path / "full_text").iterdir():
        if path.suffix == ".npy":
            np.load(path, allow_pickle=False)
        else:
            assert path.suffix in (".json", ".u32")
