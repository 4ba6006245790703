"""Embedders as the other rooms get them: cached by content, and loaded when a new text comes."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from genaiops.embedding.cache import VectorCache, text_key
from genaiops.embedding.protocol import CorpusEmbedder, Embedder, Progress, Vectors, silent
from genaiops.embedding.settings import EmbeddingSettings, Precision
from genaiops.embedding.weights import dimension, fingerprint, locate

if TYPE_CHECKING:
    from genaiops.embedding.sentence_transformer import SentenceTransformerEmbedder

_LOADED: dict[tuple[str, Precision], SentenceTransformerEmbedder] = {}
_CHOSEN: dict[str, Precision] = {}  # by fingerprint, for embedders without a cache file
_LOADING = threading.Lock()
_KEPT_TOGETHER = 1024  # vectors


class LocalEmbedder:
    """An embedder that knows its fingerprint at once and loads its model at the first text that needs it.

    Models are shared in the process: two embedders of the same weights and precision hold them once.
    """

    def __init__(self, folder: Path, precision: Precision | None, cache: VectorCache) -> None:
        self._folder = folder
        self._precision = precision
        self._cache = cache
        known = cache.facts("sha256")
        count = len(known)
        self.fingerprint = fingerprint(folder, known)
        if len(known) > count:
            cache.remember("sha256", known)
        self.dimension = dimension(folder)

    @property
    def precision(self) -> Precision:
        """fp32 or bf16; with `auto`, decided (and the model loaded) at the first use on this machine."""
        if self._precision is None:
            from genaiops.embedding.sentence_transformer import choose_precision

            if self.fingerprint not in _CHOSEN:
                _CHOSEN[self.fingerprint] = choose_precision(self._folder, self.fingerprint, self._cache)
            self._precision = _CHOSEN[self.fingerprint]
        return self._precision

    def embed(self, texts: Sequence[str], progress: Progress = silent) -> Vectors:
        return self._loaded().embed(texts, progress)

    def _loaded(self) -> SentenceTransformerEmbedder:
        from genaiops.embedding.sentence_transformer import SentenceTransformerEmbedder

        with _LOADING:
            key = (self.fingerprint, self.precision)
            if key not in _LOADED:
                _LOADED[key] = SentenceTransformerEmbedder(self._folder, self.fingerprint, self.precision)
            return _LOADED[key]


class CachedEmbedder:
    """Looks texts up by content first; only new ones reach the embedder behind it.

    For corpora: a question is cheaper to embed than to look up, so ask `behind` for those.
    """

    def __init__(self, behind: CorpusEmbedder, cache: VectorCache) -> None:
        self.behind = behind
        self._cache = cache
        self.embedded = 0  # texts that were not in the cache, since this object was made
        self.fingerprint = behind.fingerprint
        self.dimension = behind.dimension

    def embed(self, texts: Sequence[str], progress: Progress = silent) -> Vectors:
        space = f"{self.fingerprint} {self.behind.precision}"
        keys = [text_key(text) for text in texts]
        known = self._cache.vectors(space, list(dict.fromkeys(keys)), self.dimension)
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        # Longest first, and kept block by block: a build that is killed goes on where it was.
        order = sorted(missing, key=lambda key: (-len(missing[key]), key))
        for at in range(0, len(order), _KEPT_TOGETHER):
            block = order[at : at + _KEPT_TOGETHER]
            rows = list(zip(block, self.behind.embed([missing[key] for key in block]), strict=True))
            self._cache.add(space, rows)
            known.update(rows)
            self.embedded += len(rows)
            progress(at + len(block), len(order))
        if not texts:
            return np.empty((0, self.dimension), dtype=np.float32)
        return np.stack([known[key] for key in keys])


def load_embedder(
    settings: EmbeddingSettings, *, cache_file: Path | None = None, base: Path | None = None
) -> LocalEmbedder:
    """The embedder that `settings` name; `base` is the folder a relative model path starts from.

    Raises ConfigurationError when the model is not on this machine.
    """
    precision = None if settings.precision == "auto" else settings.precision
    return LocalEmbedder(locate(settings.model, base), precision, VectorCache(cache_file))


@cache
def default_embedder() -> Embedder:
    """The process-wide embedder of the default settings, for judges and notebooks."""
    return load_embedder(EmbeddingSettings())
