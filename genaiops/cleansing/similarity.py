"""How similar texts are: Jaccard similarity of their word shingles. Heavy: imported only to compare.

Candidates come from one-permutation MinHash sketches (Li, Owen, Zhang: One Permutation Hashing, 2012, with the
densification of Shrivastava and Li, 2014) cut into bands; each pair is then measured exactly on the texts.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from genaiops.cleansing.signature_cache import Signature, SignatureCache, signature_key

Hashes = NDArray[np.uint64]

SHINGLE = 5  # words
BINS = 128
_BIN_BITS = 64 - BINS.bit_length() + 1
_CANDIDATE = 0.999  # the least probability with which a pair at the threshold becomes a candidate
_SLACK = 4.0  # standard errors of a sketch below the threshold at which a pair is still measured
_ALL_PAIRS = 24  # documents in one bucket; in larger ones each is held against the first and the one before
_AT_ONCE = 500  # texts whose signatures are looked up together
_HELD = 256  # texts whose shingles are kept while pairs are measured
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)

# Everything that is no letter, digit or underscore parts words; these are the signs outside ASCII that do.
_PARTING = re.compile(r"[^\w\x00-\x7f]+")
# Scripts without spaces: each character is a word, or one changed sign would change a whole line.
_UNSPACED = re.compile(
    "([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff])"
)
_IN_WORD = np.array([byte >= 128 or chr(byte).isalnum() or byte == ord("_") for byte in range(256)])
_BASE = 0x100000001B3  # odd, so that it has an inverse modulo 2**64


class Similarities:
    """Which texts are alike. Of each only a signature is held; `text_of` gives one again, to measure a pair."""

    def __init__(
        self, texts: Iterable[str], text_of: Callable[[int], str], *, threshold: float, cache: Path | None
    ) -> None:
        self._text_of = text_of
        self._threshold = threshold
        exact, self._sketches = _signatures(texts, SignatureCache(cache))
        self._measuring: dict[int, Hashes] = {}
        self.exact: list[bytes] = exact  # equal for texts that are the same but for white space

    def earlier(self, order: Sequence[int]) -> Iterator[tuple[int, list[tuple[int, float]]]]:
        """For each text, in this order, those before it at least as similar as the threshold, with the similarity."""
        pairs = self._candidates(order)
        for place in sorted(pairs):
            position = order[place]
            measured = ((order[other], self._measured(order[other], position)) for other in sorted(pairs[place]))
            found = [(other, value) for other, value in measured if value >= self._threshold]
            if found:
                yield position, found

    def _candidates(self, order: Sequence[int]) -> dict[int, set[int]]:
        """Later place in `order` → earlier ones that may be similar enough."""
        rows = rows_for(self._threshold)
        sketches = self._sketches[list(order)]
        pairs: dict[int, set[int]] = defaultdict(set)
        for start in range(0, BINS - rows + 1, rows):
            for bucket in _buckets(np.ascontiguousarray(sketches[:, start : start + rows])):
                for earlier, later in _pairs(bucket.tolist()):
                    pairs[later].add(earlier)
        return pairs

    def _measured(self, first: int, second: int) -> float:
        """Jaccard similarity; 0 where the sketches already tell that it is below the threshold."""
        if self.exact[first] == self.exact[second]:
            return 1.0
        estimate = float(np.mean(self._sketches[first] == self._sketches[second]))
        error = (self._threshold * (1 - self._threshold) / BINS) ** 0.5
        if estimate < self._threshold - _SLACK * max(error, 1 / BINS):
            return 0.0
        one, other = self._shingles(first), self._shingles(second)
        shared = np.intersect1d(one, other, assume_unique=True).size
        together = one.size + other.size - shared
        return float(shared / together) if together else 0.0

    def _shingles(self, position: int) -> Hashes:
        if position not in self._measuring:
            if len(self._measuring) >= _HELD:
                self._measuring.clear()
            self._measuring[position] = shingles(self._text_of(position))
        return self._measuring[position]


def rows_for(threshold: float) -> int:
    """Sketch values per band: as many as keep the chance of missing a pair at the threshold below 0.1 %."""
    for rows in range(16, 1, -1):
        if 1 - (1 - threshold**rows) ** (BINS // rows) >= _CANDIDATE:
            return rows
    return 1


def shingles(text: str) -> Hashes:
    """Sorted distinct hashes (uint64) of every run of five words; of all words where there are fewer."""
    words = _word_hashes(text)
    width = min(SHINGLE, words.size)
    if width == 0:
        return words
    count = words.size - width + 1
    mixed = words[:count].copy()
    for offset in range(1, width):
        mixed *= _MULTIPLIER
        mixed ^= mixed >> np.uint64(29)
        mixed += words[offset : offset + count]
    mixed *= _MULTIPLIER
    mixed ^= mixed >> np.uint64(32)
    mixed *= _MULTIPLIER  # the high bits choose the bin, so they must depend on all others
    mixed.sort()
    first: Hashes = mixed[np.append(True, mixed[1:] != mixed[:-1])]
    return first


def _word_hashes(text: str) -> Hashes:
    """A hash of each word in small letters, in order: its bytes as digits to an odd base modulo 2**64.

    All are cut from one running sum over the text, since a loop over words would cost ten times as much.
    """
    folded = text.lower()
    if not folded.isascii():
        folded = _UNSPACED.sub(r" \1 ", _PARTING.sub(" ", folded))
    data = np.frombuffer(folded.encode("utf-8", "surrogatepass"), np.uint8)
    inside = np.zeros(data.size + 2, bool)
    inside[1:-1] = _IN_WORD[data]
    borders = np.flatnonzero(inside[1:] != inside[:-1])
    starts, ends = borders[::2], borders[1::2]
    powers, inverses = _powers(data.size)
    sums = np.zeros(data.size + 1, np.uint64)
    np.cumsum(data * powers[: data.size], out=sums[1:])
    return (sums[ends] - sums[starts]) * inverses[starts]


@lru_cache(maxsize=1)
def _power_tables(size: int) -> tuple[Hashes, Hashes]:
    inverse = pow(_BASE, -1, 1 << 64)
    powers, inverses = (np.full(size, base, np.uint64) for base in (_BASE, inverse))
    powers[0] = inverses[0] = 1
    return np.cumprod(powers), np.cumprod(inverses)


def _powers(size: int) -> tuple[Hashes, Hashes]:
    """Powers of the base and of its inverse modulo 2**64, at least `size` of them."""
    return _power_tables(max(1 << 16, 1 << size.bit_length()))


def sketch(hashes: Hashes) -> Hashes:
    """The smallest hash in each of BINS equal parts of the range; an empty part takes that of the next full one."""
    borders = np.arange(BINS, dtype=np.uint64) << np.uint64(_BIN_BITS)
    at = np.searchsorted(hashes, borders)
    ends = np.append(at[1:], hashes.size)
    full = np.flatnonzero(at < ends)
    if full.size == 0:
        return np.zeros(BINS, np.uint64)
    following = np.searchsorted(full, np.arange(BINS))
    source = full[following % full.size]
    distance = (source - np.arange(BINS)) % BINS
    # The distance goes in, so that two texts agree only if they borrowed from equally far.
    return hashes[at[source]] + distance.astype(np.uint64) * _MULTIPLIER


def _signatures(texts: Iterable[str], cache: SignatureCache) -> tuple[list[bytes], Hashes]:
    """Digest of the normalised text and sketch (`[BINS]`) of every text; those known before are not made again."""
    found: list[Signature] = []
    for part in _parts(texts, _AT_ONCE):
        keys = [signature_key(text) for text in part]
        known = cache.get(keys)
        fresh: dict[bytes, Signature] = {}
        for key, text in zip(keys, part, strict=True):
            if key not in known:
                known[key] = fresh[key] = _normal_digest(text), sketch(shingles(text)).tobytes()
        cache.put(fresh)
        found += (known[key] for key in keys)
    data = b"".join(signature[1] for signature in found)
    return [signature[0] for signature in found], np.frombuffer(data, np.uint64).reshape(len(found), BINS)


def _parts(texts: Iterable[str], most: int) -> Iterator[list[str]]:
    """The texts, some at a time."""
    waiting = iter(texts)
    while part := list(islice(waiting, most)):
        yield part


def _normal_digest(text: str) -> bytes:
    return hashlib.blake2b(" ".join(text.split()).encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _buckets(band: Hashes) -> Iterator[NDArray[np.intp]]:
    """Groups (at least two) of rows that are equal, each in order."""
    if len(band) < 2:
        return
    order = np.lexsort(band.T[::-1])
    same = (band[order[1:]] == band[order[:-1]]).all(axis=1)
    for run in np.split(order, np.flatnonzero(~same) + 1):
        if run.size > 1:
            yield np.sort(run)


def _pairs(bucket: Sequence[int]) -> Iterator[tuple[int, int]]:
    if len(bucket) <= _ALL_PAIRS:
        yield from ((one, other) for at, other in enumerate(bucket) for one in bucket[:at])
        return
    yield from ((bucket[0], other) for other in bucket[1:])
    yield from pairwise(bucket[1:])
