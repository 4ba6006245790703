"""The BM25 arrays that are counted block by block are those that bm25s makes of all texts at once."""

from __future__ import annotations

import json
from pathlib import Path

import bm25s
import numpy as np
import pytest
from bm25s.tokenization import Tokenized

from genaiops.indexing import word_counts
from genaiops.indexing.word_counts import K1, B, KeptCounts, WordCounts
from genaiops.words import content_words

TEXTS = [
    "A kettle holds half a litre and works at 110 and 230 volts.",
    "",
    "The kettle, the kettle and nothing but the kettle.",
    "Limescale is removed with vinegar; vinegar stands for twenty minutes.",
    "Größe 3 → 4: Straße 東京",
] * 3 + ["A cup of tea."]


def tokens() -> list[list[str]]:
    return [content_words(text) for text in TEXTS]


def counted(folder: Path, *parts: list[list[str]]) -> Path:
    counts = WordCounts(folder)
    for part in parts:
        counts.add(part)
    counts.finish()
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_they_are_those_of_bm25s_and_bm25s_reads_them(tmp_path: Path) -> None:
    ours = counted(tmp_path / "ours", tokens())
    vocabulary = {word: n for n, word in enumerate(sorted({word for row in tokens() for word in row}))}
    index = bm25s.BM25(k1=K1, b=B, method="lucene")
    ids = [[vocabulary[word] for word in row] for row in tokens()]
    index.index(Tokenized(ids=ids, vocab=dict(vocabulary)), show_progress=False, create_empty_token=False)
    index.save(tmp_path / "theirs", show_progress=False)
    for path in (tmp_path / "theirs").glob("*.npy"):
        assert path.read_bytes() == (ours / path.name).read_bytes(), path.name
    assert json.loads((ours / "vocab.index.json").read_text()) == vocabulary
    assert json.loads((ours / "params.index.json").read_text()) == json.loads(
        (tmp_path / "theirs" / "params.index.json").read_text()
    )
    read = bm25s.BM25.load(ours)
    assert np.array_equal(read.get_scores(["kettl", "vinegar"]), index.get_scores(["kettl", "vinegar"]))


@pytest.mark.parametrize("block", [1, 3, 1000])
def test_blocks_of_any_size_give_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    whole = contents(counted(tmp_path / "whole", tokens()))
    monkeypatch.setattr(word_counts, "_BLOCK", block)
    assert contents(counted(tmp_path / "parts", tokens()[:4], tokens()[4:5], tokens()[5:])) == whole


def test_counts_taken_over_give_the_bytes_of_counting_anew(tmp_path: Path) -> None:
    kept = KeptCounts(counted(tmp_path / "before", [["gone", "zebra"], *tokens()]))
    now = WordCounts(tmp_path / "now")
    now.add([["new", "words", "new"]])
    now.add_counted(kept.rows(1, 8))
    now.add_counted(kept.rows(8, 8))
    now.add_counted(kept.rows(8, 1 + len(TEXTS)))
    now.finish()
    assert contents(tmp_path / "now") == contents(counted(tmp_path / "anew", [["new", "words", "new"], *tokens()]))


def test_texts_without_words_make_an_empty_index(tmp_path: Path) -> None:
    folder = counted(tmp_path / "empty", [[], []])
    assert set(contents(folder)) == {"empty.json", "counts.u32"}
    kept = KeptCounts(folder).rows(0, 2)
    assert kept.sizes.tolist() == [0, 0]


@pytest.mark.parametrize("content", [b"", b"\x01\x00\x00\x00", b"\xff\xff\xff\xff" * 5])
def test_counts_that_are_no_counts_are_refused(tmp_path: Path, content: bytes) -> None:
    folder = counted(tmp_path / "index", tokens())
    (folder / "counts.u32").write_bytes(content)
    with pytest.raises((ValueError, OSError)):
        KeptCounts(folder)
