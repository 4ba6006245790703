"""OpenAI's chat completion form: what is read, and what is answered."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from genaiops.records import Answer, as_json
from genaiops.serving.api_errors import ApiError, invalid

_UNSUPPORTED = {
    "tools": "tools are not supported: the release answers from its documents",
    "functions": "functions are not supported: the release answers from its documents",
    "audio": "audio is not supported",
}


class _Form(BaseModel):
    """Fields of OpenAI's that we don't know are ignored; those we know must have the right type."""

    model_config = ConfigDict(extra="ignore", strict=True, frozen=True)


class Part(_Form):
    """One part of a message's content. Only text can be read."""

    type: str
    text: str | None = None


class ChatMessage(_Form):
    """One message. Anything but the last message of the user is accepted and has no effect."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[Part] | None = None


class StreamOptions(_Form):
    include_usage: bool | None = None


class ResponseFormat(_Form):
    type: str


class ChatRequest(_Form):
    """The body of `POST /v1/chat/completions`.

    The question is the last message with role `user`. Earlier messages, system messages and sampling settings
    (temperature, max_tokens, seed, stop, …) are checked and then left aside: a release answers with the prompt
    and the settings it was evaluated with, and nothing a caller sends can change them.
    """

    model: str = Field(min_length=1, max_length=256)
    messages: list[ChatMessage] = Field(min_length=1, max_length=2048)
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    n: int | None = None
    temperature: float | None = Field(default=None, ge=0, le=2, allow_inf_nan=False)
    top_p: float | None = Field(default=None, ge=0, le=1, allow_inf_nan=False)
    max_tokens: int | None = Field(default=None, ge=1)
    max_completion_tokens: int | None = Field(default=None, ge=1)
    presence_penalty: float | None = Field(default=None, ge=-2, le=2, allow_inf_nan=False)
    frequency_penalty: float | None = Field(default=None, ge=-2, le=2, allow_inf_nan=False)
    seed: int | None = None
    stop: str | list[str] | None = None
    user: str | None = None
    logprobs: bool | None = None
    response_format: ResponseFormat | None = None
    tools: list[Any] | None = None
    functions: list[Any] | None = None
    audio: dict[str, Any] | None = None

    @property
    def wants_usage(self) -> bool:
        return bool(self.stream_options and self.stream_options.include_usage)


def read_chat(raw: bytes, *, max_question: int) -> tuple[ChatRequest, str]:
    """The request and its question; ApiError 400 says which field is wrong and why."""
    try:
        request = ChatRequest.model_validate_json(raw)
    except ValidationError as error:
        raise _first_problem(error) from None
    if request.n is not None and request.n != 1:
        raise invalid(f"n must be 1, got {request.n}", param="n", code="unsupported_value")
    for field, message in _UNSUPPORTED.items():
        if getattr(request, field):
            raise invalid(message, param=field, code="unsupported_parameter")
    if request.logprobs:
        raise invalid("logprobs are not supported", param="logprobs", code="unsupported_parameter")
    if request.response_format is not None and request.response_format.type != "text":
        raise invalid("response_format must be text", param="response_format", code="unsupported_value")
    return request, _question(request, max_question)


def _question(request: ChatRequest, longest: int) -> str:
    position = max((n for n, message in enumerate(request.messages) if message.role == "user"), default=None)
    if position is None:
        raise invalid("messages holds no message with role user, so there is no question", param="messages")
    param = f"messages.{position}.content"
    content = request.messages[position].content
    if isinstance(content, list):
        if any(part.type != "text" or part.text is None for part in content):
            raise invalid("only parts of type text can be read", param=param, code="unsupported_value")
        content = "\n".join(part.text or "" for part in content)
    question = (content or "").strip()
    if not question:
        raise invalid("the last message with role user is empty", param=param)
    if len(question) > longest:
        message = f"the question has {len(question):,} characters, at most {longest:,} are read"
        raise invalid(message, param=param, code="string_above_max_length")
    return question


def _first_problem(error: ValidationError) -> ApiError:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    if first["type"] == "json_invalid":
        return invalid(f"the body is not valid JSON: {first['msg'].removeprefix('Invalid JSON: ')}")
    names = [str(part) for part in first["loc"] if not str(part).startswith(("list[", "function-"))]
    param = ".".join(names)[:200] or None
    return invalid(f"{param or 'the body'}: {first['msg']}", param=param)


# --- answers ----------------------------------------------------------------------


class Completion:
    """One answer in OpenAI's shape, whole or in chunks, all under one id.

    What is ours stands in the additional object `genaiops`: release, citations, refused, hits, sensitivity. In a
    stream the chunk with the finish reason carries it.
    """

    def __init__(self, model_id: str, release: str, *, wants_usage: bool) -> None:
        self.release = release
        self._head = {"id": f"chatcmpl-{secrets.token_hex(12)}", "created": int(time.time()), "model": model_id}
        self._wants_usage = wants_usage

    def whole(self, answer: Answer) -> dict[str, Any]:
        message = {"role": "assistant", "content": answer.text, "refusal": None}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
        more = {"usage": _usage(answer), "genaiops": self._ours(answer)}
        return {"object": "chat.completion", **self._head, "choices": [choice], **more}

    def opening(self) -> dict[str, Any]:
        return self._chunk({"role": "assistant", "content": ""})

    def piece(self, text: str) -> dict[str, Any]:
        return self._chunk({"content": text})

    def closing(self, answer: Answer) -> list[dict[str, Any]]:
        """The last chunks: the finish reason with what is ours, then the tokens if they were asked for."""
        last = {**self._chunk({}, "stop"), "genaiops": self._ours(answer)}
        if not self._wants_usage:
            return [last]
        return [last, {"object": "chat.completion.chunk", **self._head, "choices": [], "usage": _usage(answer)}]

    def _chunk(self, delta: Mapping[str, str], finish_reason: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        usage = {"usage": None} if self._wants_usage else {}
        return {"object": "chat.completion.chunk", **self._head, "choices": [choice], **usage}

    def _ours(self, answer: Answer) -> dict[str, Any]:
        hits = [
            {"chunk_id": hit.chunk.id, "document_id": hit.chunk.document_id, "score": hit.score, "rank": hit.rank}
            for hit in answer.hits
        ]
        citations = as_json(answer.citations)
        told = {"release": self.release, "refused": answer.refused, "citations": citations, "hits": hits}
        return {**told, "sensitivity": answer.sensitivity}


def _usage(answer: Answer) -> dict[str, int]:
    used, made = answer.usage.input_tokens, answer.usage.output_tokens
    return {"prompt_tokens": used, "completion_tokens": made, "total_tokens": used + made}
