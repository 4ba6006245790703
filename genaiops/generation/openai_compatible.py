"""Answers from any endpoint that speaks the OpenAI API."""

from __future__ import annotations

import asyncio
import datetime as dt
import math
import os
import time
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from genaiops.endpoints import is_loopback, tries, without_credentials
from genaiops.errors import ConfigurationError
from genaiops.generation.citations import cite_markers
from genaiops.generation.openai_errors import Endpoint
from genaiops.generation.openai_stream import End, Limits, background_loop, make_client, read_stream
from genaiops.generation.protocol import Emit, Generation, GenerationRequest, discard
from genaiops.generation.refusal import is_refusal
from genaiops.records import Message, Usage

if TYPE_CHECKING:
    import openai

    from genaiops.generation.catalog import ModelCard

OPENAI_URL = "https://api.openai.com/v1"
_MAX_WAIT_S = 8.0  # between two attempts, unless the endpoint names its own wait
_MAX_TEMPERATURE = 2.0
_CHARACTERS_PER_TOKEN = 32  # generous: the cap is there for streams that never end
_MIN_CHARACTERS = 10_000
_BYTES_PER_TOKEN = 4


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to bear with an endpoint, in seconds; None takes what the docstring says from the model's card.

    One attempt takes `card.timeout_s` at most, with at most `connect_s` to connect; an endpoint that falls
    silent for `silence_s` (`timeout_s`) is given up. All `attempts` and the waits between them, the first
    about `first_wait_s`, take `total_s` (twice `timeout_s`) at most. A text of more than `max_characters`
    (32 for each token the card allows, at least 10,000) is cut off as endless.
    """

    attempts: int = 3
    connect_s: float = 5.0
    silence_s: float | None = None
    total_s: float | None = None
    first_wait_s: float = 0.5
    max_characters: int | None = None


class OpenAICompatible:
    """Generator over `POST {base_url}/chat/completions`, always streamed.

    Only 429, 5xx, broken connections and timeouts are tried again, after the endpoint's `Retry-After` where
    that fits into the time left, and never once a piece was emitted: no listener hears the same words twice.

    A key is read from the variable `card.api_key_env`. A loopback endpoint needs none, and gets one only
    when its card names the variable. Raises ConfigurationError for a model that has retired, a missing
    key, or a base_url that is not http(s).
    """

    def __init__(self, card: ModelCard, *, name: str = "", patience: Patience = Patience()) -> None:
        self._card = card
        self._name = name or card.model
        if not self._name:
            raise ConfigurationError("a model needs a name", remedy="set model in models.yaml")
        _refuse_retired(card, self._name)
        self._url = card.base_url or OPENAI_URL
        self._is_local = _is_loopback(self._url, self._name)
        self._patience = patience
        self._total_s = patience.total_s or 2 * card.timeout_s
        self._max_characters = patience.max_characters or max(
            _MIN_CHARACTERS, _CHARACTERS_PER_TOKEN * card.max_output_tokens
        )
        self._clients: dict[int, openai.AsyncOpenAI] = {}
        self._endpoint = Endpoint(
            name=self._name,
            model=card.model or self._name,
            url=without_credentials(self._url),
            key_variable=card.api_key_env,
            key=_api_key(card, self._name, is_local=self._is_local),
            connect_s=min(patience.connect_s, card.timeout_s),
            silence_s=patience.silence_s or card.timeout_s,
            is_openai=not card.base_url,
        )

    @property
    def model(self) -> str:
        """Its name in models.yaml."""
        return self._name

    @property
    def key(self) -> str:
        """The API key it sends, "" when it sends none: only for a library that must call the same endpoint itself."""
        return self._endpoint.key

    def __repr__(self) -> str:
        return f"OpenAICompatible(model={self._name!r}, base_url={self._endpoint.url!r})"

    def generate(self, request: GenerationRequest, emit: Emit = discard) -> Generation:
        """The endpoint's answer. Raises ModelError, or ConfigurationError for options that cannot be sent."""
        body = self._body(request)
        deadline = time.monotonic() + self._total_s
        pieces: list[str] = []

        def listen(piece: str) -> None:
            pieces.append(piece)
            emit(piece)

        for attempt in tries(
            self._total_s,
            attempts=self._patience.attempts,
            first_wait_s=self._patience.first_wait_s,
            max_wait_s=_MAX_WAIT_S,
            given_up=lambda: pieces and emit is not discard,  # somebody has heard the beginning
        ):
            with attempt:
                pieces.clear()
                limits = Limits(min(self._card.timeout_s, deadline - time.monotonic()), self._max_characters)
                end = read_stream(self._client(), body, self._endpoint, limits, listen)
        return self._generation(request, "".join(pieces), end)

    async def complete(
        self, request: GenerationRequest, *, extra: Mapping[str, Any] | None = None, limit_s: float | None = None
    ) -> Generation:
        """The whole answer in one piece, asked for once: whoever asks decides what is tried again.

        `extra` joins the request's body (`response_format`); `limit_s` shortens the card's `timeout_s`. To be awaited
        on `openai_stream.background_loop`. Raises as `generate` does.
        """
        from genaiops.generation.openai_whole import read_whole

        body = self._body(request) | dict(extra or {})
        seconds = self._card.timeout_s if limit_s is None else min(limit_s, self._card.timeout_s)
        text, end = await read_whole(self._client(), body, self._endpoint, Limits(seconds, self._max_characters))
        return self._generation(request, text, end)

    def _generation(self, request: GenerationRequest, text: str, end: End) -> Generation:
        usage = Usage(*end.usage) if end.usage else _estimated_usage(request.messages, text)
        refused = end.refused or is_refusal(text)
        citations = () if refused else cite_markers(text, request.hits)
        return Generation(text, refused, citations, usage, self._name, end.finish_reason)

    def _client(self) -> openai.AsyncOpenAI:
        """The client of this process: connections don't survive a fork."""
        process = os.getpid()
        if process not in self._clients:
            limits = Limits(self._card.timeout_s, self._max_characters)
            client = make_client(self._endpoint, self._url, limits, is_local=self._is_local)
            if self._clients.setdefault(process, client) is client:
                weakref.finalize(self, _close, client, process).atexit = False
        return self._clients[process]

    def _body(self, request: GenerationRequest) -> dict[str, Any]:
        options = request.options
        # OpenAI's own models refuse max_tokens, most other endpoints know nothing else.
        limit = "max_tokens" if self._card.base_url else "max_completion_tokens"
        body: dict[str, Any] = {
            "model": self._endpoint.model,
            "messages": [{"role": message.role, "content": message.content} for message in request.messages],
            limit: self._card.max_output_tokens,
        }
        if (most := _number(options, "maxOutputTokens", int)) is not None:
            if not 1 <= most <= self._card.max_output_tokens:
                raise ConfigurationError(
                    f"maxOutputTokens must be 1 to {self._card.max_output_tokens}, got {most}",
                    where=f"model {self._name}",
                    remedy="change the prompt's option, or max_output_tokens in models.yaml",
                )
            body[limit] = most
        if (temperature := _number(options, "temperature", float)) is not None:
            if not 0 <= temperature <= _MAX_TEMPERATURE:
                raise ConfigurationError(f"temperature must be 0 to 2, got {temperature:g}", where="prompt options")
            body["temperature"] = temperature
        if (seed := _number(options, "seed", int)) is not None:
            body["seed"] = seed
        return body


