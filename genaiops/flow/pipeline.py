"""Index, prompt, retrieval and model joined: what answers questions, in a flow and in a release alike."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from genaiops.configuration import Settings
from genaiops.embedding import Embedder, EmbeddingSettings
from genaiops.errors import ConfigurationError
from genaiops.generation import Emit, Generation, GenerationRequest, Generator, discard
from genaiops.generation.catalog import EXTRACTIVE, ModelCard
from genaiops.prompting import context_of, render
from genaiops.records import Answer, Hit, Message, Metadata, Prompt, Query, Usage, as_json, digest_of
from genaiops.retrieval import RetrievalSettings
from genaiops.sensitivity import strictest

if TYPE_CHECKING:
    from langchain_core.retrievers import BaseRetriever
    from langchain_core.runnables import Runnable

    from genaiops.retrieval.retrievers import Found, StagedRetriever
    from genaiops.retrieval.rewriting import Complete

MAX_QUESTION = 10_000  # characters


class GenerationPlan(Settings):
    """The model a release answers with: its name, and its card unless it is the offline generator."""

    model: str = EXTRACTIVE
    card: ModelCard | None = None


@dataclass(frozen=True, slots=True)
class Served:
    """Everything that decides an answer, as data: what a release bundles. `digest` names it.

    `index` is the snapshot's id, `content` the digest of its chunks and documents: an id says what went in,
    this what came out.
    """

    flow: str
    index: str
    content: str
    embedder: str
    embedding: EmbeddingSettings
    prompt: Prompt
    retrieval: RetrievalSettings
    generation: GenerationPlan

    @property
    def digest(self) -> str:
        return digest_of(self)

    def to_json(self) -> dict[str, Any]:
        data: dict[str, Any] = as_json(self)
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Served:
        """The Served that `to_json` wrote. Raises ConfigurationError when a part is missing or unknown."""
        try:
            prompt = data["prompt"]
            return cls(
                **{
                    **data,
                    "prompt": Prompt(
                        **{
                            **prompt,
                            "template": tuple(Message(**message) for message in prompt["template"]),
                            "inputs": tuple(prompt["inputs"]),
                        }
                    ),
                    "embedding": EmbeddingSettings(**data["embedding"]),
                    "retrieval": RetrievalSettings(**data["retrieval"]),
                    "generation": GenerationPlan.model_validate(data["generation"], strict=False),
                }
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ConfigurationError(f"the release does not hold a whole flow ({error})") from None


@dataclass(frozen=True, slots=True)
class Retrieved:
    """What was found for a query. `searched` is what a model made of the question, `usage` what that model used."""

    query: Query
    hits: tuple[Hit, ...]
    searched: str = ""
    usage: Usage = field(default_factory=Usage)
    seconds: float = 0.0


def answer_of(
    served: Served, retrieved: Retrieved, made: Generation, seconds: Mapping[str, float], *, release: str = ""
) -> Answer:
    """The record of an answer. `seconds` are those of its own stages, to which those of retrieval are added."""
    usage = _together([retrieved.usage, made.usage])
    return Answer(
        query=retrieved.query,
        text=made.text,
        refused=made.refused,
        citations=made.citations,
        hits=retrieved.hits,
        usage=usage,
        cost_usd=_cost(served.generation.card, usage),
        seconds={
            "retrieve": retrieved.seconds,
            **seconds,
            "total": retrieved.seconds + sum(seconds.values()),
        },
        model=made.model,
        prompt=served.prompt.name,
        index=served.index,
        release=release,
        sensitivity=strictest(hit.chunk.metadata.get("sensitivity") for hit in retrieved.hits),
        searched=retrieved.searched,
    )


def _cost(card: ModelCard | None, usage: Usage) -> float | None:
    """US dollars; 0 for the offline generator, None where the catalog gives no price."""
    if card is None:
        return 0.0
    if card.input_usd_per_million is None or card.output_usd_per_million is None:
        return None
    cost = usage.input_tokens * card.input_usd_per_million + usage.output_tokens * card.output_usd_per_million
    return cost / 1e6


@dataclass(frozen=True)
class Pipeline:
    """A query goes in, an answer with its citations, tokens and seconds comes out. Safe to share between threads."""

    served: Served
    retriever: StagedRetriever
    embedder: Embedder
    release: str = ""

    @cached_property
    def generator(self) -> Generator:
        """Made at the first question: searching needs no model, and no key for one."""
        card = self.served.generation.card
        if card is None:
            from genaiops.generation.extractive import Extractive

            return Extractive()
        from genaiops.generation.openai_compatible import OpenAICompatible

        return OpenAICompatible(card, name=self.served.generation.model)

    def search(self, query: str | Query, k: int | None = None) -> list[Hit]:
        """The best `k` chunks (default: `retrieval.top_k`)."""
        return list(self._find(checked_query(query), k, _Meter(self)).hits)

    def _find(self, query: Query, k: int | None, meter: _Meter) -> Found:
        return self.retriever.find(query, k or self.served.retrieval.top_k, meter.complete)

    def ask(self, query: str | Query, emit: Emit = discard) -> Answer:
        """Answer one question; `emit` gets the text piece by piece as it comes.

        Raises ConfigurationError for an empty or overlong question and ModelError when the model fails.
        """
        return self.answer(self.retrieve(query), emit)

    def retrieve(self, query: str | Query) -> Retrieved:
        """The first half of `ask`: the hits. Raises as `ask` does."""
        query = checked_query(query)
        start = time.perf_counter()
        meter = _Meter(self)
        found = self._find(query, None, meter)
        searched = "" if found.searched.by == "none" else found.searched.texts[-1]
        return Retrieved(query, found.hits, searched, _together(meter.used), time.perf_counter() - start)

    def answer(self, retrieved: Retrieved, emit: Emit = discard) -> Answer:
        """The second half of `ask`: an answer made of the hits. Raises as `ask` does."""
        start = time.perf_counter()
        query, prompt = retrieved.query, self.served.prompt
        values = {"question": query.text, "context": context_of(retrieved.hits)}
        messages = render(prompt, {name: values[name] for name in prompt.inputs})
        rendered = time.perf_counter()
        made = self.generator.generate(GenerationRequest(query, retrieved.hits, messages, prompt.options), emit)
        seconds = {"prompt": rendered - start, "generate": time.perf_counter() - rendered}
        return answer_of(self.served, retrieved, made, seconds, release=self.release)

    def warm(self) -> None:
        """Load what the first question would otherwise wait for; errors of the generator's settings come now."""
        self.retriever.warm()
        self.generator  # noqa: B018

    @property
    def settings(self) -> Metadata:
        """What was asked of every part, for the record of an evaluation."""
        return self.served.to_json()

    def as_retriever(
        self, *, k: int | None = None, where: Metadata | None = None, access: Sequence[str] | None = None
    ) -> BaseRetriever:
        """This flow's search as a LangChain retriever; documents carry id, span and score in their metadata.

        `where` and `access` hold for every query as they do in a Query; give `access` whenever somebody else asks.
        """
        from genaiops.flow.langchain import as_retriever

        return as_retriever(self.search, k, where, access)

    def as_runnable(self, *, where: Metadata | None = None, access: Sequence[str] | None = None) -> Runnable[Any, Any]:
        """`ask` as a LangChain runnable: a question (or `{"question": …}`) in, an Answer out; streams text.

        `where` and `access` as for `as_retriever`.
        """
        from genaiops.flow.langchain import as_runnable

        return as_runnable(self.ask, where, access)


