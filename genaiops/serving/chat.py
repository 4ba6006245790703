"""One chat completion: read, started, heard to its end or to the moment its client leaves."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterable, Mapping
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from genaiops.errors import GenaiopsError
from genaiops.records import Answer
from genaiops.serving.api_errors import ApiError, busy, failed
from genaiops.serving.generations import Generation, ListenerLeft
from genaiops.serving.openai_forms import Completion

_log = logging.getLogger(__name__)
_FLOOD = 8  # times the largest body
_LONGEST_NUMBER = 20  # digits
_HANG_UP = {"Connection": "close"}


async def read_body(request: Request, *, max_bytes: int, within_s: float) -> bytes:
    """The JSON body; ApiError 408, 413 or 415. Never more than `max_bytes` are kept."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        # A browser sends other types without asking first; this keeps foreign pages out.
        raise ApiError(415, "the body must have Content-Type: application/json", code="unsupported_media_type")
    length = request.headers.get("content-length", "")
    seen = int(length) if length.isdecimal() and len(length) < _LONGEST_NUMBER else 0
    body = bytearray()
    try:
        async with asyncio.timeout(within_s):
            # A little too much is read to its end and dropped, so that the client gets to see the answer;
            # a flood is cut off.
            if seen <= _FLOOD * max_bytes:
                seen = 0
                async for data in request.stream():
                    seen += len(data)
                    if seen <= max_bytes:
                        body += data
                    elif seen > _FLOOD * max_bytes:
                        break
    except TimeoutError:
        message = f"the body did not arrive within {within_s:g} s"
        raise ApiError(408, message, code="request_timeout", headers=_HANG_UP) from None
    if seen > max_bytes:
        headers = _HANG_UP if seen > _FLOOD * max_bytes else {}
        message = f"the body is larger than {max_bytes:,} bytes"
        raise ApiError(413, message, code="request_too_large", headers=headers)
    return bytes(body)


class Listener:
    """Hears one generation on behalf of one client, and gives it up when the client leaves."""

    def __init__(self, request: Request, generation: Generation, *, model_id: str, completion: Completion) -> None:
        self._generation, self._model_id = generation, model_id
        self._request_id: str = request.state.request_id
        self.completion = completion
        self._watch = asyncio.create_task(self._until_gone(request))
        self._heard: list[str] = []

    async def _until_gone(self, request: Request) -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        self._generation.leave()

    async def next_event(self) -> str | Answer:
        """A piece, or the Answer that ends it. ApiError when it failed, ListenerLeft when nobody listens."""
        try:
            event = await self._generation.next_event()
        except asyncio.CancelledError:
            # The service is stopping and the grace time is over.
            _log.warning("request %s was cut off: the service stopped", self._request_id)
            raise busy("the service is stopping") from None
        if isinstance(event, str):
            self._heard.append(event)
        if isinstance(event, (str, Answer)):
            return event
        if isinstance(event, ListenerLeft):
            raise event
        trace = None if isinstance(event, GenaiopsError) else event
        _log.error("request %s to %s failed: %s", self._request_id, self._model_id, event, exc_info=trace)
        raise failed(event, self._model_id) from event

    def unheard(self, answer: Answer) -> str:
        """What of the answer's text was never emitted; a generation need not emit."""
        heard = "".join(self._heard)
        if not answer.text.startswith(heard):
            _log.warning("request %s: the pieces emitted are not the answer's text", self._request_id)
            return ""
        return answer.text[len(heard) :]

    def close(self) -> None:
        self._watch.cancel()
        self._generation.leave()


async def whole_answer(listener: Listener) -> Answer:
    """Wait for the Answer, whatever is emitted on the way."""
    try:
        while not isinstance(event := await listener.next_event(), Answer):
            pass
        return event
    finally:
        listener.close()


class AnswerStream(Response):
    """Server-sent events of one answer. `first` was awaited before, so that an early failure has its status."""

    def __init__(self, listener: Listener, first: str | Answer, headers: Mapping[str, str]) -> None:
        self._listener, self._first = listener, first
        super().__init__(headers={**headers, "Cache-Control": "no-cache", "X-Accel-Buffering": "no"})
        self.raw_headers = [pair for pair in self.raw_headers if pair[0] != b"content-length"]
        self.raw_headers.append((b"content-type", b"text/event-stream; charset=utf-8"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        completion = self._listener.completion

        async def events(*datas: Mapping[str, Any], done: bool = False) -> None:
            await send({"type": "http.response.body", "body": _framed(datas, done=done), "more_body": not done})

        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            await events(completion.opening())
            event = self._first
            while not isinstance(event, Answer):
                await events(completion.piece(event))
                event = await self._listener.next_event()
            if rest := self._listener.unheard(event):
                await events(completion.piece(rest))
            await events(*completion.closing(event), done=True)
        except (ListenerLeft, ClientDisconnect, OSError):
            return
        except ApiError as error:
            # Too late for a status. No [DONE] follows, so nobody takes the part for the whole.
            await send({"type": "http.response.body", "body": _framed([error.body]), "more_body": False})
        finally:
            self._listener.close()


def as_body(data: Mapping[str, Any]) -> bytes:
    """JSON in ASCII: any character a model may produce survives, half surrogates included."""
    return json.dumps(data, allow_nan=False, separators=(",", ":")).encode("ascii")


def _framed(datas: Iterable[Mapping[str, Any]], *, done: bool = False) -> bytes:
    return b"".join(b"data: " + as_body(data) + b"\n\n" for data in datas) + (b"data: [DONE]\n\n" if done else b"")
