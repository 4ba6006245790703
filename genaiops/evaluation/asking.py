"""Putting a question to any application, and turning what comes back into an Answer or an error text."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from genaiops.errors import GenaiopsError
from genaiops.generation import is_refusal
from genaiops.records import Answer, Chunk, Hit, Query, Usage, canonical_json

# A flow's ask, or any callable that returns text, or {"answer", "contexts"}.
Ask = Callable[[Query], Answer | str | Mapping[str, Any]]

BYTES_PER_TOKEN = 4


def ask_safely(ask: Ask, query: Query) -> tuple[Answer | None, str]:
    """The answer, or None and why there is none. Only KeyboardInterrupt and its like propagate.

    A programming error in the application is an error of its case too: one bad question
    must not cost the answers to all the others. It is named with file and line.
    """
    started = time.perf_counter()
    try:
        answer = as_answer(ask(query), query, time.perf_counter() - started)
        canonical_json(answer).encode("utf-8")  # what no run could record must not surface after the last question
    except GenaiopsError as error:
        return None, f"{type(error).__name__}: {error.in_one_line}"
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        message = " ".join(str(error).split())[:500]
        return None, f"{type(error).__name__}: {message} ({Path(last.filename).name}:{last.lineno})"
    return answer, ""


def as_answer(said: Answer | str | Mapping[str, Any], query: Query, seconds: float) -> Answer:
    """An Answer as it is; text, or `{"answer": text, "contexts": [...]}`, as an Answer.

    A context is a text, or `{"document": id, "text": text}`, which retrieval measures
    need. Tokens are estimated (bytes / 4), the price is unknown, and `seconds` is the
    time the call took. TypeError for anything else.
    """
    if isinstance(said, Answer):
        return said if "total" in said.seconds else _timed(said, seconds)
    if isinstance(said, str):
        said = {"answer": said}
    if not isinstance(said, Mapping) or not isinstance(said.get("answer"), str):
        raise TypeError(f"the application returned {type(said).__name__}, not an Answer, a text or {{'answer': text}}")
    text = said["answer"]
    contexts = said.get("contexts") or ()
    if isinstance(contexts, (str, Mapping)):
        raise TypeError(f"contexts is {type(contexts).__name__}, not a list")
    hits = tuple(_hit(context, rank) for rank, context in enumerate(contexts, start=1))
    read = len(query.text.encode()) + sum(len(hit.chunk.text.encode()) for hit in hits)
    usage = Usage(read // BYTES_PER_TOKEN, len(text.encode()) // BYTES_PER_TOKEN, estimated=True)
    return Answer(query, text, is_refusal(text), (), hits, usage, None, {"total": seconds}, "", "", "")


def _hit(context: object, rank: int) -> Hit:
    document, text = "", context
    if isinstance(context, Mapping):
        document, text = str(context.get("document", "")), context.get("text")
    if not isinstance(text, str):
        raise TypeError(f"context {rank} is neither a text nor {{'document', 'text'}}")
    return Hit(Chunk(document, 0, len(text), text, "", text), 0.0, rank)


def _timed(answer: Answer, seconds: float) -> Answer:
    return replace(answer, seconds={**answer.seconds, "total": seconds})
