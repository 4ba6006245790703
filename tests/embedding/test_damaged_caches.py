"""A cache is never a reason to fail, and never a source of wrong vectors."""

from __future__ import annotations

import logging
import random
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from genaiops.embedding import Vectors
from genaiops.embedding.cache import VectorCache
from genaiops.embedding.loading import CachedEmbedder
from tests.words_embedder import WordsEmbedder

TEXTS = [f"the kettle number {number} stands on shelf {number % 7}" for number in range(60)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "cache.db"
    embedded(path)
    return path


def embedded(path: Path) -> tuple[Vectors, int]:
    """The vectors of TEXTS through the cache at `path`, and how many had to be computed."""
    cached = CachedEmbedder(WordsEmbedder(), VectorCache(path))
    return cached.embed(TEXTS), cached.embedded


def expected() -> Vectors:
    return WordsEmbedder().embed(TEXTS)


@pytest.mark.parametrize("content", [b"", b"not a database", b"SQLite format 3\x00" + bytes(100), bytes(8192)])
def test_a_cache_that_is_no_database_counts_as_empty(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "cache.db"
    path.write_bytes(content)
    vectors, _ = embedded(path)
    assert np.array_equal(vectors, expected())


def test_flipped_bits_never_reach_a_vector(path: Path) -> None:
    whole, chance = path.read_bytes(), random.Random(5)
    noticed = 0
    for _ in range(40):
        data = bytearray(whole)
        for _ in range(20):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        path.write_bytes(data)
        vectors, computed = embedded(path)
        assert np.array_equal(vectors, expected())
        noticed += computed > 0
    assert noticed > 20


def test_an_altered_vector_is_computed_again_and_replaced(path: Path) -> None:
    with sqlite3.connect(path) as db:
        ((key, blob),) = db.execute("SELECT key, vector FROM vectors LIMIT 1").fetchall()
        db.execute("UPDATE vectors SET vector = ? WHERE key = ?", (blob[:-1] + bytes([blob[-1] ^ 0x80]), key))
    db.close()
    assert embedded(path)[1] == 1
    vectors, computed = embedded(path)
    assert computed == 0
    assert np.array_equal(vectors, expected())


@pytest.mark.parametrize("value", ["'text'", "NULL", "7", "x''", "zeroblob(16)", "zeroblob(144)"])
def test_values_of_other_kinds_are_computed_again(path: Path, value: str) -> None:
    with sqlite3.connect(path) as db:
        db.execute(f"UPDATE vectors SET vector = {value}")
    db.close()
    vectors, computed = embedded(path)
    assert computed == len(TEXTS)
    assert np.array_equal(vectors, expected())


def test_a_truncated_cache_is_survived_with_a_warning(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with caplog.at_level(logging.WARNING):
        assert np.array_equal(embedded(path)[0], expected())
    assert str(path) in caplog.text


def test_a_cache_with_other_tables_is_survived(tmp_path: Path) -> None:
    path = tmp_path / "cache.db"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE vectors (something TEXT)")
    db.close()
    assert np.array_equal(embedded(path)[0], expected())


def test_a_folder_in_the_place_of_the_cache_is_survived(tmp_path: Path) -> None:
    (tmp_path / "cache.db").mkdir()
    assert np.array_equal(embedded(tmp_path / "cache.db")[0], expected())


def test_a_file_in_the_place_of_the_folder_is_survived(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("", encoding="utf-8")
    assert np.array_equal(embedded(tmp_path / "home" / "cache.db")[0], expected())


def test_facts_are_kept_by_kind_and_lost_without_harm(tmp_path: Path) -> None:
    cache = VectorCache(tmp_path / "cache.db")
    cache.remember("sha256", {"a": "1", "b": "2"})
    cache.remember("precision", {"a": "bf16"})
    cache.remember("sha256", {"b": "3"})
    assert VectorCache(tmp_path / "cache.db").facts("sha256") == {"a": "1", "b": "3"}
    assert VectorCache(None).facts("sha256") == {}
    (tmp_path / "cache.db").write_bytes(b"gone")
    assert VectorCache(tmp_path / "cache.db").facts("sha256") == {}


def test_a_cache_of_the_earlier_layout_is_read_and_written(tmp_path: Path) -> None:
    path = tmp_path / "cache.db"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE vectors (space TEXT, key BLOB, vector BLOB, PRIMARY KEY (space, key)) WITHOUT ROWID")
    db.close()
    CachedEmbedder(WordsEmbedder(), VectorCache(path)).embed(TEXTS[:9])
    again = CachedEmbedder(WordsEmbedder(), VectorCache(path))
    again.embed(TEXTS[:9])
    assert again.embedded == 0
