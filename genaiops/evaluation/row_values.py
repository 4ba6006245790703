"""What tools write into one column of a row: messages, dictionaries with one text, lists of documents."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

_QUESTIONS = ("question", "query", "user_input", "input", "prompt", "message", "text", "request")
_ANSWERS = ("answer", "response", "output", "outputs", "content", "text", "result", "message")
_TEXTS = ("text", "content", "page_content", "document")


def model_input(value: Any) -> str:
    """The question: a text, the last user message of a conversation, or the question among named inputs.

    ValueError where there is none, or one cannot tell which.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return _last_message(value, "user")
    if isinstance(value, Mapping):
        if isinstance(value.get("messages"), list):
            return _last_message(value["messages"], "user")
        return _text_among(value, _QUESTIONS, "the question")
    raise ValueError(f"must hold the question as a text or an object, got {value!r:.80}")


def model_output(value: Any) -> str:
    """The answer: a text, the last message of an assistant, or the answer among named outputs."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return _last_message(value, "assistant")
    if isinstance(value, Mapping):
        if isinstance(value.get("messages"), list):
            return _last_message(value["messages"], "assistant")
        choices = value.get("choices")
        if isinstance(choices, list) and choices and isinstance(choices[0], Mapping):
            return model_output(choices[0].get("message"))
        return _text_among(value, _ANSWERS, "the answer")
    raise ValueError(f"must hold the answer as a text or an object, got {value!r:.80}")


def expectation(value: Any) -> str:
    """The reference: a text, `expected_response`, or the `expected_facts` one to a line; "" where nothing is expected.

    MLflow's `guidelines` are instructions to a judge and no reference.
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if not isinstance(value, Mapping):
        raise ValueError(f"must hold what is expected as a text or an object, got {value!r:.80}")
    for name in ("expected_response", "reference", "ground_truth", "expected_output", "expected_answer"):
        if isinstance(value.get(name), str):
            return str(value[name])
    facts = value.get("expected_facts")
    if isinstance(facts, list) and all(isinstance(fact, str) for fact in facts):
        return "\n".join(facts)
    rest = {name: item for name, item in value.items() if name not in ("guidelines", "expected_facts")}
    return _text_among(rest, _ANSWERS, "the reference") if rest else ""


def several(value: Any) -> Any:
    """A list as it is, one text as a list of one (empty for an empty text)."""
    if isinstance(value, str):
        return [value] if value.strip() else []
    return value


def texts(value: Any) -> list[str]:
    """The texts of a list of texts or of documents (`text`, `content`, `page_content`); ValueError for others."""
    found = []
    for item in several(value) or []:
        text = item if isinstance(item, str) else _text_of(item)
        if text is None:
            raise ValueError(f"holds a context that is neither a text nor a document: {item!r:.80}")
        found.append(text)
    return found


def _text_of(item: Any) -> str | None:
    if not isinstance(item, Mapping):
        return None
    return next((item[name] for name in _TEXTS if isinstance(item.get(name), str)), None)


def _text_among(value: Mapping[str, Any], names: tuple[str, ...], what: str) -> str:
    """The text under the first of the names that is there, or the only text there is."""
    for name in names:
        if isinstance(value.get(name), str):
            return str(value[name])
    strings = [item for item in value.values() if isinstance(item, str)]
    if len(strings) == 1:
        return strings[0]
    raise ValueError(f"holds {len(strings)} texts and none is called {names[0]!r} ({what}): {json.dumps(value)[:80]}")


def _last_message(messages: list[Any], role: str) -> str:
    for message in reversed(messages):
        if isinstance(message, Mapping) and message.get("role", message.get("type")) in (role, _LANGCHAIN[role]):
            content = message.get("content")
            if isinstance(content, str):
                return content
    raise ValueError(f"is a conversation without a message of the {role}")


_LANGCHAIN = {"user": "human", "assistant": "ai"}  # as LangChain, and with it ragas and LangSmith, call them
