"""How the scripted model server speaks: OpenAI's JSON and server-sent events, and the scripted faults."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import math
import struct
import time
from collections.abc import Iterable, Mapping
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any, cast

from genaiops.testing.replies import Reply, ScriptedRequest

if TYPE_CHECKING:
    from genaiops.testing.scripted_model import ScriptedModelServer, _Listener

_FOREVER_S = 3600.0


class Handler(BaseHTTPRequestHandler):
    """One connection. HTTP/1.1 with keep-alive, streams in chunked encoding."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # otherwise small chunks wait up to 40 ms for each other

    @property
    def scripted(self) -> ScriptedModelServer:
        return cast("_Listener", self.server).scripted

    def log_message(self, format: str, *args: Any) -> None:
        """Silent: tests read `server.requests`."""

    def do_GET(self) -> None:
        self._record({})
        if self.path != "/v1/models":
            return self._error(404, f"no such path {self.path}")
        entries = [{"id": m, "object": "model", "created": 0, "owned_by": "scripted"} for m in self.scripted.models]
        self._json(200, {"object": "list", "data": entries})

    def do_POST(self) -> None:
        self.arrived = time.monotonic()
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        try:
            body = json.loads(raw)
        except ValueError:
            body = None
        self._record(body if isinstance(body, dict) else {})
        if not isinstance(body, dict):
            return self._error(400, "the body is not a JSON object")
        try:
            if self.path == "/v1/chat/completions":
                self._chat(body)
            elif self.path == "/v1/embeddings":
                self._embeddings(body)
            else:
                self._error(404, f"no such path {self.path}")
        except (ConnectionError, TimeoutError):
            self.scripted.client_left()
            self.close_connection = True

    def _record(self, body: Mapping[str, Any]) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.scripted.record(ScriptedRequest(self.command, self.path, headers, body, time.monotonic()))

    def _wait(self, delay_s: float = 0.0) -> None:
        """Until the reply is due. What was needed to make it is part of the latency, as with any endpoint."""
        spent = time.monotonic() - self.arrived
        self.scripted.pause(max(0.0, self.scripted.latency_s - spent) + delay_s, self.connection)

    def _chat(self, body: dict[str, Any]) -> None:
        try:
            reply = self.scripted.reply_to(body)
        except Exception as error:  # the user's function; its failure must show in the client under test
            return self._error(400, f"the script raised {type(error).__name__}: {error}")
        self._wait(reply.delay_s)
        if reply.drop_connection:
            self.close_connection = True
        elif reply.body is not None:
            kind = "text/event-stream" if body.get("stream") and reply.status == 200 else "application/json"
            self._send(reply.status, reply.body, {"Content-Type": kind, **_extra_headers(reply)})
        elif reply.status >= 300:
            self._error(reply.status, reply.text or f"scripted status {reply.status}", _extra_headers(reply))
        elif body.get("stream"):
            self._stream(reply, body)
        else:
            if reply.stall_after is not None:
                self.scripted.pause(_FOREVER_S, self.connection)
            if reply.endless:
                return self._endless(reply)
            self._json(200, _completion(reply, body), _extra_headers(reply))

    def _stream(self, reply: Reply, body: dict[str, Any]) -> None:
        self.send_response(200)
        headers = {"Content-Type": "text/event-stream", "Transfer-Encoding": "chunked", **_extra_headers(reply)}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        wants_usage = bool((body.get("stream_options") or {}).get("include_usage"))
        head = _head("chat.completion.chunk", body)
        nothing: dict[str, Any] = {"usage": None} if wants_usage else {}
        self._event({**head, "choices": [_delta({"role": "assistant", "content": ""})], **nothing})
        pieces: Iterable[str] = itertools.cycle(reply.pieces) if reply.endless else reply.pieces
        for number, piece in enumerate(pieces):
            self._fault_at(number, reply)
            if number:
                self.scripted.pause(reply.interval_s, self.connection)
            self._event({**head, "choices": [_delta({"content": piece})], **nothing})
        self._fault_at(len(reply.pieces), reply)
        if reply.end:
            self._event({**head, "choices": [_delta({}, reply.finish_reason)], **nothing})
            if wants_usage and reply.usage is not None:
                self._event({**head, "choices": [], "usage": _usage(reply, body)})
            self._chunk(b"data: [DONE]\n\n")
        self._chunk(b"")

    def _endless(self, reply: Reply) -> None:
        """A completion whose content never ends."""
        self.send_response(200)
        for name, value in {"Content-Type": "application/json", "Transfer-Encoding": "chunked"}.items():
            self.send_header(name, value)
        self.end_headers()
        self._chunk(b'{"choices": [{"message": {"role": "assistant", "content": "')
        for piece in itertools.cycle(reply.pieces):
            self.scripted.pause(reply.interval_s, self.connection)
            self._chunk(json.dumps(piece)[1:-1].encode())

    def _fault_at(self, number: int, reply: Reply) -> None:
        if reply.drop_after == number:
            self.close_connection = True
            raise ConnectionAbortedError
        if reply.stall_after == number:
            self.scripted.pause(_FOREVER_S, self.connection)

    def _event(self, data: Mapping[str, Any]) -> None:
        self._chunk(b"data: " + json.dumps(data).encode() + b"\n\n")

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    def _embeddings(self, body: dict[str, Any]) -> None:
        self._wait()
        texts = [body["input"]] if isinstance(body.get("input"), str) else body.get("input")
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            return self._error(400, "input must be a string or a list of strings")
        scripted = self.scripted.vectors_for(body)
        if isinstance(scripted, Reply):
            return self._fault(scripted)
        dimension = body.get("dimensions") or self.scripted.dimension
        vectors = [unit_vector(text, dimension) for text in texts] if scripted is None else scripted
        if body.get("encoding_format") == "base64":  # what the official client asks for
            shown: list[Any] = [base64.b64encode(struct.pack(f"<{len(v)}f", *v)).decode() for v in vectors]
        else:
            shown = [list(vector) for vector in vectors]
        data = [{"object": "embedding", "index": n, "embedding": vector} for n, vector in enumerate(shown)]
        tokens = sum(len(text.split()) for text in texts)
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        self._json(200, {"object": "list", "data": data, "model": body.get("model", ""), "usage": usage})

    def _fault(self, reply: Reply) -> None:
        """What is scripted in place of vectors."""
        self.scripted.pause(reply.delay_s, self.connection)
        if reply.drop_connection:
            self.close_connection = True
        elif reply.body is not None:
            self._send(reply.status, reply.body, {"Content-Type": "application/json", **_extra_headers(reply)})
        else:
            status = reply.status if reply.status >= 300 else 500
            self._error(status, reply.text or f"scripted status {status}", _extra_headers(reply))

    def _error(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        kind = "server_error" if status >= 500 else "invalid_request_error"
        error = {"message": message, "type": kind, "param": None, "code": None}
        self._json(status, {"error": error}, headers)

    def _json(self, status: int, data: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> None:
        self._send(status, json.dumps(data).encode(), {"Content-Type": "application/json", **(headers or {})})

    def _send(self, status: int, content: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


def unit_vector(text: str, dimension: int) -> list[float]:
    """`dimension` numbers with an Euclidean length of 1 that depend on the text alone."""
    blocks = -(-dimension * 4 // 32)
    seed = b"".join(hashlib.sha256(f"{n}\0{text}".encode()).digest() for n in range(blocks))
    numbers = [value / 2**31 - 1 for value in struct.unpack(f"<{dimension}I", seed[: dimension * 4])]
    length = math.sqrt(sum(number * number for number in numbers)) or 1.0
    return [number / length for number in numbers]


def _extra_headers(reply: Reply) -> dict[str, str]:
    headers = dict(reply.headers)
    if reply.retry_after is not None:
        headers["Retry-After"] = str(reply.retry_after)
    return headers


def _head(kind: str, body: Mapping[str, Any]) -> dict[str, Any]:
    name = hashlib.sha256(json.dumps(body, sort_keys=True, default=str).encode()).hexdigest()[:24]
    return {"id": f"chatcmpl-{name}", "object": kind, "created": int(time.time()), "model": body.get("model", "")}


def _delta(delta: Mapping[str, Any], finish_reason: str | None = None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}


def _completion(reply: Reply, body: Mapping[str, Any]) -> dict[str, Any]:
    message = {"role": "assistant", "content": reply.whole_text, "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": reply.finish_reason}
    usage = {} if reply.usage is None else {"usage": _usage(reply, body)}
    return {**_head("chat.completion", body), "choices": [choice], **usage}


def _usage(reply: Reply, body: Mapping[str, Any]) -> dict[str, int]:
    if isinstance(reply.usage, tuple):
        used, made = reply.usage
    else:
        messages = [m for m in body.get("messages", []) if isinstance(m, dict)]
        used, made = sum(len(str(m.get("content", "")).split()) for m in messages), len(reply.whole_text.split())
    return {"prompt_tokens": used, "completion_tokens": made, "total_tokens": used + made}
