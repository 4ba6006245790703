"""One streamed chat completion, read on a background event loop so that it can be ended at any moment.

A blocking read cannot be interrupted: a server that sends one byte a second outlives every socket timeout.
Reading in a coroutine makes the time limit exact, and closes the connection as soon as the caller gives up.
"""

from __future__ import annotations

import asyncio
import functools
import os
import ssl
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from genaiops.generation.openai_errors import BrokenReply, Endpoint, model_error

if TYPE_CHECKING:
    import httpx2
    import openai

_BYTES_PER_CHARACTER = 400  # an event of one character carries this much JSON around it
_SPARE_BYTES = 1_000_000  # error pages, comments, usage
_LOOP_LOCK = threading.Lock()


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds for one attempt in all, and characters of one answer."""

    total_s: float
    characters: int


@dataclass(frozen=True, slots=True)
class End:
    """How a stream ended. `usage` is (input, output) tokens, None where the endpoint reported none."""

    finish_reason: str
    usage: tuple[int, int] | None
    refused: bool


def make_client(at: Endpoint, base_url: str, limits: Limits, *, is_local: bool) -> openai.AsyncOpenAI:
    """A client that never retries, never follows a redirect, and reads no more than the limits allow."""
    import httpx2
    import openai

    max_bytes = _SPARE_BYTES + _BYTES_PER_CHARACTER * limits.characters

    async def keep_secrets(request: httpx2.Request) -> None:
        # The client also sends what OPENAI_… variables say; that is for OpenAI alone.
        unwanted = [] if at.is_openai else ["OpenAI-Organization", "OpenAI-Project"]
        for header in unwanted if at.key else [*unwanted, "Authorization"]:
            request.headers.pop(header, None)

    async def cap(response: httpx2.Response) -> None:
        if response.headers.get("content-encoding", "identity") != "identity":
            raise BrokenReply("sent a compressed answer nobody asked for")
        response.stream = _capped_stream(response.stream, max_bytes)

    http = httpx2.AsyncClient(
        timeout=httpx2.Timeout(at.silence_s, connect=at.connect_s, pool=at.connect_s),
        limits=httpx2.Limits(max_connections=256, max_keepalive_connections=32, keepalive_expiry=30),
        follow_redirects=False,
        # Where no TLS is spoken, the certificates of this machine need not be read: an empty context trusts nobody.
        verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if base_url.startswith("http://") else True,
        trust_env=not is_local,  # a proxy of the environment has no business on loopback
        event_hooks={"request": [keep_secrets], "response": [cap]},
    )
    return openai.AsyncOpenAI(
        api_key=at.key or "none",
        base_url=base_url,
        max_retries=0,
        http_client=http,
        default_headers={"Accept-Encoding": "identity"},
    )


def _capped_stream(inner: Any, max_bytes: int) -> Any:
    import httpx2

    class Capped(httpx2.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            seen = 0
            async for data in inner:
                seen += len(data)
                if seen > max_bytes:
                    raise BrokenReply(f"sent more than {max_bytes:,} bytes for one answer")
                yield data

        async def aclose(self) -> None:
            await inner.aclose()

    return Capped()


def read_stream(
    client: openai.AsyncOpenAI, body: Mapping[str, Any], at: Endpoint, limits: Limits, on_piece: Callable[[str], None]
) -> End:
    """Ask once and pass on each piece as it comes, in the calling thread; ModelError for every failure.

    An exception out of `on_piece` closes the connection and propagates.
    """
    events: SimpleQueue[str | End | Exception] = SimpleQueue()
    task = asyncio.run_coroutine_threadsafe(_pump(client, body, at, limits, events.put), background_loop(os.getpid()))
    try:
        while True:
            event = events.get()
            if isinstance(event, End):
                return event
            if isinstance(event, Exception):
                raise event
            on_piece(event)
    finally:
        task.cancel()


async def _pump(
    client: openai.AsyncOpenAI,
    body: Mapping[str, Any],
    at: Endpoint,
    limits: Limits,
    put: Callable[[str | End | Exception], None],
) -> None:
    try:
        async with asyncio.timeout(limits.total_s):
            put(await _read(client, body, limits, put))
    except TimeoutError:
        put(at.timeout(f"{at.url} took longer than {limits.total_s:.3g} s"))
    except Exception as error:
        put(model_error(error, at))


async def _read(client: openai.AsyncOpenAI, body: Mapping[str, Any], limits: Limits, put: Callable[[str], None]) -> End:
    characters, reason, usage, refused = 0, "", None, False
    create: Any = client.chat.completions.create
    async with await create(**body, stream=True, stream_options={"include_usage": True}) as stream:
        async for chunk in stream:
            usage = _usage(chunk) or usage
            piece, is_refusal, ended = _piece(chunk)
            reason = ended or reason
            refused = refused or is_refusal
            characters += len(piece)
            if characters > limits.characters:
                raise BrokenReply(f"sent more than {limits.characters:,} characters for one answer")
            if piece:
                put(piece)
        kind = stream.response.headers.get("content-type", "")
    if characters and not reason:
        raise BrokenReply("ended the stream before the answer was complete", remedy="read the endpoint's log")
    if not characters:
        raise _empty(reason, kind)
    return End(reason, usage, refused)


def _empty(reason: str, kind: str) -> BrokenReply:
    if reason == "length":
        remedy = "raise the prompt's maxOutputTokens, and max_output_tokens in models.yaml if it is in the way"
        return BrokenReply("spent every token it may make before the first word", remedy=remedy)
    if reason == "content_filter":
        return BrokenReply("withheld the answer: its content filter stopped it", remedy="look at what the prompt sends")
    if not reason and not kind.startswith("text/event-stream"):
        kind = kind.partition(";")[0][:60] or "no content type"
        return BrokenReply(f"answered {kind} where a stream of events was asked for")
    return BrokenReply("answered without a single word")


def _piece(chunk: Any) -> tuple[str, bool, str]:
    """Text, whether it is a refusal, and the finish reason ("" while it goes on) of one chunk."""
    choices = getattr(chunk, "choices", None)
    if choices is None or choices == []:
        if choices is None and getattr(chunk, "usage", None) is None:
            raise BrokenReply("sent events that are not chat completion chunks")
        return "", False, ""
    delta = getattr(choices[0], "delta", None) if isinstance(choices, list) else None
    if delta is None:
        raise BrokenReply("sent events that are not chat completion chunks")
    content, refusal = getattr(delta, "content", None), getattr(delta, "refusal", None)
    reason = getattr(choices[0], "finish_reason", None)
    if not all(value is None or isinstance(value, str) for value in (content, refusal, reason)):
        raise BrokenReply("sent a chunk whose content is not text")
    return content or refusal or "", bool(refusal), reason or ""


def _usage(chunk: Any) -> tuple[int, int] | None:
    usage = getattr(chunk, "usage", None)
    return counted(getattr(usage, "prompt_tokens", None), getattr(usage, "completion_tokens", None))


def counted(used: object, made: object) -> tuple[int, int] | None:
    """(input, output) tokens as an endpoint reports them; None where it reports none, or nonsense."""
    if isinstance(used, int) and isinstance(made, int) and used >= 0 and made >= 0:
        return used, made
    return None


def background_loop(process: int) -> asyncio.AbstractEventLoop:
    """The event loop of this process that reads models; a forked child gets its own."""
    with _LOOP_LOCK:
        return _start_loop(process)


@functools.cache
def _start_loop(process: int) -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="genaiops-models", daemon=True).start()
    return loop
