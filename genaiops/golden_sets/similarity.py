"""Texts that say almost the same: by their words, and by meaning where there is an embedder."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Embed: TypeAlias = Callable[[Sequence[str]], NDArray[np.float32]]  # texts → unit vectors [n, dimension]
else:
    Embed = object

SAME_WORDS = 0.8  # Jaccard similarity of two texts' words from which they say almost the same
SAME_MEANING = 0.9  # cosine of two questions' vectors; docs/golden-sets.md tells what it was chosen on
_BLOCK = 1024  # rows of vectors compared at once
_WORD = re.compile(r"[^\W_]+")


def plain_words(text: str) -> list[str]:
    """The words of a text in order, whatever their case; a text without words is one word."""
    return [word.casefold() for word in _WORD.findall(text)] or [text.strip()]


class SimilarWords:
    """Finds, among named texts, those whose words are almost those of another text.

    If two sets of words A and B have a Jaccard similarity of at least t, they share t·|A| words or more, so B has at
    least one of any |A| - ceil(t·|A|) + 1 words of A (the prefix filter of Chaudhuri, Ganti and Kaushik, ICDE 2006).
    The rarest ones are looked up, so only few pairs are compared.
    """

    def __init__(self, texts: Iterable[tuple[str, str]] = (), *, least: float = SAME_WORDS) -> None:
        self._least = least
        self._words: dict[str, frozenset[str]] = {}
        self._named: dict[str, list[str]] = defaultdict(list)
        known = list(texts)
        self._frequency = Counter(word for _, text in known for word in set(plain_words(text)))
        for name, text in known:
            self.add(name, text)

    def add(self, name: str, text: str) -> None:
        """One more text to find."""
        words = frozenset(plain_words(text))
        self._words[name] = words
        rarest = sorted(words, key=lambda word: (self._frequency[word], -len(word), word))
        for word in rarest[: len(words) - math.ceil(self._least * len(words)) + 1]:
            self._named[word].append(name)

    def of(self, text: str) -> list[str]:
        """Names of the texts that are almost `text`, in the order in which they were added."""
        words = frozenset(plain_words(text))
        found = {name: None for word in words if word in self._named for name in self._named[word]}
        near = {name for name in found if self._is_near(words, self._words[name])}
        return [name for name in self._words if name in near] if near else []

    def _is_near(self, one: frozenset[str], other: frozenset[str]) -> bool:
        return len(one & other) >= self._least * len(one | other)


def near_by_meaning(
    texts: Sequence[str], embed: Embed, *, least: float = SAME_MEANING
) -> Iterator[tuple[int, int, float]]:
    """`(later, earlier, cosine)` of every two texts whose vectors are that near, by the later one's position."""
    import numpy as np

    if len(texts) < 2:
        return
    vectors = embed(texts)
    for start in range(0, len(texts), _BLOCK):
        cosines = vectors[start : start + _BLOCK] @ vectors.T
        for row, column in zip(*np.nonzero(cosines >= least), strict=True):
            later, earlier = start + int(row), int(column)
            if earlier < later:
                yield later, earlier, float(cosines[row, column])
