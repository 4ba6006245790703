"""Calls of a judging model: how many at once, what is tried again, what it took, when to stop asking altogether."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from genaiops.endpoints import tries
from genaiops.errors import ModelError
from genaiops.evaluation.llm_judges.budget import Budget, Exhausted, Took
from genaiops.evaluation.llm_judges.limiter import Limiter
from genaiops.evaluation.llm_judges.reply import InvalidReply
from genaiops.generation import Generation, GenerationRequest
from genaiops.generation.catalog import JudgeSettings, ModelCard
from genaiops.generation.openai_compatible import OpenAICompatible, Patience
from genaiops.records import Message, Query, canonical_json

T = TypeVar("T")
Format = Mapping[str, Any]  # what joins a request's body
PATIENCE = Patience(attempts=5)
_MAX_WAIT_S = 20.0  # between two attempts, unless the endpoint names its own wait
_GIVE_UP = 5  # cases in a row that an endpoint failed on, each tried several times
_NO_USE = (401, 402, 403, 404)  # what these say of one case holds for all
_TOO_MANY = 429
_OVERLOADED = (_TOO_MANY, 503, 529)
_NOT_UNDERSTOOD = (400, 415, 422, 501)  # how endpoints refuse a response_format they do not know
_BYTES_PER_TOKEN, _FEWEST_BYTES_PER_TOKEN = 4, 2  # usual, and at its worst


class Unjudged(Exception):
    """There is no judgement; the text says why, in words that go into an Unscored."""


@dataclass(frozen=True, slots=True)
class Asked(Generic[T]):
    """One call: the messages, and what makes a result of the reply and the seconds it took (or raises InvalidReply)."""

    messages: tuple[Message, ...]
    read: Callable[[Generation, float], T]


@dataclass(frozen=True, slots=True)
class Formats:
    """Ways to ask for one kind of reply, the strictest promise of an endpoint first; `bytes` of that one."""

    options: tuple[Format, ...]
    bytes: int


class Caller:
    """Asks one model, in the coroutines of the background event loop.

    `stopped` says why nothing more is asked: the endpoint refuses everything, or failed on many cases in a row.
    """

    def __init__(
        self, model: OpenAICompatible, card: ModelCard, settings: JudgeSettings, *, patience: Patience = PATIENCE
    ) -> None:
        self._model, self._card, self._settings, self._patience = model, card, settings, patience
        self._total_s = patience.total_s or 4 * card.timeout_s
        self.limiter = Limiter(settings.concurrency)
        self.budget = Budget(settings, card, name=model.model)
        self._format, self._format_works = 0, False
        self._failed_in_a_row = 0
        self.stopped = ""
        self.calls = 0

    @property
    def key(self) -> str:
        """The API key, for libraries that make calls of their own; "" where the endpoint gets none."""
        return self._model.key

    async def result(self, prepare: Callable[[], Asked[T]], formats: Formats) -> T:
        """What comes of one call whose reply comes in one of `formats` (made by formats_of).

        `prepare` makes each attempt anew.

        Raises Unjudged when the endpoint fails, a bound is reached, or the reply is none.
        """
        await self.limiter.start()
        try:
            if self.stopped:
                raise Unjudged(self.stopped)
            result = await self._tried(prepare, formats)
            self._failed_in_a_row = 0
            return result
        except (InvalidReply, Exhausted) as error:
            raise Unjudged(str(error)) from None
        except ModelError as error:
            raise Unjudged(self._noted(error)) from None
        finally:
            self.limiter.end()

    def _noted(self, error: ModelError) -> str:
        reason = f"the judge failed: {error.where}: {error.what}"
        if error.status in _NO_USE or (error.status == _TOO_MANY and not error.retryable):
            self.stopped = f"not asked, since for another case {reason}"
        elif error.retryable:
            self._failed_in_a_row += 1
            if self._failed_in_a_row >= _GIVE_UP:
                self.stopped = f"not asked, since {_GIVE_UP} cases failed in a row; at last {reason}"
        return reason

    async def _tried(self, prepare: Callable[[], Asked[T]], formats: Formats) -> T:
        async for attempt in tries(
            self._total_s,
            attempts=self._patience.attempts,
            first_wait_s=self._patience.first_wait_s,
            max_wait_s=_MAX_WAIT_S,
            given_up=lambda: self.stopped,
        ):
            with attempt:
                return await self._attempt(prepare(), formats)
        raise AssertionError("an attempt returns or raises")

    async def _attempt(self, asked: Asked[T], formats: Formats) -> T:
        await self._held_back()
        worst = worst_case(asked.messages, formats, self._settings.max_output_tokens)
        await self.budget.reserve(worst)
        asked_at, took = time.monotonic(), worst  # a call that breaks off may be billed all the same
        try:
            made = await self._completed(asked.messages, formats)
            took = Took(made.usage.input_tokens, made.usage.output_tokens)
        except ModelError as error:
            if error.status is not None:  # refused, so nothing was made
                took = Took()
            if error.status in _OVERLOADED:
                self.limiter.overloaded(asked_at, error.retry_after_s)
            raise
        finally:
            self.budget.settle(worst, took)
        self.limiter.succeeded()
        if made.finish_reason == "length":
            most = self._settings.max_output_tokens
            raise InvalidReply(f"the reply did not fit into {most:,} tokens (evaluation.judge.max_output_tokens)")
        return asked.read(made, time.monotonic() - asked_at)

    async def _held_back(self) -> None:
        wait = self.limiter.held_back_s()
        if wait > self._total_s:
            what = f"the endpoint answered 429 and wants to be left alone for {wait:.0f} s"
            raise ModelError(what, where=f"model {self._model.model}", status=_TOO_MANY)
        if wait:
            await asyncio.sleep(wait)

    async def _completed(self, messages: tuple[Message, ...], formats: Formats) -> Generation:
        """The model's reply, asked for in the strictest format that the endpoint understands."""
        refusal: ModelError | None = None
        if len(formats.options) == 1:
            return await self._complete(messages, formats.options[0])
        for number in range(self._format, len(formats.options)):
            try:
                made = await self._complete(messages, formats.options[number])
            except ModelError as error:
                if error.status not in _NOT_UNDERSTOOD or self._format_works:
                    raise refusal or error from None
                refusal = refusal or error
                continue
            self._format, self._format_works = max(number, self._format), True
            return made
        raise refusal or AssertionError("there is a format")

    async def _complete(self, messages: tuple[Message, ...], response_format: Format) -> Generation:
        self.calls += 1
        options: dict[str, Any] = {}
        if (temperature := temperature_of(self._settings)) is not None:
            options["temperature"] = temperature
        request = GenerationRequest(Query(""), (), messages, options)
        limit_s = self.budget.seconds_left()
        return await self._model.complete(request, extra=response_format, limit_s=limit_s)


