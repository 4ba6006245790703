"""Vectors of erased texts leave the cache: by every question one can ask it, and from the bytes of its file."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from genaiops.embedding import cache as cache_module
from genaiops.embedding.cache import VectorCache, forget_vectors, text_key
from genaiops.embedding.loading import CachedEmbedder
from genaiops.errors import StorageError
from tests.words_embedder import WordsEmbedder

TEXTS = [f"the kettle number {number} stands on shelf {number % 7}" for number in range(900)]
ERASED, KEPT = TEXTS[::3], [text for number, text in enumerate(TEXTS) if number % 3]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "cache.db"
    for fingerprint in ("words-1", "words-2"):
        CachedEmbedder(WordsEmbedder(fingerprint), VectorCache(path)).embed(TEXTS)
    return path


def keys(texts: list[str]) -> list[bytes]:
    return [text_key(text) for text in texts]


def test_the_vectors_of_every_model_go_and_all_others_stay(path: Path) -> None:
    assert forget_vectors(path, [*keys(ERASED), text_key("never embedded")]) == 2 * len(ERASED)
    assert forget_vectors(path, keys(ERASED)) == 0
    cache = VectorCache(path)
    for fingerprint in ("words-1", "words-2"):
        assert cache.vectors(f"{fingerprint} fp32", keys(ERASED), 32) == {}
        assert len(cache.vectors(f"{fingerprint} fp32", keys(KEPT), 32)) == len(KEPT)


def test_no_byte_of_an_erased_vector_or_key_is_left_in_any_file(path: Path) -> None:
    rng = np.random.default_rng(8)
    vectors = rng.normal(size=(60, 384)).astype(np.float32)
    names = [f"secret {number}" for number in range(60)]
    VectorCache(path).add("space", list(zip(keys(names), vectors, strict=True)))
    forget_vectors(path, keys(names[:40]))
    content = b"".join(file.read_bytes() for file in path.parent.glob("cache.db*"))
    for name, vector in zip(names[:40], vectors[:40], strict=True):
        assert text_key(name) not in content
        assert vector.tobytes()[:200] not in content
    assert text_key(names[50]) in content


def test_a_cache_of_the_earlier_layout_is_read_written_and_erased(tmp_path: Path) -> None:
    path = tmp_path / "cache.db"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE vectors (space TEXT, key BLOB, vector BLOB, PRIMARY KEY (space, key)) WITHOUT ROWID")
    db.close()
    CachedEmbedder(WordsEmbedder(), VectorCache(path)).embed(TEXTS[:9])
    again = CachedEmbedder(WordsEmbedder(), VectorCache(path))
    again.embed(TEXTS[:9])
    assert again.embedded == 0
    assert forget_vectors(path, keys(TEXTS[:4])) == 4


def test_no_cache_is_nothing_to_erase_and_none_is_made(tmp_path: Path) -> None:
    assert forget_vectors(tmp_path / "cache.db", keys(TEXTS)) == 0
    assert list(tmp_path.iterdir()) == []


def test_an_erasure_that_cannot_be_written_is_an_error(path: Path) -> None:
    path.write_bytes(b"not a database" * 100)
    with pytest.raises(StorageError, match="cannot be erased"):
        forget_vectors(path, keys(ERASED))


def test_an_erasure_whose_log_is_held_by_a_reader_is_an_error(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_module, "_WAIT_S", 0.1)
    reader = sqlite3.connect(path)
    try:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM vectors").fetchone()
        with pytest.raises(StorageError):
            forget_vectors(path, keys(ERASED))
    finally:
        reader.close()
    forget_vectors(path, keys(ERASED))
    assert VectorCache(path).vectors("words-1 fp32", keys(ERASED), 32) == {}
