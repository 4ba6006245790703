"""An OpenAI-compatible endpoint on loopback that answers from a script, faults included.

    with ScriptedModelServer(replies=["Paris.", Reply(status=429, retry_after=1)]) as server:
        client = openai.OpenAI(base_url=server.base_url, api_key="any")
        ...
    assert server.requests[0].body["messages"][-1]["content"] == "Capital of France?"

It needs nothing but the standard library and never leaves 127.0.0.1.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Sequence
from http.server import ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from genaiops.testing.replies import Reply, ScriptedRequest
from genaiops.testing.scripted_handler import Handler

_POLL_S = 0.02  # how fast a hanging handler notices that its client or the server has gone


Script = str | Reply | Sequence[str | Reply] | Callable[[dict[str, Any]], str | Reply]
VectorScript = Reply | Sequence[Reply | None] | Callable[[dict[str, Any]], Reply | Sequence[Sequence[float]] | None]


class ScriptedModelServer:
    """A model endpoint on a free port of 127.0.0.1, in a background thread; use it as a context manager.

    `replies` is one reply for every chat completion, a sequence that is used up in order (a request
    beyond its end gets status 400 and says so), or a function of the request's JSON. Every reply comes
    `latency_s` after its request, or as soon after that as it is made. `GET /v1/models` lists `models`;
    `POST /v1/embeddings` gives unit vectors of `dimension` numbers that depend on the text alone, unless
    `vectors` says otherwise: one fault for every request, a sequence that is used up in order (None, and every
    request beyond its end, is answered well), or a function of the request's JSON that gives a fault, the vectors
    to send, or None. Of a `Reply` count there the status, `retry_after`, `body`, `delay_s`, `drop_connection` and
    `headers`.

    `requests` holds every request in order of arrival; `disconnects` counts clients that left early;
    `open_connections` is the number of connections being served now.
    """

    def __init__(
        self,
        replies: Script = "ok",
        *,
        latency_s: float = 0.0,
        models: Sequence[str] = ("scripted",),
        dimension: int = 32,
        vectors: VectorScript = (),
    ) -> None:
        self.latency_s = latency_s
        self.models = tuple(models)
        self.dimension = dimension
        self.requests: list[ScriptedRequest] = []
        self.disconnects = 0
        self._script = replies
        self._used = 0
        self._vectors = vectors
        self._vectors_used = 0
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._server: _Listener | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._closing.clear()
        self._server = _Listener(("127.0.0.1", 0), Handler)
        self._server.scripted = self
        # A short poll makes leaving the block quick: shutdown() waits for one poll.
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": _POLL_S}, name="scripted-model", daemon=True
        )
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is None or self._thread is None:
            return
        self._closing.set()
        self._server.shutdown()
        self._server.hang_up()
        self._server.server_close()
        self._thread.join()
        self._server = None

    @property
    def base_url(self) -> str:
        """What an OpenAI client wants as `base_url`, e.g. `http://127.0.0.1:40321/v1`."""
        if self._server is None:
            raise RuntimeError("the scripted model server is not running; use it in a with block")
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    @property
    def chats(self) -> list[ScriptedRequest]:
        """The chat completions among `requests`."""
        return [request for request in self.requests if request.path == "/v1/chat/completions"]

    @property
    def embeddings(self) -> list[ScriptedRequest]:
        """The requests for embeddings among `requests`."""
        return [request for request in self.requests if request.path == "/v1/embeddings"]

    @property
    def open_connections(self) -> int:
        return 0 if self._server is None else len(self._server.connections)

    def reply_to(self, body: dict[str, Any]) -> Reply:
        """The next reply of the script for a chat request."""
        if callable(self._script):
            reply = self._script(body)
        elif isinstance(self._script, (str, Reply)):
            reply = self._script
        else:
            with self._lock:
                number, self._used = self._used, self._used + 1
            if number >= len(self._script):
                # 400 and not 5xx, so that no client retries its way past a script that is too short.
                return Reply(
                    text=f"the script has {len(self._script)} replies, this is request {number + 1}", status=400
                )
            reply = self._script[number]
        return Reply(text=reply) if isinstance(reply, str) else reply

    def vectors_for(self, body: dict[str, Any]) -> Reply | Sequence[Sequence[float]] | None:
        """The fault or the vectors that the script has for a request for embeddings; None: answer it well."""
        if callable(self._vectors):
            return self._vectors(body)
        if isinstance(self._vectors, Reply):
            return self._vectors
        with self._lock:
            number, self._vectors_used = self._vectors_used, self._vectors_used + 1
        return self._vectors[number] if number < len(self._vectors) else None

    def record(self, request: ScriptedRequest) -> None:
        with self._lock:
            self.requests.append(request)

    def client_left(self) -> None:
        with self._lock:
            self.disconnects += 1

    def pause(self, seconds: float, connection: socket.socket) -> None:
        """Wait that long; ConnectionAbortedError as soon as the client leaves or the server closes."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if self._closing.wait(min(left, _POLL_S)) or _has_left(connection):
                raise ConnectionAbortedError


def _has_left(connection: socket.socket) -> bool:
    """True when the client has closed its side; bytes that wait to be read stay there."""
    try:
        return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128  # the standard 5 refuses connections under load
    scripted: ScriptedModelServer

    def __init__(self, *args: Any) -> None:
        self.connections: set[socket.socket] = set()
        super().__init__(*args)

    def process_request(self, request: Any, client_address: Any) -> None:
        self.connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is part of the script, not an error to print."""

    def hang_up(self) -> None:
        for connection in list(self.connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