@dataclass(frozen=True, slots=True)
class _Meter:
    """Asks the flow's model on behalf of the retriever and notes what it used."""

    pipeline: Pipeline
    used: list[Usage] = field(default_factory=list)

    @property
    def complete(self) -> Complete | None:
        """None where the flow answers without a model."""
        return None if self.pipeline.served.generation.card is None else self._complete

    def _complete(self, messages: Sequence[Message]) -> str:
        made = self.pipeline.generator.generate(GenerationRequest(Query(messages[-1].content), (), tuple(messages)))
        self.used.append(made.usage)
        return made.text


def _together(usages: Sequence[Usage]) -> Usage:
    return Usage(
        sum(usage.input_tokens for usage in usages),
        sum(usage.output_tokens for usage in usages),
        any(usage.estimated for usage in usages),
    )


def checked_query(query: str | Query) -> Query:
    """The query, if it can be asked. ConfigurationError for one that is empty, overlong or no text."""
    query = Query(query) if isinstance(query, str) else query
    if not query.text.strip():
        raise ConfigurationError("the question is empty", remedy="ask something: genaiops ask FLOW QUESTION")
    try:
        query.text.encode()
    except UnicodeEncodeError:
        raise ConfigurationError("the question is not valid text (half of a surrogate pair)") from None
    if len(query.text) > MAX_QUESTION:
        raise ConfigurationError(f"the question has {len(query.text):,} characters, at most {MAX_QUESTION:,} are read")
    return query