def temperature_of(settings: JudgeSettings) -> float | None:
    """What is sent as `temperature`; None: nothing. Several votes at 0 would be one vote several times."""
    if settings.temperature == "none":
        return None
    if settings.temperature == "auto":
        return 0.0 if settings.votes == 1 else 0.7
    return settings.temperature


def formats_of(schema: Mapping[str, Any] | None) -> Formats:
    """How a reply that follows a JSON schema (None: any text) may be asked for."""
    if schema is None:
        return Formats(({},), 0)
    wanted = {"name": "verdict", "strict": True, "schema": schema}
    options: tuple[Format, ...] = (
        {"response_format": {"type": "json_schema", "json_schema": wanted}},
        {"response_format": {"type": "json_object"}},
        {},
    )
    return Formats(options, len(canonical_json(options[0])))


def usual_tokens(messages: Sequence[Message], formats: Formats) -> int:
    """Input tokens of a call, schema included, at 4 bytes a token."""
    return math.ceil(_bytes(messages, formats) / _BYTES_PER_TOKEN)


def worst_case(messages: Sequence[Message], formats: Formats, max_output_tokens: int) -> Took:
    return Took(math.ceil(_bytes(messages, formats) / _FEWEST_BYTES_PER_TOKEN), max_output_tokens)


def _bytes(messages: Sequence[Message], formats: Formats) -> int:
    return formats.bytes + sum(len(message.content.encode("utf-8", "surrogatepass")) for message in messages)
