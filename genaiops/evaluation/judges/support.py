"""How well contexts support one claim: the features of the groundedness judge, and where the evidence stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from genaiops.evaluation.judges.sentences import Sentence
from genaiops.evaluation.judges.words import Words, opposites

if TYPE_CHECKING:
    import numpy as np

    Vectors = np.ndarray[Any, np.dtype[np.float32]]
    Floats = np.ndarray[Any, np.dtype[np.floating[Any]]]

WINDOW = 3  # evidence is at most this many neighbouring sentences of one context
EXTRA_SENTENCE = 0.02  # a longer window must be better by this much a sentence
# "Not" in a sentence on something else proves nothing: contradictions count by the share of words that the two
# sentences have in common, to this power, so that they tell between near-copies only.
SHARPNESS = 4
NEAR = 3  # sentences whose direction is compared
ENOUGH_SHARED = 3  # stems in common, below which two sentences are no near-copies
NEGATING_PREFIXES = ("un", "in", "im", "ir", "il", "dis", "non", "de", "anti")

FEATURES = (
    "overlap",  # largest share of the claim's content stems in one window, in [0, 1]
    "cosine",  # largest cosine of the claim and a window
    "pairs",  # share of the pairs of its stems that meet in one sentence, in [0, 1]
    "bigrams",  # share of its neighbouring stems that are neighbours in a context, in [0, 1]
    "numbers",  # share of its numbers found nowhere, in [0, 1]
    "names",  # share of its names found nowhere, in [0, 1]
    "denial",  # the sentence nearest to it affirms what it denies, or denies what it affirms, in [0, 1]
    "opposite",  # that sentence holds an opposite of one of its words instead of the word, in [0, 1]
    "figure",  # that sentence holds another number in place of one of its numbers, in [0, 1]
    "direction",  # above 0: the nearest sentences go the way it goes (more, less); below 0: the other way
)


@dataclass(frozen=True, slots=True)
class Support:
    """`features` in the order of FEATURES; the best window is sentences `[first, last]` of those given."""

    features: tuple[float, ...]
    first: int
    last: int


class ContextTable:
    """The sentences of one sample's contexts, ready to be compared with several claims."""

    def __init__(self, sentences: Sequence[Sentence], vectors: Vectors) -> None:
        import numpy as np

        self.sentences = sentences
        self._vectors = vectors
        # _joined[i]: sentence i+1 follows sentence i in the same context, so a window may hold both.
        joined = [one.context == next_.context and next_.place == one.place + 1 for one, next_ in pairwise(sentences)]
        self._joined = np.array([*joined, False])
        self._windows = self._window_vectors()
        self._vocabulary = frozenset().union(*(s.words.stems for s in sentences))
        self._bigrams = {pair for s in sentences for pair in pairwise(s.words.content)}

    def _window_vectors(self) -> list[Vectors]:
        """One matrix for each window length: row i is the unit mean of sentences i, i+1, … of one context."""
        import numpy as np

        grown = self._vectors.astype(np.float32)
        found = [grown]
        reachable = np.ones(len(grown), dtype=bool)
        for step in range(1, WINDOW):
            reachable = _shift(reachable) & self._joined
            grown = grown.copy()
            places = np.flatnonzero(reachable)
            grown[places] += self._vectors[places + step]
            found.append(grown / np.linalg.norm(grown, axis=1, keepdims=True).clip(1e-9))
        return found

    def support(self, claim: Words, vector: Floats) -> Support:
        """Features and best window for a claim with at least one content word; `vector` is its unit vector."""
        import numpy as np

        stems = sorted(claim.stems)
        present = np.array([[stem in s.words.stems for stem in stems] for s in self.sentences], dtype=bool)
        overlaps = self._window_overlaps(present)
        cosines = [windows @ vector for windows in self._windows]
        legs = enumerate(zip(overlaps, cosines, strict=True))
        joint = np.stack([0.6 * overlap + 0.4 * cosine - EXTRA_SENTENCE * extra for extra, (overlap, cosine) in legs])
        length, first = divmod(int(joint.argmax()), joint.shape[1])
        nearest = self.sentences[int(joint[0].argmax())].words
        last = first + length
        while last > first and not all(self._joined[first:last]):
            last -= 1
        features = (
            float(overlaps[-1].max()),
            max(float(c.max()) for c in cosines),
            _pairs(present),
            self._bigram_share(claim),
            _share_missing(claim.numbers, self._vocabulary),
            _share_missing(claim.names, self._vocabulary),
            *_contradictions(claim, nearest, self._vocabulary),
            self._agreement(claim, joint[0]),
        )
        return Support(features, first, last)

    def _agreement(self, claim: Words, nearness: Floats) -> float:
        """Directions of the nearest sentences, by how near they are, along that of the claim."""
        import numpy as np

        if not claim.direction:
            return 0.0
        near = np.argsort(-nearness, kind="stable")[:NEAR]
        total: float = sum(float(nearness[place]) * self.sentences[place].words.direction for place in near)
        return total if claim.direction > 0 else -total

    def _window_overlaps(self, present: np.ndarray[Any, np.dtype[np.bool_]]) -> list[Floats]:
        """For each window length, the share of stems (columns of `present`) found in the window at each sentence."""
        import numpy as np

        grown = present
        found: list[Floats] = [grown.mean(axis=1)]
        reachable = np.ones(len(present), dtype=bool)
        for step in range(1, WINDOW):
            reachable = _shift(reachable) & self._joined
            places = np.flatnonzero(reachable)
            grown = grown.copy()
            grown[places] |= present[places + step]
            found.append(grown.mean(axis=1))
        return found

    def _bigram_share(self, claim: Words) -> float:
        bigrams = list(pairwise(claim.content))
        if not bigrams:
            return float(claim.content[0] in self._vocabulary)
        return sum(pair in self._bigrams for pair in bigrams) / len(bigrams)


def _shift(flags: Any) -> Any:
    """flags[i] becomes flags[i+1]; nothing follows the last."""
    import numpy as np

    return np.append(flags[1:], False)


def _pairs(present: Any) -> float:
    import numpy as np

    count = present.shape[1]
    if count == 1:
        return float(present.any())
    as_numbers = present.astype(np.float32)
    together = (as_numbers.T @ as_numbers) > 0
    return float(together[np.triu_indices(count, 1)].mean())


def _share_missing(wanted: frozenset[str], vocabulary: frozenset[str]) -> float:
    return len(wanted - vocabulary) / len(wanted) if wanted else 0.0


def _contradictions(claim: Words, evidence: Words, vocabulary: frozenset[str]) -> tuple[float, float, float]:
    """(denial, opposite, figure) of a claim against the sentence nearest to it."""
    shared = claim.stems & evidence.stems
    if len(shared) < ENOUGH_SHARED:
        return 0.0, 0.0, 0.0
    weight: float = (len(shared) / len(claim.stems)) ** SHARPNESS
    table = opposites()
    own, other = claim.stems - evidence.stems, evidence.stems - claim.stems
    denial = bool((claim.denied ^ evidence.denied) & shared)
    opposite = (
        any(table[word] & evidence.polar for word in claim.polar - evidence.polar)
        or _negates(own, evidence.stems)
        or _negates(other, claim.stems)
    )
    figure = bool(claim.numbers - vocabulary) and bool(evidence.numbers - claim.numbers)
    return weight * denial, weight * opposite, weight * figure


def _negates(words: frozenset[str], others: frozenset[str]) -> bool:
    """Whether a word of `words` is one of `others` with a negating prefix: unstable, stable."""
    return any(prefix + other in words for other in others if len(other) > 3 for prefix in NEGATING_PREFIXES)
