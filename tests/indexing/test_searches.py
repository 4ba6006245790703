"""Nearest vectors and BM25, each against the plain computation."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from genaiops.embedding import Vectors
from genaiops.indexing.full_text import FullText, write_full_text
from genaiops.indexing.vectors import VECTOR_KINDS, VectorSearch, build_vectors
from genaiops.words import content_words


def unit_rows(count: int, dimension: int, seed: int = 0) -> Vectors:
    rows = np.random.default_rng(seed).normal(size=(count, dimension)).astype(np.float32)
    result: Vectors = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return result


@pytest.mark.parametrize("kind", sorted(VECTOR_KINDS))
def test_vectors_are_found_as_the_plain_product_finds_them(kind: str) -> None:
    vectors, queries = unit_rows(500, 24), unit_rows(20, 24, seed=1)
    search = VectorSearch(build_vectors(vectors, kind))
    assert (len(search), search.dimension) == (500, 24)
    found_of_ten = 0
    for query in queries:
        cosines = vectors @ query
        expected = np.argsort(-cosines, kind="stable")[:10]
        found = search.search(query, 10)
        assert [score for _, score in found] == pytest.approx([float(cosines[p]) for p, _ in found], abs=1e-5)
        assert [score for _, score in found] == sorted((score for _, score in found), reverse=True)
        found_of_ten += len({p for p, _ in found} & set(expected.tolist()))
        if kind == "flat":
            assert [p for p, _ in found] == expected.tolist()
    assert found_of_ten >= 195  # of 200: hnsw is approximate


@pytest.mark.parametrize("kind", sorted(VECTOR_KINDS))
def test_building_twice_gives_the_same_bytes(kind: str) -> None:
    vectors = unit_rows(800, 16)
    assert build_vectors(vectors, kind) == build_vectors(vectors.copy(), kind)


@pytest.mark.parametrize("k", [-3, 0])
def test_no_neighbours_are_asked_for(k: int) -> None:
    assert VectorSearch(build_vectors(unit_rows(5, 8), "flat")).search(unit_rows(1, 8)[0], k) == []


@pytest.mark.parametrize("kind", sorted(VECTOR_KINDS))
def test_more_neighbours_than_vectors_are_all_of_them(kind: str) -> None:
    search = VectorSearch(build_vectors(unit_rows(5, 8), kind))
    assert sorted(p for p, _ in search.search(unit_rows(1, 8)[0], 50)) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("k", [1, 3, 99, 150])
def test_equal_vectors_are_found_by_position(k: int) -> None:
    """The same boilerplate in many documents: the answer must not depend on how many hits are asked for."""
    vectors = np.repeat(unit_rows(2, 8), 120, axis=0)
    found = VectorSearch(build_vectors(vectors, "flat")).search(vectors[0], k)
    assert [p for p, _ in found[:120]] == list(range(min(k, 120)))
    better = np.concatenate([vectors[:120], unit_rows(1, 8, seed=3), vectors[:120]])
    query = vectors[0] + 0.5 * better[120]
    found = VectorSearch(build_vectors(better, "flat")).search(query, k)
    alike = [p for p, _ in found if p != 120]
    assert alike == [p for p in range(k + 1) if p != 120][: len(alike)]


@pytest.mark.parametrize("data", [b"", b"IxFI", b"long enough to be read as an index " * 9, b"\xff" * 500])
def test_bytes_that_are_no_index_are_an_error(data: bytes) -> None:
    with pytest.raises(RuntimeError):
        VectorSearch(data)


def test_a_header_that_promises_terabytes_allocates_nothing() -> None:
    data = bytearray(build_vectors(unit_rows(4, 8), "flat"))
    data[8:16] = (1 << 40).to_bytes(8, "little")  # the number of vectors
    with pytest.raises(RuntimeError):
        VectorSearch(bytes(data))


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
            assert path.suffix == ".json"
