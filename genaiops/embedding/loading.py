"""Embedders as the other rooms get them: cached by content, and loaded when a new text comes."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from genaiops.embedding.cache import VectorCache, text_key
from genaiops.embedding.fast_session import MAX_TEXTS, SESSIONS, FastSession, engine, open_session
from genaiops.embedding.protocol import CorpusEmbedder, Embedder, Progress, TokenEmbedder, Vectors, silent
from genaiops.embedding.settings import EmbeddingSettings, Precision
from genaiops.embedding.weights import dimension, fingerprint, locate
from genaiops.errors import ConfigurationError, GenaiopsError

if TYPE_CHECKING:
    from genaiops.embedding.endpoint import EndpointEmbedder
    from genaiops.embedding.fast_making import Made
    from genaiops.embedding.sentence_transformer import SentenceTransformerEmbedder

_LOADED: dict[tuple[str, Precision], SentenceTransformerEmbedder] = {}
_SESSIONS: dict[tuple[str, str], FastSession | None] = {}  # by folder of sessions and fingerprint
_CHOSEN: dict[str, Precision] = {}  # by fingerprint, for embedders without a cache file
_LOADING = threading.Lock()
_KEPT_TOGETHER = 1024  # vectors
_REFUSED = "fast_session"  # kind of the facts that say why there is none

_log = logging.getLogger(__name__)


class LocalEmbedder:
    """An embedder that knows its fingerprint at once and loads its model at the first text that needs it.

    One to four texts, a question, go to the fast session of the same weights where one was made, and else to torch in
    fp32, as the session is: a question has one vector before and after there is a session. All others go to torch in
    `precision`. Models and sessions are shared in the process: two embedders of the same weights and precision hold
    them once.
    """

    def __init__(
        self, folder: Path, precision: Precision | None, cache: VectorCache, sessions: Path | None = None
    ) -> None:
        """`sessions` is the folder of fast sessions; None: no text goes to one."""
        self._folder = folder
        self._precision = precision
        self._cache = cache
        self._sessions = sessions
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
        if not 0 < len(texts) <= MAX_TEXTS:
            return self.embed_corpus(texts, progress)
        if (session := self.fast_session) is None:
            return self._loaded("fp32").embed(texts, progress)
        vectors = session.embed(texts)
        progress(len(texts), len(texts))
        return vectors

    def embed_corpus(self, texts: Sequence[str], progress: Progress = silent) -> Vectors:
        """As `embed`, always by torch: what is stored comes from one engine, whether or not there is a session."""
        return self._loaded(self.precision).embed(texts, progress)

    def embed_tokens(self, texts: Sequence[str]) -> list[Vectors]:
        """See TokenEmbedder."""
        return self._loaded(self.precision).embed_tokens(texts)

    @property
    def fast_session(self) -> FastSession | None:
        """The session that embeds questions; None where there is none: torch does it."""
        if self._sessions is None:
            return None
        with _LOADING:
            key = (str(self._sessions), self.fingerprint)
            if key not in _SESSIONS:
                _SESSIONS[key] = open_session(self._sessions, self._folder, self.fingerprint)
            return _SESSIONS[key]

    def make_fast_session(self) -> Made | None:
        """Make the fast session where there is none; None when there is one, or none can be made.

        Takes 5 to 15 seconds and is done once for each machine, model and version of onnxruntime. Why none can be
        made is kept in the cache and told in the log.
        """
        if self._sessions is None or not self.lacks_fast_session:
            return None
        from genaiops.embedding.fast_making import Refused, make_session

        loaded = _LOADED.get((self.fingerprint, "fp32"))
        try:
            made = make_session(self._sessions, self._folder, self.fingerprint, loaded and loaded.model)
        except Refused as why:
            self._cache.remember(_REFUSED, {self._refusal_key: str(why)})
            _log.info("no fast session: %s", why)
            return None
        except GenaiopsError as error:  # a full disk: questions are answered all the same
            _log.warning("no fast session: %s", error)
            return None
        with _LOADING:
            _SESSIONS.pop((str(self._sessions), self.fingerprint), None)
        return made

    @property
    def lacks_fast_session(self) -> bool:
        """Whether one is wanted and might be made here."""
        if self._sessions is None or not engine() or self.fast_session is not None:
            return False
        return self._refusal_key not in self._cache.facts(_REFUSED) and os.access(self._sessions.parent, os.W_OK)

    @property
    def _refusal_key(self) -> str:
        return f"{engine()} torch {version('torch')} {self.fingerprint}"

    def _loaded(self, precision: Precision) -> SentenceTransformerEmbedder:
        from genaiops.embedding.sentence_transformer import SentenceTransformerEmbedder

        with _LOADING:
            key = (self.fingerprint, precision)
            if key not in _LOADED:
                _LOADED[key] = SentenceTransformerEmbedder(self._folder, self.fingerprint, precision)
            return _LOADED[key]


class CachedEmbedder:
    """Looks texts up by content first; only new ones reach the embedder behind it.

    For corpora: a question is cheaper to embed than to look up, so ask `behind` for those.
    """

    def __init__(self, behind: CorpusEmbedder, cache: VectorCache) -> None:
        self.behind = behind
        self._embed = behind.embed_corpus if isinstance(behind, LocalEmbedder) else behind.embed
        self._cache = cache
        self.embedded = 0  # texts that were not in the cache, since this object was made
        self.fingerprint = behind.fingerprint
        self.dimension = behind.dimension

    @property
    def precision(self) -> str:
        """Of the embedder behind."""
        return self.behind.precision

    def embed(self, texts: Sequence[str], progress: Progress = silent) -> Vectors:
        space = f"{self.fingerprint} {self.precision}"
        keys = [text_key(text) for text in texts]
        known = self._cache.vectors(space, list(dict.fromkeys(keys)), self.dimension)
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        # Longest first, and kept block by block: a build that is killed goes on where it was.
        order = sorted(missing, key=lambda key: (-len(missing[key]), key))
        for at in range(0, len(order), _KEPT_TOGETHER):
            block = order[at : at + _KEPT_TOGETHER]
            rows = list(zip(block, self._embed([missing[key] for key in block]), strict=True))
            self._cache.add(space, rows)
            known.update(rows)
            self.embedded += len(rows)
            progress(at + len(block), len(order))
        # Joined as bytes: np.stack looks at each of a hundred thousand rows first.
        together = bytearray().join(known[key] for key in keys)  # type: ignore[misc]  # arrays are buffers
        return np.frombuffer(together, dtype=np.float32).reshape(len(keys), self.dimension)

    def embed_tokens(self, texts: Sequence[str]) -> list[Vectors]:
        """See TokenEmbedder; nothing of it is kept. ConfigurationError where the embedder behind has none."""
        if not isinstance(self.behind, TokenEmbedder):
            raise ConfigurationError(
                "this embedder gives no vectors of single tokens", remedy="bertscore needs a model on this machine"
            )
        return self.behind.embed_tokens(texts)


def embedder_for(
    settings: EmbeddingSettings, *, cache_file: Path | None = None, base: Path | None = None
) -> LocalEmbedder | EndpointEmbedder:
    """The embedder that `settings` name: an endpoint where they give its address, else weights on this machine.

    Raises ConfigurationError when the weights are not here, or the endpoint's key is not set.
    """
    if not settings.base_url:
        return load_embedder(settings, cache_file=cache_file, base=base)
    from genaiops.embedding.endpoint import EndpointEmbedder

    return EndpointEmbedder(settings, VectorCache(cache_file))


def load_embedder(
    settings: EmbeddingSettings, *, cache_file: Path | None = None, base: Path | None = None
) -> LocalEmbedder:
    """The embedder of weights on this machine; `base` is the folder a relative model path starts from.

    Raises ConfigurationError when the model is not on this machine.
    """
    if idle := settings.idle_at_weights:
        raise ConfigurationError(
            f"embedding.{idle[0]} is for endpoints, and {settings.model!r} is no name of models.yaml",
            remedy="give embedding.base_url, or remove it",
        )
    precision = None if settings.precision == "auto" else settings.precision
    sessions = cache_file.parent / SESSIONS if cache_file and settings.fast_start else None
    return LocalEmbedder(locate(settings.model, base), precision, VectorCache(cache_file), sessions)


@cache
def default_embedder() -> Embedder:
    """The process-wide embedder of the default settings, for judges and notebooks."""
    return load_embedder(EmbeddingSettings())
