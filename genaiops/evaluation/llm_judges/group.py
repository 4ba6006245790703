"""The judge of one evaluation: every case judged once for the whole group, whichever measures ask for it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path
from queue import SimpleQueue

from genaiops.endpoints import address_of
from genaiops.evaluation.llm_judges.cache import JudgementCache
from genaiops.evaluation.llm_judges.calling import PATIENCE, Asked, Caller, Unjudged, formats_of, temperature_of
from genaiops.evaluation.llm_judges.judgement import Judgement, judgement_of
from genaiops.evaluation.llm_judges.prompt import PROMPT_DIGEST, SCHEMA, Material, messages_of, numbered_spans
from genaiops.evaluation.llm_judges.reply import read_reply
from genaiops.evaluation.records import Sample
from genaiops.generation import Generation
from genaiops.generation.catalog import JudgeSettings, ModelCard
from genaiops.generation.openai_compatible import OPENAI_URL, OpenAICompatible, Patience
from genaiops.generation.openai_stream import background_loop
from genaiops.records import Unscored, digest_of

_KEEP_EVERY = 16  # judgements that a crash may lose, though they were paid for
FORMATS = formats_of(SCHEMA)
Votes = tuple[Judgement, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """One case as the judge sees it, and the keys of its votes in the cache."""

    material: Material
    keys: tuple[str, ...]


class GroupJudge:
    """Judges cases by a model of the catalog. `identity` is the digest of model, address, prompt, schema, temperature.

    What was judged, or failed, is not asked again within a round of questions while this object lives; what was
    judged, not while the cache file does, unless the judge is `fresh`: then it writes there and does not read. It may
    be used in threads and inside running event loops: the calls run on an event loop of their own.
    """

    def __init__(
        self,
        name: str,
        card: ModelCard,
        settings: JudgeSettings,
        *,
        cache_file: Path | None = None,
        fresh: bool = False,
        patience: Patience = PATIENCE,
    ) -> None:
        self.name = name
        self.card = card.model_copy(
            update={"model": card.model or name, "max_output_tokens": settings.max_output_tokens}
        )
        self.settings = settings
        self.caller = Caller(OpenAICompatible(self.card, name=name), self.card, settings, patience=patience)
        address = address_of(card.base_url or OPENAI_URL)
        self.identity = digest_of([PROMPT_DIGEST, self.card.model, address, temperature_of(settings)])
        self.cache = JudgementCache(cache_file)
        self.fresh = fresh
        self.round = 0  # which time all questions are asked; in each the judge gives votes of its own
        self._known: dict[str, Judgement | str] = {}
        self._cases: dict[tuple[str, tuple[str, ...], str, tuple[str, ...]], Wanted] = {}

    @property
    def digest(self) -> str:
        """Everything that decides a verdict: `identity` and the number of votes."""
        return digest_of([self.identity, self.settings.votes])

    def wanted(self, sample: Sample) -> Wanted:
        """The case of a sample. Every measure of the group asks for it, so it is kept."""
        texts = (sample.question, sample.contexts, sample.answer, expected_of(sample))
        if texts not in self._cases:
            material = Material(*texts[:3], numbered_spans(sample.answer), texts[3])
            content = digest_of([self.identity, material.digest])
            keys = tuple(f"{content}:{vote}" for vote in range(self.settings.votes))
            self._cases[texts] = Wanted(material, keys)
        case = self._cases[texts]
        return replace(case, keys=tuple(map(self.in_round, case.keys))) if self.round else case

    def in_round(self, key: str) -> str:
        """The key of what is judged in this round of questions."""
        return f"{key}:{self.round}" if self.round else key

    def missing(self, cases: Sequence[Wanted]) -> dict[str, Material]:
        """Keys of the votes that neither this object nor a cache it reads has; every call that `judged` would make."""
        unknown = {key: case.material for case in cases for key in case.keys if key not in self._known}
        if unknown and not self.fresh:
            self._known |= self.cache.find(list(unknown))
        return {key: material for key, material in unknown.items() if key not in self._known}

    def judged(self, samples: Sequence[Sample]) -> list[Votes | Unscored]:
        """The votes on each sample, or why there are none. All votes must be there: a missing one is no vote."""
        cases = [self.wanted(sample) for sample in samples]
        missing = self.missing(cases)
        if missing:
            self._ask(missing)
        return [self._votes(case) for case in cases]

    def is_tested(self, sample: Sample) -> bool:
        """Whether the model that answered this sample is the judge itself."""
        answered_by = sample.response.model.lower() if sample.response is not None else ""
        return answered_by in (self.name.lower(), self.card.model.lower())

    def _asked(self, material: Material) -> Asked[Judgement]:
        """One call about a case, with a fence of its own."""
        token, messages = messages_of(material)

        def read(made: Generation, seconds: float) -> Judgement:
            count, wants = len(material.spans), bool(material.expected)
            reply = read_reply(made.text, token=token, sentences=count, wants_completeness=wants)
            usage = (made.usage.input_tokens, made.usage.output_tokens)
            return judgement_of(reply, material, usage=usage, seconds=seconds)

        return Asked(messages, read)

    def _votes(self, case: Wanted) -> Votes | Unscored:
        votes: list[Judgement] = []
        for key in case.keys:
            known = self._known.get(key, "the judge was interrupted")
            if isinstance(known, str):
                return Unscored(known, outage=True)
            votes.append(known)
        return tuple(votes)

    def _ask(self, missing: Mapping[str, Material]) -> None:
        """Ask for all of them; judgements are kept as they come."""
        answers: SimpleQueue[tuple[str, Judgement | str] | None] = SimpleQueue()
        asking = asyncio.run_coroutine_threadsafe(self._ask_all(missing, answers.put), background_loop(os.getpid()))
        asking.add_done_callback(lambda _: answers.put(None))
        kept: list[tuple[str, Judgement]] = []
        try:
            while (answer := answers.get()) is not None:
                key, said = answer
                self._known[key] = said
                if isinstance(said, Judgement):
                    kept.append((key, said))
                if len(kept) >= _KEEP_EVERY:
                    self.cache.add(self.identity, kept)
                    kept = []
            _raise(asking)
        finally:
            asking.cancel()
            if kept:
                self.cache.add(self.identity, kept)

    async def _ask_all(
        self, missing: Mapping[str, Material], put: Callable[[tuple[str, Judgement | str]], None]
    ) -> None:
        async def one(key: str, material: Material) -> None:
            try:
                made: Judgement = await self.caller.result(lambda: self._asked(material), FORMATS)
                put((key, made))
            except Unjudged as error:
                put((key, str(error)))

        async with asyncio.TaskGroup() as group:
            for key, material in missing.items():
                group.create_task(one(key, material))


def _raise(asking: Future[None]) -> None:
    """Whatever ended the asking before its end: a bug of ours."""
    error = asking.exception()
    if error is not None:
        raise error


def expected_of(sample: Sample) -> tuple[str, ...]:
    """What a complete answer says: the reference, else the evidence quotes of the case; () when nothing is told."""
    reference = sample.reference or (sample.case.reference if sample.case else "")
    if reference:
        return (reference,)
    return tuple(item.quote for item in sample.case.evidence) if sample.case else ()
