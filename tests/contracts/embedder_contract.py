"""What every Embedder does, whatever it computes with."""

from __future__ import annotations

import numpy as np
import pytest

from genaiops.embedding import Embedder

TEXTS = [
    "The warranty lasts two years.",
    "Boil vinegar to remove limescale, and let it stand for twenty minutes before you rinse it.",
    "lid",
    "The glass kettle draws 2200 watts.",
    "Zwei Tassen gehören dazu: 水壺 ☕ e\u0301",
    "a long text of many words " * 30,
    "",
    " \n\t ",
]


class EmbedderContract:
    """Subclass it and give `embedder`."""

    @pytest.fixture
    def embedder(self) -> Embedder:
        raise NotImplementedError

    def test_gives_one_float32_row_of_its_dimension_per_text(self, embedder: Embedder) -> None:
        vectors = embedder.embed(TEXTS)
        assert vectors.shape == (len(TEXTS), embedder.dimension)
        assert vectors.dtype == np.float32

    def test_rows_are_of_length_one(self, embedder: Embedder) -> None:
        lengths = np.linalg.norm(embedder.embed(TEXTS).astype(np.float64), axis=1)
        assert lengths == pytest.approx(np.ones(len(TEXTS)), abs=1e-4)

    def test_no_texts_are_no_rows(self, embedder: Embedder) -> None:
        assert embedder.embed([]).shape == (0, embedder.dimension)

    def test_a_row_belongs_to_its_text_whatever_the_order(self, embedder: Embedder) -> None:
        order = np.random.default_rng(7).permutation(len(TEXTS))
        straight, shuffled = embedder.embed(TEXTS), embedder.embed([TEXTS[i] for i in order])
        # The company in a batch may move the last digits, in bf16 a few more.
        assert (straight[order] * shuffled).sum(axis=1).min() > 0.9995

    def test_a_text_has_one_vector_alone_and_in_company(self, embedder: Embedder) -> None:
        together = embedder.embed(TEXTS)
        alone = np.concatenate([embedder.embed([text]) for text in TEXTS])
        assert (together * alone).sum(axis=1).min() > 0.9995

    def test_other_texts_have_other_vectors(self, embedder: Embedder) -> None:
        cosines = embedder.embed(TEXTS[:4]) @ embedder.embed(TEXTS[:4]).T
        assert (cosines - np.eye(4)).max() < 0.9

    def test_a_caller_may_change_what_it_got(self, embedder: Embedder) -> None:
        first = embedder.embed(TEXTS[:2])
        kept = first.copy()
        first *= 0
        assert embedder.embed(TEXTS[:2]) == pytest.approx(kept, abs=1e-3)

    def test_progress_counts_up_to_all_texts(self, embedder: Embedder) -> None:
        seen: list[tuple[int, int]] = []
        texts = [f"{text} again" for text in TEXTS]
        embedder.embed(texts, lambda done, total: seen.append((done, total)))
        assert seen == sorted(seen)
        assert seen[-1] == (len(texts), len(texts))

    def test_has_a_fingerprint_that_stays(self, embedder: Embedder) -> None:
        before = embedder.fingerprint
        embedder.embed(["anything"])
        assert embedder.fingerprint == before != ""
