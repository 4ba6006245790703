"""What the adapters share: one metric of another library as a Measure."""

from __future__ import annotations

import asyncio
import difflib
import math
import os
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from genaiops.endpoints import one_line
from genaiops.errors import ConfigurationError
from genaiops.evaluation.llm_judges.calling import Unjudged
from genaiops.evaluation.llm_judges.group import GroupJudge
from genaiops.evaluation.llm_judges.judgement import Judgement
from genaiops.evaluation.plain_measure import PlainMeasure
from genaiops.evaluation.records import Sample
from genaiops.generation.openai_stream import background_loop
from genaiops.records import Lacks, Outcome, Score, Unscored, digest_of

NEEDS: dict[str, str] = {  # what a metric may ask for, by the name of the field of Sample
    "question": "a question",
    "answer": "an answer",
    "contexts": "contexts",
    "reference": "a reference answer",
}


class Metric(Protocol):
    """One metric of another library."""

    @property
    def version(self) -> str:
        """Of the library, and whatever else decides a value besides the model."""
        ...

    @property
    def needs(self) -> Collection[str]:
        """Fields of a Sample that must not be empty."""
        ...

    @property
    def unit_interval(self) -> bool: ...

    async def value(self, sample: Sample) -> float:
        """The value; whatever it raises leaves the sample unscored."""
        ...


@dataclass(frozen=True, slots=True)
class AdaptedMeasure(PlainMeasure):
    """A metric of another library. A value that is no finite number, or an error, is Unscored with the reason."""

    name: str
    metric: Metric
    group: GroupJudge
    run: Callable[[Awaitable[None]], None]
    lower_is_better: bool = False

    @property
    def unit_interval(self) -> bool:
        return self.metric.unit_interval

    @property
    def judge(self) -> str:
        """Digest of the metric, the version of its library, and the model."""
        return digest_of([self.name, self.metric.version, self.group.identity])

    def score(self, samples: Sequence[Sample]) -> list[Outcome]:
        """One outcome per sample, in order. A value that was made before, of the same content, is not made again."""
        settled = [self._settled(sample) for sample in samples]
        keys = [self._key(sample) for sample in samples]
        asked = {key: sample for key, sample, none in zip(keys, samples, settled, strict=True) if none is None}
        kept = self._kept(asked)
        found: dict[str, Outcome] = {key: Score(one.marks["value"]) for key, one in kept.items()}
        wanted = {key: sample for key, sample in asked.items() if key not in found}
        made: dict[str, Judgement] = {}

        async def one(key: str, sample: Sample) -> None:
            begun = time.monotonic()
            found[key] = await self._outcome(sample)
            if isinstance(outcome := found[key], Score):
                made[key] = Judgement((), {"value": outcome.value}, 0, 0, time.monotonic() - begun)

        async def everything() -> None:
            async with asyncio.TaskGroup() as tasks:
                for key, sample in wanted.items():
                    tasks.create_task(one(key, sample))

        if wanted:
            try:
                self.run(everything())
            finally:
                self.group.cache.add(self.judge, made.items())
        return [none or found[key] for none, key in zip(settled, keys, strict=True)]

    def left(self, samples: Sequence[Sample]) -> tuple[int, int]:
        """How many values `score` would have to ask for, and how many it would take from the cache. Asks nothing."""
        asked = {self._key(sample) for sample in samples if self._settled(sample) is None}
        kept = len(self._kept(asked))
        return len(asked) - kept, kept

    def _kept(self, keys: Collection[str]) -> dict[str, Judgement]:
        return {} if self.group.fresh else dict(self.group.cache.find(list(keys)))

    def begin_round(self, number: int) -> None:
        """See stopping.InRounds."""
        self.group.round = number

    def _key(self, sample: Sample) -> str:
        content = [sample.question, sample.answer, sample.contexts, _reference(sample)]
        return self.group.in_round(digest_of([self.judge, content]))

    def _settled(self, sample: Sample) -> Unscored | None:
        """Why the metric is not asked about a sample, whatever was kept of the same texts; None when it is."""
        if self.group.is_tested(sample):
            return Unscored(f"the judge {self.group.name} is the model under test")
        for need in self.metric.needs:
            if not (_reference(sample) if need == "reference" else getattr(sample, need)):
                lacks: Lacks = "contexts" if need == "contexts" else "reference" if need == "reference" else ""
                return Unscored(f"{self.name} needs {NEEDS[need]}", lacks=lacks)
        return None

    async def _outcome(self, sample: Sample) -> Outcome:
        try:
            value = float(await self.metric.value(sample))
        except Unjudged as error:
            return Unscored(str(error), outage=True)
        except Exception as error:  # a foreign library may raise anything
            cause = _unjudged(error)
            told = str(cause) if cause else f"{self.name}: {type(error).__name__}: {one_line(error)}"
            return Unscored(told, outage=True)
        return Score(value) if math.isfinite(value) else Unscored(f"{self.name} gave {value}")


def _unjudged(error: BaseException) -> Unjudged | None:
    """Why our client gave up, where a library wrapped that into errors of its own."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, Unjudged):
            return seen
        seen = seen.__cause__ or seen.__context__
    return None


def _reference(sample: Sample) -> str:
    return sample.reference or (sample.case.reference if sample.case else "")


def fields_of(sample: Sample) -> dict[str, str | list[str]]:
    """The sample's parts by the names in NEEDS."""
    return {
        "question": sample.question,
        "answer": sample.answer,
        "contexts": list(sample.contexts),
        "reference": _reference(sample),
    }


def on_background_loop(work: Awaitable[None]) -> None:
    """Run coroutines on the loop that reads models, and wait: also inside a running event loop."""
    task = asyncio.run_coroutine_threadsafe(_awaited(work), background_loop(os.getpid()))
    try:
        task.result()
    finally:
        task.cancel()


async def _awaited(work: Awaitable[None]) -> None:
    await work


def unknown_metric(prefix: str, name: str, known: Collection[str]) -> ConfigurationError:
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean '{prefix}:{close[0]}'?" if close else ""
    names = ", ".join(f"{prefix}:{item}" for item in sorted(known))
    return ConfigurationError(f"{prefix} has no metric {name!r} for rows like ours{hint}", remedy=f"there are {names}")
