"""Our reading of what bm25s saves: the same scores, and nothing else is accepted."""

from __future__ import annotations

import json
import random
from pathlib import Path

import bm25s
import numpy as np
import pytest

from genaiops.indexing.full_text import FullText
from genaiops.indexing.saved_bm25 import SavedBM25
from tests.indexing.full_texts import scores_of, write_full_text

WORDS = "kettle lid switch cord warranty limescale vinegar parcel refund glass travel cup".split()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    chance = random.Random(3)
    texts = [" ".join(chance.choices(WORDS, k=chance.randrange(1, 40))) for _ in range(300)]
    write_full_text(texts, tmp_path / "full_text")
    return tmp_path / "full_text"


def test_scores_are_those_of_bm25s_bit_for_bit(folder: Path) -> None:
    theirs, ours = bm25s.BM25.load(folder, load_corpus=False), SavedBM25(folder)
    known = sorted(word for word in ours.vocab_dict if word)  # bm25s adds an empty word that has no column
    chance = random.Random(4)
    for _ in range(50):
        words = chance.choices(known, k=chance.randrange(1, 9))  # with words that stand twice
        assert np.array_equal(scores_of(ours, words), theirs.get_scores(words))


def test_a_method_whose_scores_are_no_plain_sum_is_refused(folder: Path) -> None:
    path = folder / "params.index.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "method": "bm25+"}))
    with pytest.raises(ValueError, match="bm25\\+"):
        FullText(folder)


@pytest.mark.parametrize("name", ["data.csc.index.npy", "indices.csc.index.npy"])
def test_arrays_that_do_not_belong_together_are_refused(folder: Path, name: str) -> None:
    array = np.load(folder / name, allow_pickle=False)
    np.save(folder / name, array[:-1])
    with pytest.raises(ValueError, match="scores for"):
        SavedBM25(folder)


def test_an_array_of_objects_is_never_unpickled(folder: Path) -> None:
    np.save(folder / "data.csc.index.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match="Python objects"):
        SavedBM25(folder)


def test_an_array_of_another_shape_is_refused(folder: Path) -> None:
    np.save(folder / "indptr.csc.index.npy", np.zeros((2, 2), dtype=np.int32))
    with pytest.raises(ValueError, match="not a row"):
        SavedBM25(folder)
