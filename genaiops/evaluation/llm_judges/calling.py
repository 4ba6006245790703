"""One verdict asked for: the call, what is tried again, what it took, and when to stop asking altogether."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Mapping
from typing import Any

from genaiops.endpoints import tries
from genaiops.errors import ModelError
from genaiops.evaluation.llm_judges.budget import Budget, Exhausted, Took
from genaiops.evaluation.llm_judges.judgement import Judgement, judgement_of
from genaiops.evaluation.llm_judges.limiter import Limiter
from genaiops.evaluation.llm_judges.prompt import SCHEMA, Material, messages_of
from genaiops.evaluation.llm_judges.reply import InvalidReply, read_reply
from genaiops.generation import Generation, GenerationRequest
from genaiops.generation.catalog import JudgeSettings, ModelCard
from genaiops.generation.openai_compatible import OpenAICompatible, Patience
from genaiops.records import Message, Query, canonical_json

PATIENCE = Patience(attempts=5)
_MAX_WAIT_S = 20.0  # between two attempts, unless the endpoint names its own wait
_GIVE_UP = 5  # cases in a row that an endpoint failed on, each tried several times
_NO_USE = (401, 402, 403, 404)  # what these say of one case holds for all
_TOO_MANY = 429
_NOT_UNDERSTOOD = (400, 415, 422, 501)  # how endpoints refuse a response_format they do not know
_BYTES_PER_TOKEN, _FEWEST_BYTES_PER_TOKEN = 4, 2  # usual, and at its worst

# From the strictest promise an endpoint can make about its reply to none at all.
FORMATS: tuple[Mapping[str, Any], ...] = (
    {"response_format": {"type": "json_schema", "json_schema": {"name": "verdict", "strict": True, "schema": SCHEMA}}},
    {"response_format": {"type": "json_object"}},
    {},
)
_SCHEMA_BYTES = len(canonical_json(SCHEMA))


class Caller:
    """Asks one model for verdicts. All its methods are for the background event loop.

    `stopped` says why nothing more is asked: the endpoint refuses everything, or failed on many cases in a row.
    """

    def __init__(
        self, model: OpenAICompatible, card: ModelCard, settings: JudgeSettings, *, patience: Patience = PATIENCE
    ) -> None:
        self._model, self._card, self._settings, self._patience = model, card, settings, patience
        self._total_s = patience.total_s or 4 * card.timeout_s
        self._limiter = Limiter(settings.concurrency)
        self.budget = Budget(settings, card, name=model.model)
        self._format, self._format_works = 0, False
        self._failed_in_a_row = 0
        self.stopped = ""
        self.calls = 0

    async def verdict(self, material: Material) -> Judgement | str:
        """A judgement, or why there is none."""
        await self._limiter.start()
        try:
            if self.stopped:
                return self.stopped
            judgement = await self._tried(material)
            self._failed_in_a_row = 0
            return judgement
        except (InvalidReply, Exhausted) as error:
            return str(error)
        except ModelError as error:
            return self._noted(error)
        finally:
            self._limiter.end()

    def _noted(self, error: ModelError) -> str:
        reason = f"the judge failed: {error.where}: {error.what}"
        if error.status in _NO_USE or (error.status == _TOO_MANY and not error.retryable):
            self.stopped = f"not asked, since for another case {reason}"
        elif error.retryable:
            self._failed_in_a_row += 1
            if self._failed_in_a_row >= _GIVE_UP:
                self.stopped = f"not asked, since {_GIVE_UP} cases failed in a row; at last {reason}"
        return reason

    async def _tried(self, material: Material) -> Judgement:
        async for attempt in tries(
            self._total_s,
            attempts=self._patience.attempts,
            first_wait_s=self._patience.first_wait_s,
            max_wait_s=_MAX_WAIT_S,
            given_up=lambda: self.stopped,
        ):
            with attempt:
                return await self._asked(material)
        raise AssertionError("an attempt returns or raises")

    async def _asked(self, material: Material) -> Judgement:
        await self._held_back()
        token, messages = messages_of(material)
        worst = worst_case(messages, self._settings.max_output_tokens)
        await self.budget.reserve(worst)
        asked_at, took = time.monotonic(), worst  # a call that breaks off may be billed all the same
        try:
            made = await self._completed(messages)
            took = Took(made.usage.input_tokens, made.usage.output_tokens)
        except ModelError as error:
            if error.status is not None:  # refused, so nothing was made
                took = Took()
            if error.status == _TOO_MANY:
                self._limiter.overloaded(asked_at, error.retry_after_s)
            raise
        finally:
            self.budget.settle(worst, took)
        self._limiter.succeeded()
        return self._read(made, material, token, time.monotonic() - asked_at)

    def _read(self, made: Generation, material: Material, token: str, seconds: float) -> Judgement:
        if made.finish_reason == "length":
            most = self._settings.max_output_tokens
            raise InvalidReply(f"the verdict did not fit into {most:,} tokens (evaluation.judge.max_output_tokens)")
        reply = read_reply(
            made.text, token=token, sentences=len(material.spans), wants_completeness=bool(material.expected)
        )
        usage = (made.usage.input_tokens, made.usage.output_tokens)
        return judgement_of(reply, material, usage=usage, seconds=seconds)

    async def _held_back(self) -> None:
        wait = self._limiter.held_back_s()
        if wait > self._total_s:
            what = f"the endpoint wants to be left alone for {wait:.0f} s"
            raise ModelError(what, where=f"model {self._model.model}", status=_TOO_MANY)
        if wait:
            await asyncio.sleep(wait)

    async def _completed(self, messages: tuple[Message, ...]) -> Generation:
        """The model's reply, asked for in the strictest format that the endpoint understands."""
        refusal: ModelError | None = None
        for number in range(self._format, len(FORMATS)):
            try:
                made = await self._complete(messages, FORMATS[number])
            except ModelError as error:
                if error.status not in _NOT_UNDERSTOOD or self._format_works:
                    raise refusal or error from None
                refusal = refusal or error
                continue
            self._format, self._format_works = max(number, self._format), True
            return made
        raise refusal or AssertionError("there is a format")

    async def _complete(self, messages: tuple[Message, ...], response_format: Mapping[str, Any]) -> Generation:
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


def usual_tokens(messages: tuple[Message, ...]) -> int:
    """Input tokens of a call, schema included, at 4 bytes a token."""
    return math.ceil((_bytes(messages) + _SCHEMA_BYTES) / _BYTES_PER_TOKEN)


def worst_case(messages: tuple[Message, ...], max_output_tokens: int) -> Took:
    return Took(math.ceil((_bytes(messages) + _SCHEMA_BYTES) / _FEWEST_BYTES_PER_TOKEN), max_output_tokens)


def _bytes(messages: tuple[Message, ...]) -> int:
    return sum(len(message.content.encode("utf-8", "surrogatepass")) for message in messages)
