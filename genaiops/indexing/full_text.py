"""BM25 over stemmed words, kept as plain arrays and JSON (no pickle) in the files of bm25s."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genaiops.indexing.filters import Selection
from genaiops.indexing.languages import ENGLISH, LANGUAGES, query_words, words_in

# Robertson's usual parameters; bm25s' "lucene" variant never gives a negative weight.
_K1, _B = 1.5, 0.75
_EMPTY_MARK = "empty.json"
LANGUAGES_FILE = "languages.json"  # absent where all is English


def write_full_text(texts: Iterable[str], folder: Path, languages: Iterable[str] | None = None) -> None:
    """Build the BM25 index of `texts` and write it into `folder` (created).

    `languages` gives the language of each text (default: English).
    """
    import bm25s
    from bm25s.tokenization import Tokenized

    folder.mkdir()
    if languages is None:
        used, tokenised = {ENGLISH}, [words_in(text, ENGLISH) for text in texts]
    else:
        pairs = list(zip(texts, languages, strict=True))
        used, tokenised = {language for _, language in pairs}, [words_in(text, language) for text, language in pairs]
    write_languages(used or {ENGLISH}, folder)
    # bm25s numbers words in the order of a set, which changes from process to process; ours is sorted.
    vocabulary = {word: number for number, word in enumerate(sorted({w for row in tokenised for w in row}))}
    if not vocabulary:
        (folder / _EMPTY_MARK).write_text(json.dumps({"texts": len(tokenised)}), encoding="utf-8")
        return
    index = bm25s.BM25(k1=_K1, b=_B, method="lucene")
    ids = [[vocabulary[word] for word in row] for row in tokenised]
    index.index(Tokenized(ids=ids, vocab=vocabulary), show_progress=False)
    index.save(folder, show_progress=False)


def write_languages(languages: Iterable[str], folder: Path) -> None:
    """Tell the searches of the index in `folder` in which languages its texts were stemmed."""
    used = sorted(set(languages))
    if used != [ENGLISH]:
        (folder / LANGUAGES_FILE).write_text(json.dumps(used), encoding="utf-8")


class FullText:
    """Scores every text of the index against a query.

    The arrays are those of a sparse matrix by columns: `data[starts[w]:starts[w + 1]]` is what word `w` gives to the
    texts `indices[starts[w]:starts[w + 1]]`. They are mapped, and this module does not import bm25s to read them.
    """

    def __init__(self, folder: Path) -> None:
        """ValueError, KeyError, TypeError or OSError when the files are no such matrix."""
        self._languages = _languages(folder)
        self._words: dict[str, int] = {}
        mark = folder / _EMPTY_MARK
        parameters = mark if mark.exists() else folder / "params.index.json"
        told = json.loads(parameters.read_text(encoding="utf-8"))
        self._texts = told["texts" if mark.exists() else "num_docs"]
        if type(self._texts) is not int or self._texts < 0:
            raise ValueError("the number of texts is none")
        if mark.exists():
            return
        self._words = json.loads((folder / "vocab.index.json").read_text(encoding="utf-8"))
        self._words.pop("", None)  # bm25s adds it for queries of no known word
        self._data = _mapped(folder / "data.csc.index.npy", "f")
        self._indices = _mapped(folder / "indices.csc.index.npy", "iu")
        self._starts = _mapped(folder / "indptr.csc.index.npy", "iu").astype(np.int64)
        self._check()

    def _check(self) -> None:
        numbers = np.fromiter(self._words.values(), dtype=np.int64, count=len(self._words))
        starts, pairs = self._starts, len(self._indices)
        if len(self._data) != pairs or len(starts) < 1 or starts[0] < 0 or starts[-1] > pairs:
            raise ValueError("the arrays of the full-text index have different lengths")
        if (np.diff(starts) < 0).any() or (len(numbers) and not 0 <= numbers.min() <= numbers.max() < len(starts) - 1):
            raise ValueError("the words of the full-text index point outside of it")
        if pairs and not 0 <= int(self._indices.min()) <= int(self._indices.max()) < self._texts:
            raise ValueError("the full-text index names texts that are not there")

    def __len__(self) -> int:
        """How many texts there are."""
        return int(self._texts)

    def search(self, text: str, k: int, within: Selection | None = None) -> list[tuple[int, float]]:
        """The `k` best positions with their BM25 score (> 0), best first; equal scores by position.

        `within` takes the other positions out before the best are chosen. How rare a word is still counts over all
        texts, so a score does not depend on who asks.
        """
        if k < 1 or not self._words:
            return []
        scores = np.zeros(self._texts, dtype=np.float32)
        for stems in query_words(text, self._languages):
            self._add(scores, [self._words[stem] for stem in stems if stem in self._words])
        if within is not None:
            if within.size != self._texts:
                raise ValueError(f"the selection is of {within.size} positions, the index has {self._texts}")
            scores *= within.mask
        # Every text that scores as well as the k-th is a candidate, so that position decides between equals.
        least = np.partition(scores, -k)[-k] if k < len(scores) else 0.0
        candidates = np.flatnonzero((scores >= least) & (scores > 0))
        found = [(int(i), float(scores[i])) for i in candidates]
        return sorted(found, key=lambda pair: (-pair[1], pair[0]))[:k]

    def _add(self, scores: NDArray[np.float32], numbers: list[int]) -> None:
        """Add what one word of the query gives, under each of its stems.

        One word with several stems (a corpus in several languages) is as rare as all of them together; else the few
        texts in another language, where its stem is rare, would come before all others.
        """
        holding = [int(self._starts[number + 1] - self._starts[number]) for number in numbers]
        together = _idf(min(sum(holding), self._texts), self._texts)
        for number, alone in zip(numbers, holding, strict=True):
            column = slice(self._starts[number], self._starts[number + 1])
            gives = self._data[column]
            if len(numbers) > 1:
                gives = gives * np.float32(together / _idf(alone, self._texts))
            # A text has each word once in a column, so that nothing is lost by adding in place.
            scores[self._indices[column]] += gives


def _idf(holding: int, texts: int) -> float:
    return float(np.log(1 + (texts - holding + 0.5) / (holding + 0.5)))


def _languages(folder: Path) -> tuple[str, ...]:
    path = folder / LANGUAGES_FILE
    if not path.exists():
        return (ENGLISH,)
    told = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(told, list) or not told or not set(told) <= LANGUAGES:
        raise ValueError("the full-text index is in languages that are not known here")
    return tuple(told)


def _mapped(path: Path, kinds: str) -> NDArray[Any]:
    """The array in a file, one-dimensional and of a kind of numbers (`f`, `i`, `u`). ValueError for anything else."""
    array = np.asarray(np.lib.format.open_memmap(path, mode="r"))
    if array.ndim != 1 or array.dtype.kind not in kinds:
        raise ValueError(f"{path.name} is no row of numbers")
    return array
