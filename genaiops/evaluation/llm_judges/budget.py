"""What an evaluation's judge may spend: reserved before a call at its worst, settled after it at what it took."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from genaiops.errors import ConfigurationError
from genaiops.generation.catalog import JudgeSettings, ModelCard

_PER_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Took:
    """Tokens of calls."""

    input_tokens: int = 0
    output_tokens: int = 0

    @property
    def tokens(self) -> int:
        return self.input_tokens + self.output_tokens

    def __add__(self, other: Took) -> Took:
        return Took(self.input_tokens + other.input_tokens, self.output_tokens + other.output_tokens)

    def cost_usd(self, card: ModelCard) -> float | None:
        """US dollars by the card's prices; None where one is unknown."""
        if card.input_usd_per_million is None or card.output_usd_per_million is None:
            return None
        input_usd = self.input_tokens * card.input_usd_per_million
        return (input_usd + self.output_tokens * card.output_usd_per_million) / _PER_MILLION


class Exhausted(Exception):
    """A bound leaves no room for another call; the text names it."""


class Budget:
    """Tokens, money and time of one evaluation, for the coroutines of one event loop.

    A call whose worst case does not fit waits while calls under way may still settle for less; when none is, it is
    refused. So a bound is overrun only by what an endpoint takes beyond the worst case it was asked for.
    """

    def __init__(self, settings: JudgeSettings, card: ModelCard, *, name: str) -> None:
        if settings.max_cost_usd is not None and Took().cost_usd(card) is None:
            raise ConfigurationError(
                f"evaluation.judge.max_cost_usd bounds the cost, and the prices of model {name!r} are unknown",
                where="models.yaml",
                remedy="set input_usd_per_million and output_usd_per_million (0 for a model of your own)",
            )
        self._settings, self._card = settings, card
        self._reserved = Took()
        self._under_way = 0
        self._deadline: float | None = None
        self._settled: asyncio.Event | None = None
        self.spent = Took()

    def seconds_left(self) -> float | None:
        """Seconds until `max_seconds` after the first call; None without that bound."""
        if self._settings.max_seconds is None:
            return None
        if self._deadline is None:
            self._deadline = time.monotonic() + self._settings.max_seconds
        return self._deadline - time.monotonic()

    async def reserve(self, worst: Took) -> None:
        """Take the worst case of a call out of the budget. Raises Exhausted when there is no room for it."""
        while (reason := self._refusal(worst)) is not None:
            if not self._under_way:
                raise Exhausted(reason)
            self._settled = self._settled or asyncio.Event()
            await self._settled.wait()
        self._reserved += worst
        self._under_way += 1

    def settle(self, worst: Took, took: Took) -> None:
        """Put back what was reserved for a call, and count what it took."""
        self._reserved = Took(
            self._reserved.input_tokens - worst.input_tokens, self._reserved.output_tokens - worst.output_tokens
        )
        self._under_way -= 1
        self.spent += took
        if self._settled is not None:
            self._settled.set()
            self._settled = None

    def _refusal(self, worst: Took) -> str | None:
        self.check_time()
        settings, planned = self._settings, self.spent + self._reserved + worst
        if settings.max_tokens is not None and planned.tokens > settings.max_tokens:
            return f"the judge's budget of {settings.max_tokens:,} tokens (evaluation.judge.max_tokens) is used up"
        cost = planned.cost_usd(self._card)
        if settings.max_cost_usd is not None and (cost is None or cost > settings.max_cost_usd):
            bound = f"{settings.max_cost_usd:g} USD (evaluation.judge.max_cost_usd)"
            return f"the judge's budget of {bound} is used up"
        return None

    def check_time(self) -> None:
        """Raise Exhausted when `max_seconds` are over."""
        left = self.seconds_left()
        if left is not None and left <= 0:
            bound = f"{self._settings.max_seconds:g} s (evaluation.judge.max_seconds)"
            raise Exhausted(f"the judge's budget of {bound} is used up")
