"""Answers of earlier evaluations, stage by stage: searched and asked again is only what could come out otherwise."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from genaiops.errors import ConfigurationError
from genaiops.evaluation.kept import KeptResults, result_key
from genaiops.flow.pipeline import Pipeline, Retrieved, Served, answer_of
from genaiops.generation import Generation
from genaiops.records import Answer, Chunk, Citation, Hit, Query, Usage, as_json

Reuse = Literal["none", "offline", "models"]
_DIGITS = 6  # of a raw score in a key: the same vectors in another index differ in the last bits


def check_reuse(reuse: Reuse, served: Served) -> None:
    """Raise ConfigurationError for answers of a model that would differ each time it is asked."""
    temperature = served.prompt.options.get("temperature")
    if reuse == "models" and served.generation.card is not None and temperature != 0:
        raise ConfigurationError(
            f"evaluation.reuse: models needs answers that stay the same, and prompt {served.prompt.name!r} asks for "
            f"temperature {'of the endpoint' if temperature is None else temperature}",
            remedy="set temperature: 0 in the prompt's model.options, or evaluation.reuse: offline",
        )


@dataclass
class ReusingAsk:
    """`Pipeline.ask` that keeps what it finds and says in `results`, and takes it from there when nothing differs.

    `pipeline` opens the index, and is called at the first search that is not known. The seconds of a stage that was
    taken over are those it took when it was done, under the same settings.
    """

    served: Served
    pipeline: Callable[[], Pipeline]
    results: KeptResults
    reuse: Reuse
    code: str  # digest of the code that answers
    release: str = ""
    _told: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _known: dict[bytes, Any] = field(default_factory=dict)  # fetched together, before the first question
    _opened: Pipeline | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, query: Query) -> Answer:
        retrieved, known = self._retrieved(query)
        answer, said = self._answered(retrieved)
        self._told[query.id] = tuple(name for name, taken in (("retrieval", known), ("answer", said)) if taken)
        return answer

    def reused(self, case: str) -> tuple[str, ...]:
        return self._told.get(case, ())

    def prepare(self, questions: Iterable[str]) -> None:
        """Open the index now if one of these questions has to be searched for. Raises as opening does."""
        if not self._keeps_searches:
            self.open()
            return
        keys = {self._search_key(query): query for query in map(Query, questions)}
        known = self.results.get(list(keys))
        if len(known) < len(keys):
            self.open()
        found = [_found(data, keys[key]) for key, data in known.items()]
        answers = [self._key(one) for one in found if one is not None] if self._keeps_answers else []
        self._known = {**known, **self.results.get(answers)}

    def open(self) -> Pipeline:
        """The pipeline, with its model loaded, so that no question's seconds hold that."""
        with self._lock:
            if self._opened is None:
                pipeline = self.pipeline()
                pipeline.retriever.warm()
                self._opened = pipeline
            return self._opened

    def _retrieved(self, query: Query) -> tuple[Retrieved, bool]:
        if not self._keeps_searches:
            return self.open().retrieve(query), False
        key = self._search_key(query)
        if (known := _found(self._get(key), query)) is not None:
            return known, True
        retrieved = self.open().retrieve(query)
        self.results.put({key: {**as_json(retrieved), "query": None}})
        return retrieved, False

    @property
    def _keeps_searches(self) -> bool:
        """A search that a model rewrites the question for is a model's word too."""
        return self.reuse == "models" or (self.reuse == "offline" and self.served.retrieval.rewrite == "none")

    @property
    def _keeps_answers(self) -> bool:
        return self.reuse == "models" or (self.reuse == "offline" and self.served.generation.card is None)

    def _get(self, key: bytes) -> Any:
        return self._known[key] if key in self._known else self.results.get([key]).get(key)

    def _search_key(self, query: Query) -> bytes:
        served = self.served
        by = None if served.retrieval.rewrite == "none" else served.generation
        return result_key(
            "retrieval", self.code, served.index, served.content, served.embedder, served.embedding,
            served.retrieval, by, [query.text, query.where, query.access],
        )  # fmt: skip

    def _answered(self, retrieved: Retrieved) -> tuple[Answer, bool]:
        if not self._keeps_answers:
            return self.open().answer(retrieved), False
        key = self._key(retrieved)
        if (known := _said(self._get(key), retrieved)) is not None:
            made, seconds = known
            return answer_of(self.served, retrieved, made, seconds, release=self.release), True
        answer = self.open().answer(retrieved)
        self.results.put({key: _to_keep(answer, retrieved)})
        return answer, False

    def _key(self, retrieved: Retrieved) -> bytes:
        """All that a generator sees. Offsets stay out: a text that only moved within its document is the same."""
        context = [
            [
                hit.chunk.document_id, hit.chunk.text, hit.chunk.indexed_text,
                {name: round(value, _DIGITS) for name, value in hit.signals.items() if name == "vector"},
            ]
            for hit in retrieved.hits
        ]  # fmt: skip
        served = self.served
        return result_key("answer", self.code, served.prompt.digest, served.generation, retrieved.query.text, context)


def _found(data: Any, query: Query) -> Retrieved | None:
    try:
        hits = tuple(Hit(**{**hit, "chunk": Chunk(**hit["chunk"])}) for hit in data["hits"])
        return Retrieved(query, hits, str(data["searched"]), Usage(**data["usage"]), float(data["seconds"]))
    except (KeyError, TypeError, ValueError):  # nothing kept, or in a form of another version
        return None


def _to_keep(answer: Answer, retrieved: Retrieved) -> dict[str, Any]:
    """The answer without its hits; citations count from the start of their chunk."""
    citations = [
        [c.marker, c.start - retrieved.hits[c.marker - 1].chunk.start, c.end - retrieved.hits[c.marker - 1].chunk.start]
        for c in answer.citations
    ]
    usage = replace(
        answer.usage,
        input_tokens=answer.usage.input_tokens - retrieved.usage.input_tokens,
        output_tokens=answer.usage.output_tokens - retrieved.usage.output_tokens,
    )
    seconds = {name: answer.seconds[name] for name in ("prompt", "generate")}
    return {
        "text": answer.text, "refused": answer.refused, "citations": citations, "usage": as_json(usage),
        "model": answer.model, "seconds": seconds,
    }  # fmt: skip


def _said(data: Any, retrieved: Retrieved) -> tuple[Generation, dict[str, float]] | None:
    try:
        citations = []
        for marker, start, end in data["citations"]:
            chunk = retrieved.hits[marker - 1].chunk
            place = chunk.start + start, chunk.start + end
            citations.append(Citation(marker, chunk.id, chunk.document_id, *place, chunk.text[start:end]))
        seconds = {name: float(data["seconds"][name]) for name in ("prompt", "generate")}
        usage = Usage(**data["usage"])
        return Generation(data["text"], bool(data["refused"]), tuple(citations), usage, data["model"]), seconds
    except (KeyError, TypeError, ValueError, IndexError):
        return None
