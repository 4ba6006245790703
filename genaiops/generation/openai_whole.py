"""One chat completion that comes in one piece: for callers who need the whole reply before they can use any of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from genaiops.generation.openai_errors import BrokenReply, Endpoint, model_error
from genaiops.generation.openai_stream import End, Limits, counted

if TYPE_CHECKING:
    import openai


async def read_whole(
    client: openai.AsyncOpenAI, body: Mapping[str, Any], at: Endpoint, limits: Limits
) -> tuple[str, End]:
    """Ask once; the reply's text and how it ended. ModelError for every failure.

    To be awaited on the event loop of the client's other calls (`openai_stream.background_loop`).
    """
    try:
        async with asyncio.timeout(limits.total_s):
            return _completion(await _asked(client, body), limits)
    except TimeoutError:
        raise at.timeout(f"{at.url} took longer than {limits.total_s:.3g} s") from None
    except Exception as error:
        raise model_error(error, at) from error


async def _asked(client: openai.AsyncOpenAI, body: Mapping[str, Any]) -> bytes:
    import httpx2

    # As bytes: the client's own models of the reply cost more than all the rest of a call.
    response = await client.post("/chat/completions", cast_to=httpx2.Response, body=dict(body))
    content: bytes = response.content
    return content


def _completion(content: bytes, limits: Limits) -> tuple[str, End]:
    data = json.loads(content)  # its ValueError and RecursionError become "not JSON"
    choices = data.get("choices") if isinstance(data, dict) else None
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or not isinstance(message, dict):
        raise BrokenReply("sent no chat completion")
    content_, refusal = message.get("content"), message.get("refusal")
    reason = choice.get("finish_reason")
    if not all(value is None or isinstance(value, str) for value in (content_, refusal, reason)):
        raise BrokenReply("sent a completion whose content is not text")
    text = content_ or refusal or ""
    if not text:
        raise BrokenReply(f"answered without a single word{f' (it ended by {reason})' if reason else ''}")
    if len(text) > limits.characters:
        raise BrokenReply(f"sent more than {limits.characters:,} characters for one answer")
    usage = data.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    return text, End(
        reason or "",
        counted(usage.get("prompt_tokens"), usage.get("completion_tokens")),
        not content_ and bool(refusal),
    )
