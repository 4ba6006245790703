"""Structured replies for other libraries, through our own client: its retries, its budget, its number at once."""

from __future__ import annotations

import json
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from genaiops.endpoints import one_line
from genaiops.evaluation.llm_judges.calling import Asked, Caller, formats_of
from genaiops.evaluation.llm_judges.reply import InvalidReply
from genaiops.generation import Generation
from genaiops.records import Message

M = TypeVar("M", bound=BaseModel)


async def structured(caller: Caller, prompt: str, schema: type[M]) -> M:
    """The reply to a prompt as an object of `schema`. Raises Unjudged when there is none.

    To be awaited on the background event loop.
    """
    shape = schema.model_json_schema()
    told = f"\n\nReply with one JSON object of this JSON schema and nothing else:\n{json.dumps(shape)}"

    def read(made: Generation, seconds: float) -> M:
        return _parsed(made.text, schema)

    def prepare() -> Asked[M]:
        return Asked((Message("user", f"{prompt}{told}"),), read)

    return await caller.result(prepare, formats_of(strict(shape)))


async def plain(caller: Caller, prompt: str) -> str:
    """The text that a prompt is answered with."""

    def prepare() -> Asked[str]:
        return Asked((Message("user", prompt),), lambda made, seconds: made.text)

    return await caller.result(prepare, formats_of(None))


def strict(shape: dict[str, Any]) -> dict[str, Any]:
    """The schema as strict endpoints want it: every object closed, every key required."""

    def closed(node: Any) -> Any:
        if isinstance(node, list):
            return [closed(item) for item in node]
        if not isinstance(node, dict):
            return node
        made = {key: closed(value) for key, value in node.items() if key != "default"}
        if isinstance(made.get("properties"), dict):
            made |= {"additionalProperties": False, "required": list(made["properties"])}
        return made

    result: dict[str, Any] = closed(shape)
    return result


def _parsed(text: str, schema: type[M]) -> M:
    first, last = text.find("{"), text.rfind("}")
    try:
        return schema.model_validate(json.loads(text[first : last + 1]))
    except (ValidationError, ValueError, RecursionError):
        raise InvalidReply(f"the judge's reply is no {schema.__name__}: {one_line(text)!r}") from None
