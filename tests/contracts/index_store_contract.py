"""What every store of vectors gives: the nearest by cosine, best first, equal ones by position, filtered before."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from genaiops.embedding import Vectors
from genaiops.indexing.filters import Selection
from genaiops.indexing.vectors import VectorStore


def unit_rows(count: int, dimension: int, seed: int = 0) -> Vectors:
    rows = np.random.default_rng(seed).normal(size=(count, dimension)).astype(np.float32)
    result: Vectors = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return result


class IndexStoreContract:
    """Subclass it, and give `store`."""

    recall = 1.0  # the least share of the true ten nearest that it finds among directions drawn by chance
    error = 1e-5  # of a cosine
    least = 0  # vectors that a store of this kind needs; corpora are filled up to that

    def store(self, vectors: Vectors) -> VectorStore:
        raise NotImplementedError

    def filled(self, vectors: Vectors) -> Vectors:
        """`vectors`, with others behind them up to `least`."""
        more = unit_rows(max(0, self.least - len(vectors)), vectors.shape[1], seed=9)
        return np.concatenate([vectors, more]) if len(more) else vectors

    def test_it_knows_its_size(self) -> None:
        store = self.store(self.filled(unit_rows(7, 24)))
        assert (len(store), store.dimension) == (max(7, self.least), 24)

    def test_vectors_are_found_as_the_plain_product_finds_them(self) -> None:
        vectors, queries = self.filled(unit_rows(500, 24)), unit_rows(20, 24, seed=1)
        store = self.store(vectors)
        found_of_ten = 0
        for query in queries:
            cosines = vectors @ query
            expected = np.argsort(-cosines, kind="stable")[:10]
            found = store.search(query, 10)
            assert [s for _, s in found] == pytest.approx([float(cosines[p]) for p, _ in found], abs=self.error)
            assert found == sorted(found, key=lambda pair: (-pair[1], pair[0]))
            found_of_ten += len({p for p, _ in found} & set(expected.tolist()))
            if self.recall == 1:
                assert [p for p, _ in found] == expected.tolist()
        assert found_of_ten >= self.recall * 200

    @pytest.mark.parametrize("k", [-3, 0])
    def test_no_neighbours_are_asked_for(self, k: int) -> None:
        assert self.store(self.filled(unit_rows(5, 8))).search(unit_rows(1, 8)[0], k) == []

    def test_more_neighbours_than_vectors_are_all_of_them(self) -> None:
        vectors = self.filled(unit_rows(5, 8))
        found = self.store(vectors).search(unit_rows(1, 8)[0], len(vectors) + 45)
        assert sorted(p for p, _ in found) == list(range(len(vectors)))

    @pytest.mark.parametrize("k", [1, 3, 99, 150])
    def test_equal_vectors_are_found_by_position(self, k: int) -> None:
        """The same boilerplate in many documents: the answer must not depend on how many hits are asked for."""
        vectors = self.filled(np.repeat(unit_rows(2, 8), 120, axis=0))
        found = self.store(vectors).search(vectors[0], k)
        assert [p for p, _ in found[:120]] == list(range(min(k, 120)))

    @pytest.mark.parametrize("share", [0.9, 0.3, 0.02, 0.002])
    def test_a_selection_is_searched_as_if_nothing_else_were_there(self, share: float) -> None:
        vectors, queries = self.filled(unit_rows(1500, 24)), unit_rows(8, 24, seed=2)
        store = self.store(vectors)
        within = Selection(np.random.default_rng(4).random(len(vectors)) < share)
        assert len(within)
        found_of_ten = of = 0
        for query in queries:
            expected = nearest_within(vectors, query, within, 10)
            found = store.search(query, 10, within)
            assert len(found) == min(10, len(within))
            assert all(p in within for p, _ in found)
            found_of_ten, of = found_of_ten + len({p for p, _ in found} & set(expected)), of + len(expected)
            if self.recall == 1:
                assert [p for p, _ in found] == expected
        assert found_of_ten >= self.recall * of

    def test_all_that_is_permitted_is_found_wherever_it_lies(self) -> None:
        """The forbidden vectors are all nearer than the permitted ones."""
        query = unit_rows(1, 16, seed=5)[0]
        near = query + 1e-2 * unit_rows(600, 16, seed=6)
        far = unit_rows(30, 16, seed=7) - 2 * query
        vectors = np.concatenate([near, far]).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        vectors = self.filled(vectors)
        within = Selection.of(range(600, 630), len(vectors))
        store = self.store(vectors)
        for k in (1, 10, 30, 100):
            found = store.search(query, k, within)
            assert len(found) == min(k, 30)
            assert {p for p, _ in found} <= set(range(600, 630))

    def test_an_empty_selection_finds_nothing(self) -> None:
        vectors = self.filled(unit_rows(9, 8))
        assert self.store(vectors).search(vectors[0], 3, Selection.of([], len(vectors))) == []

    def test_a_selection_of_another_index_is_refused(self) -> None:
        vectors = self.filled(unit_rows(9, 8))
        with pytest.raises(ValueError, match="the selection is of 4 positions, the index has"):
            self.store(vectors).search(vectors[0], 3, Selection.of([1], 4))


def nearest_within(vectors: NDArray[np.float32], query: Vectors, within: Selection, k: int) -> list[int]:
    cosines = vectors @ query
    return sorted(within.positions.tolist(), key=lambda p: (-cosines[p], p))[:k]
