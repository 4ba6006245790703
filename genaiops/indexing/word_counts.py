"""How often each word stands in each text, counted block by block, and the BM25 arrays made of that.

The counts are kept beside the arrays, so that a later index takes over those of texts that did not change.
The arrays are the ones that `bm25s` would make of all texts at once, byte for byte.
"""

from __future__ import annotations

import json
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

K1, B = 1.5, 0.75  # Robertson's usual parameters; bm25s' "lucene" variant never gives a negative weight
_PARAMS = {
    "k1": K1,
    "b": B,
    "delta": 0.5,
    "method": "lucene",
    "idf_method": "lucene",
    "dtype": "float32",
    "int_dtype": "int32",
    "backend": "numpy",
}
EMPTY_MARK = "empty.json"
COUNTS_FILE = "counts.u32"
_VOCABULARY = "vocab.index.json"
_BLOCK = 1 << 20  # (text, word) pairs held at once

Numbers = NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Counts:
    """The words of some texts. `sizes` [texts] is how many different words each has; `words` and `counts`
    [sum of sizes] are the number of each word in `vocabulary` and how often it stands in its text.
    """

    sizes: Numbers
    words: Numbers
    counts: Numbers
    vocabulary: Sequence[str]


class KeptCounts:
    """The counts of an index that was written before. Its files must have been checked."""

    def __init__(self, folder: Path) -> None:
        """Raises OSError or ValueError where there are none."""
        self.vocabulary: list[str] = []
        if not (folder / EMPTY_MARK).exists():
            self.vocabulary = list(json.loads((folder / _VOCABULARY).read_text(encoding="utf-8")))
        data = np.memmap(folder / COUNTS_FILE, dtype=np.uint32, mode="r")
        texts = int(data[0])
        self._sizes = data[1 : 1 + texts]
        self.texts = texts
        self._starts = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(self._sizes, dtype=np.int64)])
        pairs = int(self._starts[-1])
        if len(data) != 1 + texts + 2 * pairs:
            raise ValueError("the counts of words are not whole")
        self._words = data[1 + texts : 1 + texts + pairs]
        if pairs and int(self._words.max()) >= len(self.vocabulary):
            raise ValueError("a word that is counted has no name")
        self._counts = data[1 + texts + pairs :]

    def rows(self, start: int, stop: int) -> Counts:
        """The counts of the texts `[start, stop)`."""
        first, last = int(self._starts[start]), int(self._starts[stop])
        return Counts(self._sizes[start:stop], self._words[first:last], self._counts[first:last], self.vocabulary)


