"""Embedder over any endpoint that speaks OpenAI's `POST {base_url}/embeddings`."""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TYPE_CHECKING

import numpy as np

from genaiops.embedding.cache import VectorCache
from genaiops.embedding.endpoint_replies import Address, failure, vectors_of
from genaiops.embedding.protocol import Progress, Vectors, silent
from genaiops.embedding.settings import EmbeddingSettings
from genaiops.endpoints import host_of, is_loopback, tries, without_credentials
from genaiops.errors import ConfigurationError, ModelTimeout
from genaiops.records import digest_of

if TYPE_CHECKING:
    import httpx2

OPENAI_KEY = "OPENAI_API_KEY"  # the variable
PRECISION = "endpoint"  # how exactly it computes is the endpoint's business
_BYTES_PER_TOKEN = 3  # fewer than any usual text has, so that a batch is rather too small than refused
_MAX_WAIT_S = 20.0  # between two attempts, unless the endpoint names its own wait
_SPARE_BYTES = 1_000_000  # error pages, usage
_BYTES_PER_TEXT = 400_000  # of an answer: 16,000 numbers of 25 characters


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to bear with an endpoint, in seconds.

    One attempt takes the settings' `timeout_s`, `connect_s` of it to connect; an endpoint that goes on sending its
    answer bit by bit is cut off there, one that falls silent in the middle after as long again. All `attempts` at
    one batch, and the waits between them (the first about `first_wait_s`), take `total_s` at most; None: four
    `timeout_s`.
    """

    attempts: int = 5
    connect_s: float = 5.0
    first_wait_s: float = 0.5
    total_s: float | None = None


class EndpointEmbedder:
    """Vectors of a model behind a network address, scaled to length 1.

    Only 429, 5xx, broken connections and timeouts are tried again, after the endpoint's `Retry-After` where that
    fits into the time left. An answer with another number of vectors, another length, or with anything that is no
    finite number is a ModelError: none of it becomes a vector. An empty text is sent as one space, because most
    endpoints refuse empty ones.

    The key is read from the variable `api_key_env`; an endpoint on this machine needs none and gets one only when
    the settings name the variable. Raises ConfigurationError when the key is missing.
    """

    precision = PRECISION

    def __init__(
        self, settings: EmbeddingSettings, cache: VectorCache | None = None, *, patience: Patience = Patience()
    ) -> None:
        self._settings = settings
        self._patience = patience
        self._cache = cache or VectorCache(None)
        self._lock = threading.Lock()
        self._clients: dict[int, httpx2.Client] = {}
        self._local = is_loopback(settings.base_url)
        variable, key = settings.api_key_env or OPENAI_KEY, _api_key(settings, self._local)
        self._at = Address(settings.model, without_credentials(settings.base_url), variable, key)
        # A model's name is not its weights: who runs the endpoint may change them, and no client can tell.
        told = {"provider": "openai", "model": settings.model, "dimensions": settings.dimensions}
        self.fingerprint = digest_of({**told, "host": host_of(settings.base_url)})
        self._dimension = settings.dimensions

    @property
    def dimension(self) -> int:
        """Length of the vectors; where the settings do not tell, the endpoint is asked once and the cache keeps it."""
        if self._dimension is None:
            known = self._cache.facts("dimension").get(self.fingerprint, "")
            self._dimension = int(known) if known.isdecimal() else None
        if self._dimension is None:
            self._dimension = int(self._asked(["length"], None, threading.Event()).shape[1])
            self._cache.remember("dimension", {self.fingerprint: str(self._dimension)})
        return self._dimension

    def embed(self, texts: Sequence[str], progress: Progress = silent) -> Vectors:
        """Unit vectors, float32 `[len(texts), dimension]`. Texts of like length share a request.

        Raises ModelError when the endpoint fails, ModelTimeout when it takes too long.
        """
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        batches = _batches(texts, self._settings)
        answers: SimpleQueue[tuple[list[int], Vectors | Exception]] = SimpleQueue()
        stop = threading.Event()

        def work() -> None:
            while batches and not stop.is_set():
                try:
                    batch = batches.popleft()
                except IndexError:  # another thread was faster
                    return
                try:
                    answers.put((batch, self._asked([texts[i] for i in batch], self.dimension, stop)))
                except Exception as error:
                    answers.put((batch, error))
                    return

        # Daemons, so that a command that failed or was interrupted does not wait for the other requests.
        for _ in range(min(self._settings.concurrency, len(batches))):
            threading.Thread(target=work, name="embedding", daemon=True).start()
        done = 0
        try:
            while done < len(texts):
                batch, answer = answers.get()
                if isinstance(answer, Exception):
                    raise answer
                vectors[batch] = answer
                done += len(batch)
                progress(done, len(texts))
        finally:
            stop.set()
        return vectors

    def _asked(self, texts: Sequence[str], dimension: int | None, stop: threading.Event) -> Vectors:
        """The vectors of one batch, tried again where that may help, until somebody calls `stop`."""
        total_s = self._patience.total_s or 4 * self._settings.timeout_s
        deadline = time.monotonic() + total_s
        for attempt in tries(
            total_s,
            attempts=self._patience.attempts,
            first_wait_s=self._patience.first_wait_s,
            max_wait_s=_MAX_WAIT_S,
            given_up=stop.is_set,
        ):
            with attempt:
                content = self._posted(texts, min(self._settings.timeout_s, deadline - time.monotonic()))
        return vectors_of(content, len(texts), dimension, self._at)

    def _posted(self, texts: Sequence[str], limit_s: float) -> bytes:
        """The body of one good answer. Raises ModelError for every other outcome."""
        import httpx2

        inputs = [text or " " for text in texts]
        body: dict[str, object] = {"model": self._settings.model, "input": inputs, "encoding_format": "float"}
        if self._settings.dimensions is not None:
            body["dimensions"] = self._settings.dimensions
        end = time.monotonic() + limit_s
        timeout = httpx2.Timeout(max(limit_s, 0.001), connect=min(self._patience.connect_s, max(limit_s, 0.001)))
        most = _SPARE_BYTES + _BYTES_PER_TEXT * len(texts)
        content = bytearray()
        try:
            with self._client().stream("POST", f"{self._at.url}/embeddings", json=body, timeout=timeout) as response:
                for piece in response.iter_raw():
                    content += piece
                    if len(content) > most:
                        raise self._at.error(f"sent more than {most:,} bytes for {len(texts)} texts")
                    if time.monotonic() > end:
                        raise ModelTimeout(
                            f"{self._at.url} took more than {limit_s:.3g} s for {len(texts)} texts",
                            where=self._at.where,
                            remedy="raise embedding.timeout_s, or lower embedding.batch_texts",
                        )
                if response.status_code != httpx2.codes.OK:
                    raise failure(response.status_code, response.headers, bytes(content), self._at)
        except httpx2.HTTPError as error:
            raise self._at.transport_error(error, limit_s) from None
        return bytes(content)

    def _client(self) -> httpx2.Client:
        """The client of this process: connections don't survive a fork."""
        import httpx2

        process = os.getpid()
        with self._lock:
            if process not in self._clients:
                headers = {"Accept-Encoding": "identity"}
                if self._at.key:
                    headers["Authorization"] = f"Bearer {self._at.key}"
                self._clients[process] = client = httpx2.Client(
                    headers=headers,
                    limits=httpx2.Limits(max_connections=self._settings.concurrency),
                    follow_redirects=False,
                    trust_env=not self._local,  # a proxy of the environment has no business on loopback
                )
                weakref.finalize(self, client.close).atexit = False
            return self._clients[process]


def _batches(texts: Sequence[str], settings: EmbeddingSettings) -> deque[list[int]]:
    """Positions of texts that go into one request: the longest first, at most so many texts and tokens together."""
    sizes = [1 + len(text.encode("utf-8", "surrogatepass")) // _BYTES_PER_TOKEN for text in texts]
    batches: deque[list[int]] = deque()
    tokens = 0
    for position in sorted(range(len(texts)), key=lambda i: (-sizes[i], i)):
        tokens += sizes[position]
        if not batches or len(batches[-1]) == settings.batch_texts or tokens > settings.batch_tokens:
            batches.append([])
            tokens = sizes[position]
        batches[-1].append(position)
    return batches


def _api_key(settings: EmbeddingSettings, local: bool) -> str:
    if local and not settings.api_key_env:
        return ""  # the user's OpenAI key is not for whatever listens on this machine
    variable = settings.api_key_env or OPENAI_KEY
    key = os.environ.get(variable, "").strip()
    if not key and not local:
        raise ConfigurationError(
            f"embedding model {settings.model!r} needs an API key and the environment variable {variable} is not set",
            where="embedding",
            remedy=f"export {variable}=…, or name another variable as embedding.api_key_env",
        )
    return key
