"""Our flow inside other people's LangChain chains. Imported when `as_retriever` or `as_runnable` is called."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document as LangChainDocument
from langchain_core.messages import BaseMessage
from langchain_core.prompt_values import PromptValue
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import Runnable, RunnableConfig
from pydantic import Field

from genaiops.errors import ConfigurationError
from genaiops.generation import Emit
from genaiops.records import Answer, Hit, Metadata, Query


class FlowRetriever(BaseRetriever):
    """Hits as LangChain documents, best first. `where` and `access` are every query's (see Query)."""

    search: Callable[..., list[Hit]]
    k: int | None = None
    where: dict[str, Any] = Field(default_factory=dict)
    access: tuple[str, ...] | None = None

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[LangChainDocument]:
        return [_document(hit) for hit in self.search(Query(query, where=self.where, access=self.access), self.k)]


class FlowRunnable(Runnable[Any, Any]):
    """`invoke` gives the whole Answer; `stream` gives its text piece by piece."""

    def __init__(self, ask: Callable[..., Answer], where: Metadata | None, access: Sequence[str] | None) -> None:
        """`where` and `access` are every query's (see Query)."""
        self._ask = ask
        self._where = where or {}
        self._access = _labels(access)

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Answer:
        answer: Answer = self._call_with_config(
            lambda value: self._ask(self._query(value)), input, config, run_type="chain"
        )
        return answer

    def stream(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Iterator[str]:
        return pieces(lambda emit: self._ask(self._query(input), emit))

    def _query(self, value: Any) -> Query:
        return Query(_question(value), where=self._where, access=self._access)


class _Stopped(Exception):
    """The reader has gone; ends the generation from inside `emit`."""


def pieces(work: Callable[[Emit], object]) -> Iterator[str]:
    """Run `work(emit)` in a thread and yield what it emits; its exception is raised here.

    When the reader stops early, the next `emit` raises, so the generation ends too.
    """
    line: queue.Queue[tuple[str, Any]] = queue.Queue()
    stopped = threading.Event()

    def emit(piece: str) -> None:
        if stopped.is_set():
            raise _Stopped
        line.put(("piece", piece))

    def run() -> None:
        try:
            work(emit)
            line.put(("end", None))
        except _Stopped:
            pass
        except BaseException as error:
            line.put(("error", error))

    threading.Thread(target=run, name="genaiops-stream", daemon=True).start()
    try:
        while True:
            kind, value = line.get()
            if kind == "error":
                raise value
            if kind == "end":
                return
            yield value
    finally:
        stopped.set()


def _question(value: Any) -> str:
    """The question in what a chain hands over: a text, `{"question": …}`, a prompt's value (its last message)."""
    question = value.get("question") if isinstance(value, dict) else value
    if isinstance(question, PromptValue):
        question = question.to_messages()[-1]
    if isinstance(question, BaseMessage):
        question = question.text
    if not isinstance(question, str):
        raise ConfigurationError(f"expected a question or {{'question': …}}, got {type(value).__name__}")
    return question


def _document(hit: Hit) -> LangChainDocument:
    chunk = hit.chunk
    place = {"document_id": chunk.document_id, "start": chunk.start, "end": chunk.end, "chunk_id": chunk.id}
    return LangChainDocument(
        page_content=chunk.text, metadata={**chunk.metadata, **place, "score": hit.score, "rank": hit.rank}
    )


def _labels(access: Sequence[str] | None) -> tuple[str, ...] | None:
    if isinstance(access, str):
        raise ConfigurationError(f"access must be a list of labels, got {access!r}", remedy=f"access=[{access!r}]")
    return None if access is None else tuple(access)


def as_retriever(
    search: Callable[..., list[Hit]], k: int | None, where: Metadata | None, access: Sequence[str] | None
) -> BaseRetriever:
    return FlowRetriever(search=search, k=k, where=dict(where or {}), access=_labels(access))


def as_runnable(ask: Callable[..., Answer], where: Metadata | None, access: Sequence[str] | None) -> Runnable[Any, Any]:
    return FlowRunnable(ask, where, access)