class WordCounts:
    """Counts texts one after the other into files of `folder` (created), then makes their BM25 index there."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._folder = folder
        self._numbers: dict[str, int] = {}  # in the order in which words first came
        self._sizes = array("I")
        self._lengths = array("Q")
        self._spools = folder / "words.tmp", folder / "counts.tmp"
        self._streams: list[BinaryIO] = [path.open("wb") for path in self._spools]
        self._known: tuple[Sequence[str], Numbers] | None = None

    def add(self, texts: Iterable[Sequence[str]]) -> None:
        """Count these texts, each given as its words."""
        numbers = self._numbers
        words, counts = array("I"), array("I")
        for text in texts:
            counted = Counter(text)
            words.extend([numbers.setdefault(word, len(numbers)) for word in counted])
            counts.extend(counted.values())
            self._sizes.append(len(counted))
            self._lengths.append(len(text))
        self._write(words, counts)

    def add_counted(self, kept: Counts) -> None:
        """Take over texts that were counted before."""
        if self._known is None or self._known[0] is not kept.vocabulary:
            numbers = self._numbers
            mapping = [numbers.setdefault(word, len(numbers)) for word in kept.vocabulary]
            self._known = kept.vocabulary, np.array(mapping, dtype=np.uint32)
        self._write(self._known[1][kept.words] if len(kept.words) else kept.words, kept.counts)
        self._sizes.frombytes(kept.sizes.astype(np.uint32).tobytes())
        ends = np.cumsum(kept.sizes, dtype=np.int64)
        running = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(kept.counts, dtype=np.int64)])
        lengths = running[ends] - running[ends - kept.sizes]
        self._lengths.frombytes(lengths.astype(np.uint64).tobytes())

    def _write(self, words: array[int] | Numbers, counts: array[int] | Numbers) -> None:
        self._streams[0].write(words.tobytes())
        self._streams[1].write(counts.tobytes())

    def close(self) -> None:
        """Let go of the files, finished or not."""
        for stream in self._streams:
            stream.close()

    def finish(self) -> None:
        """Write the BM25 index and the counts."""
        self.close()
        sizes = np.frombuffer(self._sizes, dtype=np.uint32)
        words, counts = (
            np.memmap(path, dtype=np.uint32, mode="r") if path.stat().st_size else np.empty(0, dtype=np.uint32)
            for path in self._spools
        )
        occurring = np.zeros(len(self._numbers), dtype=np.int64)
        for at in range(0, len(words), _BLOCK):
            occurring += np.bincount(words[at : at + _BLOCK], minlength=len(occurring))
        vocabulary = sorted(word for word, number in self._numbers.items() if occurring[number])
        final = np.zeros(len(self._numbers), dtype=np.uint32)
        final[[self._numbers[word] for word in vocabulary]] = np.arange(len(vocabulary), dtype=np.uint32)
        self._write_counts(sizes, words, counts, final)
        if vocabulary:
            in_texts = np.zeros(len(vocabulary), dtype=np.int64)
            in_texts[final[occurring > 0]] = occurring[occurring > 0]
            self._write_arrays(vocabulary, in_texts, sizes, words, counts, final)
        else:
            (self._folder / EMPTY_MARK).write_text(json.dumps({"texts": len(sizes)}), encoding="utf-8")
        del words, counts
        for path in self._spools:
            path.unlink()

    def _write_counts(self, sizes: Numbers, words: Numbers, counts: Numbers, final: Numbers) -> None:
        with (self._folder / COUNTS_FILE).open("wb") as stream:
            stream.write(np.array([len(sizes)], dtype=np.uint32).tobytes())
            stream.write(sizes.tobytes())
            for at in range(0, len(words), _BLOCK):
                stream.write(final[words[at : at + _BLOCK]].tobytes())
            for at in range(0, len(counts), _BLOCK):
                stream.write(counts[at : at + _BLOCK].tobytes())

    def _write_arrays(
        self,
        vocabulary: Sequence[str],
        in_texts: NDArray[np.int64],
        sizes: Numbers,
        words: Numbers,
        counts: Numbers,
        final: Numbers,
    ) -> None:
        """Score every pair (Lucene's variant of BM25, as bm25s computes it) and sort the pairs by word, then text."""
        texts = len(sizes)
        lengths = np.frombuffer(self._lengths, dtype=np.uint64).astype(np.float64)
        idf = np.log(1 + (texts - in_texts + 0.5) / (in_texts + 0.5)).astype(np.float32)
        norm = K1 * ((1 - B) + B * lengths / lengths.mean())
        starts = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(in_texts)])
        ends = np.cumsum(sizes, dtype=np.int64)
        data = np.empty(len(words), dtype=np.float32)
        indices = np.empty(len(words), dtype=np.int32)
        free = starts[:-1].copy()  # where the next text of each word goes
        for at in range(0, len(words), _BLOCK):
            numbers = final[words[at : at + _BLOCK]]
            positions = np.searchsorted(ends, np.arange(at, at + len(numbers)), side="right")
            often = counts[at : at + _BLOCK].astype(np.float32)
            order = np.argsort(numbers, kind="stable")
            ordered = numbers[order]
            first = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
            runs = np.diff(np.append(first, len(ordered)))
            places = free[ordered] + np.arange(len(ordered)) - np.repeat(first, runs)
            data[places] = (idf[numbers] * (often / (norm[positions] + often)))[order]
            indices[places] = positions[order]
            free[ordered[first]] += runs
        self._save(vocabulary, texts, data=data, indices=indices, indptr=starts)

    def _save(self, vocabulary: Sequence[str], texts: int, **arrays: NDArray[Any]) -> None:
        """As bm25s saves an index, whose own code would bring scipy along."""
        for name, values in arrays.items():
            np.save(self._folder / f"{name}.csc.index.npy", values, allow_pickle=False)
        numbers = {word: number for number, word in enumerate(vocabulary)}
        (self._folder / _VOCABULARY).write_text(json.dumps(numbers, ensure_ascii=False), encoding="utf-8")
        params = {**_PARAMS, "num_docs": texts, "version": version("bm25s")}
        (self._folder / "params.index.json").write_text(json.dumps(params, indent=4), encoding="utf-8")
