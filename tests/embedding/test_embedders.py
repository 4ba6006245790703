"""MiniLM in both precisions, through the cache, and the tests' own embedder: one contract for all."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from genaiops.embedding import DEFAULT_MODEL, Embedder, EmbeddingSettings, load_embedder
from genaiops.embedding.cache import VectorCache
from genaiops.embedding.loading import CachedEmbedder, LocalEmbedder
from genaiops.embedding.sentence_transformer import MIN_COSINE, SentenceTransformerEmbedder, choose_precision, machine
from genaiops.embedding.settings import Precision
from genaiops.embedding.side_by_side import side_by_side
from genaiops.embedding.weights import locate
from tests.contracts.embedder_contract import TEXTS, EmbedderContract
from tests.small_project import DOCUMENTS
from tests.words_embedder import WordsEmbedder


@pytest.fixture(scope="session")
def bf16() -> LocalEmbedder:
    return load_embedder(EmbeddingSettings(precision="bf16"))


class TestMiniLMInFp32(EmbedderContract):
    @pytest.fixture
    def embedder(self, embedder: Embedder) -> Embedder:
        return embedder


class TestMiniLMInBf16(EmbedderContract):
    @pytest.fixture
    def embedder(self, bf16: LocalEmbedder) -> Embedder:
        return bf16


class TestMiniLMThroughTheCache(EmbedderContract):
    @pytest.fixture
    def embedder(self, embedder: LocalEmbedder, tmp_path: Path) -> Embedder:
        return CachedEmbedder(embedder, VectorCache(tmp_path / "cache.db"))


class TestWords(EmbedderContract):
    @pytest.fixture
    def embedder(self) -> Embedder:
        return WordsEmbedder()


def test_both_precisions_share_a_fingerprint(embedder: LocalEmbedder, bf16: LocalEmbedder) -> None:
    assert embedder.fingerprint == bf16.fingerprint
    assert (embedder.precision, bf16.precision) == ("fp32", "bf16")


def test_bf16_stays_close_to_fp32(embedder: LocalEmbedder, bf16: LocalEmbedder) -> None:
    texts = [line for text in DOCUMENTS.values() for line in text.splitlines() if line.strip()]
    texts += list(DOCUMENTS.values())
    cosines = (embedder.embed(texts) * bf16.embed(texts)).sum(axis=1)
    assert cosines.min() >= MIN_COSINE == 0.998
    assert cosines.max() < 1 - 1e-7  # it is another computation, not the same one under two names


LINES = [line for text in DOCUMENTS.values() for line in text.splitlines() if line.strip()] * 3


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_vectors_are_the_same_in_one_thread_and_in_many(precision: Precision) -> None:
    import torch

    embedder = SentenceTransformerEmbedder(locate(DEFAULT_MODEL), "any", precision)
    before = torch.get_num_threads()
    found = []
    try:
        for threads in (1, 2, 5):
            torch.set_num_threads(threads)
            found.append(embedder.embed(LINES))
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    assert len(LINES) > 16
    assert np.array_equal(found[0], found[1])
    assert np.array_equal(found[0], found[2])


def test_several_callers_at_once_get_what_each_would_get_alone(embedder: LocalEmbedder) -> None:
    wanted, tokens = embedder.embed(LINES), embedder.embed_tokens(LINES[:6])

    def call(number: int) -> bool:
        if number % 2:
            return all(map(np.array_equal, embedder.embed_tokens(LINES[:6]), tokens))
        return np.array_equal(embedder.embed(LINES), wanted)

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(call, range(12)))


def test_a_thread_that_starts_beside_an_embedding_has_all_of_torchs_threads(embedder: LocalEmbedder) -> None:
    import torch

    embedder.embed(LINES)
    with ThreadPoolExecutor(1) as embedding:
        running = embedding.submit(embedder.embed, LINES * 2)
        with ThreadPoolExecutor(1) as late:
            assert late.submit(torch.get_num_threads).result() == torch.get_num_threads()
        running.result()


def test_a_failed_batch_ends_the_embedding_and_the_next_one_works() -> None:
    def work(number: int) -> int:
        return 1 // number

    with pytest.raises(ZeroDivisionError):
        side_by_side(work, [1, 0, 1, 1], 2)
    assert side_by_side(work, [1, 1, 1], 2) == [1, 1, 1]


def test_a_question_is_nearest_to_the_text_that_answers_it(embedder: LocalEmbedder) -> None:
    question = embedder.embed(["How many years does the guarantee last?"])[0]
    nearest = int(np.argmax(embedder.embed(list(DOCUMENTS.values())) @ question))
    assert list(DOCUMENTS)[nearest] == "warranty.md"


def test_a_precision_once_measured_on_this_machine_is_kept(tmp_path: Path, embedder: LocalEmbedder) -> None:
    """The facts of the cache decide, so that the same machine builds the same vectors next time."""
    cache = VectorCache(tmp_path / "cache.db")
    for precision in ("bf16", "fp32"):
        cache.remember("precision", {f"{machine()} {embedder.fingerprint}": precision})
        assert choose_precision(locate(EmbeddingSettings().model), embedder.fingerprint, cache) == precision
        found = load_embedder(EmbeddingSettings(precision="auto"), cache_file=tmp_path / "cache.db")
        assert found.fingerprint == embedder.fingerprint


def test_only_new_texts_reach_the_model(tmp_path: Path) -> None:
    behind = WordsEmbedder()
    first = CachedEmbedder(behind, VectorCache(tmp_path / "cache.db"))
    first.embed(["a kettle", "a cup", "a kettle"])
    assert (first.embedded, behind.asked) == (2, 2)
    second = CachedEmbedder(behind, VectorCache(tmp_path / "cache.db"))
    vectors = second.embed(["a cup", "a lid", "a kettle"])
    assert (second.embedded, behind.asked) == (1, 3)
    assert np.array_equal(vectors, WordsEmbedder().embed(["a cup", "a lid", "a kettle"]))


def test_more_texts_than_one_lookup_takes(tmp_path: Path) -> None:
    texts = [f"kettle number {number}" for number in range(1201)]
    CachedEmbedder(WordsEmbedder(), VectorCache(tmp_path / "cache.db")).embed(texts)
    again = CachedEmbedder(WordsEmbedder(), VectorCache(tmp_path / "cache.db"))
    assert np.array_equal(again.embed(texts), WordsEmbedder().embed(texts))
    assert again.embedded == 0


@pytest.mark.parametrize("other", [WordsEmbedder("words-2"), WordsEmbedder(dimension=48)])
def test_vectors_of_another_model_or_length_are_not_taken(tmp_path: Path, other: WordsEmbedder) -> None:
    CachedEmbedder(WordsEmbedder(), VectorCache(tmp_path / "cache.db")).embed(TEXTS)
    cached = CachedEmbedder(other, VectorCache(tmp_path / "cache.db"))
    assert cached.embed(TEXTS).shape == (len(TEXTS), other.dimension)
    assert cached.embedded == len(TEXTS)


def test_vectors_of_another_precision_are_not_taken(tmp_path: Path) -> None:
    CachedEmbedder(WordsEmbedder(), VectorCache(tmp_path / "cache.db")).embed(TEXTS)
    coarse = WordsEmbedder()
    coarse.precision = "bf16"
    cached = CachedEmbedder(coarse, VectorCache(tmp_path / "cache.db"))
    cached.embed(TEXTS)
    assert cached.embedded == len(TEXTS)