def _number(options: Mapping[str, Any], name: str, kind: type[int] | type[float]) -> Any:
    value = options.get(name)
    allowed = (int,) if kind is int else (int, float)
    if value is not None and (isinstance(value, bool) or not isinstance(value, allowed) or not math.isfinite(value)):
        wanted = "a whole number" if kind is int else "a number"
        raise ConfigurationError(f"{name} must be {wanted}, got {value!r}", where="prompt options")
    return value


def _estimated_usage(messages: tuple[Message, ...], text: str) -> Usage:
    """bytes / 4, rounded up, for endpoints that count nothing."""
    used = sum(len(message.content.encode()) for message in messages)
    made = len(text.encode())
    return Usage(math.ceil(used / _BYTES_PER_TOKEN), math.ceil(made / _BYTES_PER_TOKEN), estimated=True)


def _refuse_retired(card: ModelCard, name: str) -> None:
    if not card.retires_on:
        return
    try:
        retires = dt.date.fromisoformat(card.retires_on)
    except ValueError:
        raise ConfigurationError(
            f"retires_on of model {name!r} must be a date like 2027-04-01, got {card.retires_on!r}",
            where="models.yaml",
        ) from None
    if retires < dt.datetime.now(dt.UTC).date():
        raise ConfigurationError(
            f"model {name!r} retired on {retires}",
            where="models.yaml",
            remedy="choose another model, evaluate the flow with it, and release that",
        )


def _api_key(card: ModelCard, name: str, *, is_local: bool) -> str:
    if is_local and "api_key_env" not in card.model_fields_set:
        return ""  # the user's OpenAI key is not for whatever listens on this machine
    key = os.environ.get(card.api_key_env, "").strip()
    if not key and not is_local:
        raise ConfigurationError(
            f"model {name!r} needs an API key and the environment variable {card.api_key_env} is not set",
            where="models.yaml",
            remedy=f"export {card.api_key_env}=…, or name another variable as api_key_env",
        )
    return key


def _is_loopback(url: str, name: str) -> bool:
    """True for an address on this machine; ConfigurationError for what is no http(s) address."""
    try:
        return is_loopback(url)
    except ValueError:
        raise ConfigurationError(
            f"base_url of model {name!r} must be an http:// or https:// address, got {without_credentials(url)!r}",
            where="models.yaml",
        ) from None


def _close(client: openai.AsyncOpenAI, process: int) -> None:
    """Give back the connections of a generator that nobody holds any more."""
    if process == os.getpid():
        asyncio.run_coroutine_threadsafe(client.close(), background_loop(process))
