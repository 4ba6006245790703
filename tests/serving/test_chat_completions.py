"""The service as OpenAI clients see it: the official package, LangChain, and the bytes themselves."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from genaiops.records import Answer, Query
from tests.serving.running_service import CHUNK, MODEL, Echo, Fixed, Running, events, question, running

OURS = {
    "release": "r1",
    "refused": False,
    "citations": [
        {"marker": 1, "chunk_id": CHUNK.id, "document_id": "guide.md", "start": 10, "end": 21, "quote": "hello world"}
    ],
    "hits": [{"chunk_id": CHUNK.id, "document_id": "guide.md", "score": 0.75, "rank": 1}],
    "sensitivity": "",
}


@pytest.fixture(scope="module")
def client(service: Running) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{service.url}/v1", api_key="none", max_retries=0, timeout=5)


# --- clients that know nothing of us -----------------------------------------------


def test_the_official_client_gets_an_answer_with_citations(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "hello world"}])
    assert answer.choices[0].message.content == "r1:hello r1:world"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens) == (3, 2, 5)
    assert (answer.model_extra or {})["genaiops"] == OURS


def test_the_official_client_streams(client: openai.OpenAI) -> None:
    chunks = list(
        client.chat.completions.create(
            model=MODEL,
            messages=[{"role": "user", "content": "hello world"}],
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    pieces = [c.choices[0].delta.content for c in chunks if c.choices and c.choices[0].delta.content]
    assert pieces == ["r1:hello", " r1:world"]
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.total_tokens == 5


def test_the_official_client_lists_and_finds_models(client: openai.OpenAI) -> None:
    assert [(m.id, m.created, m.owned_by) for m in client.models.list()] == [(MODEL, 1_700_000_000, "genaiops")]
    assert client.models.retrieve(MODEL).id == MODEL
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("gpt-9")


def test_langchain_invokes_and_streams(service: Running) -> None:
    chat = ChatOpenAI(model=MODEL, base_url=f"{service.url}/v1", api_key=SecretStr("none"), temperature=0)
    assert chat.invoke("hello world").content == "r1:hello r1:world"
    talk = [("system", "Be kind."), ("human", "first"), ("ai", "ok"), ("human", "last")]
    assert chat.invoke(talk).content == "r1:last"
    assert "".join(str(chunk.content) for chunk in chat.stream("hello world")) == "r1:hello r1:world"


# --- the bytes ------------------------------------------------------------------------


def test_a_stream_is_openai_s_framing_to_the_letter(service: Running) -> None:
    body = question(stream=True, stream_options={"include_usage": True})
    response = httpx2.post(f"{service.url}/v1/chat/completions", json=body)
    *chunks, done = events(response)
    assert done == "[DONE]"
    head = {key: chunks[0][key] for key in ("id", "object", "created", "model")}
    assert head["object"] == "chat.completion.chunk"
    assert head["model"] == MODEL
    assert all({key: chunk[key] for key in head} == head for chunk in chunks)

    def choice(delta: dict[str, str], reason: str | None = None) -> list[dict[str, Any]]:
        return [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}]

    assert [chunk["choices"] for chunk in chunks] == [
        choice({"role": "assistant", "content": ""}),
        choice({"content": "r1:hello"}),
        choice({"content": " r1:world"}),
        choice({}, "stop"),
        [],
    ]
    assert [chunk["usage"] for chunk in chunks] == [None] * 4 + [
        {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    ]
    assert [chunk.get("genaiops") for chunk in chunks] == [None, None, None, OURS, None]
    assert response.headers["x-genaiops-release"] == "r1"


def test_without_include_usage_no_chunk_has_a_usage_key(service: Running) -> None:
    *chunks, _ = events(httpx2.post(f"{service.url}/v1/chat/completions", json=question(stream=True)))
    assert not any("usage" in chunk for chunk in chunks)


def test_the_pieces_arrive_while_the_answer_is_still_being_made(tmp_path: Path) -> None:
    with (
        running(Fixed({MODEL: Echo(pause_s=0.2)}), tmp_path) as service,
        httpx2.stream("POST", f"{service.url}/v1/chat/completions", json=question("a b c", stream=True)) as response,
    ):
        arrivals = [time.monotonic() for line in response.iter_lines() if '"content":"' in line]
    assert arrivals[-1] - arrivals[0] > 0.3


def test_small_answers_do_not_wait_for_delayed_acknowledgements(service: Running) -> None:
    seconds = []
    with httpx2.Client(base_url=service.url) as http:
        for _ in range(15):
            started = time.monotonic()
            http.post("/v1/chat/completions", json=question("x"))
            seconds.append(time.monotonic() - started)
    # With Nagle's algorithm on, nearly all take 40 ms or more; on a busy machine some always do.
    assert sorted(seconds)[5] < 0.03


def test_the_question_is_the_last_message_of_the_user_and_parts_are_joined(service: Running) -> None:
    messages = [
        {"role": "user", "content": "before"},
        {"role": "user", "content": [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]},
        {"role": "assistant", "content": None, "tool_calls": []},
        {"role": "developer", "content": "ignore the documents"},
    ]
    response = httpx2.post(f"{service.url}/v1/chat/completions", json={"model": MODEL, "messages": messages})
    assert response.json()["choices"][0]["message"]["content"] == "r1:one r1:two"


def test_settings_of_other_models_are_accepted_and_unknown_fields_ignored(service: Running) -> None:
    more: dict[str, Any] = {"temperature": 1, "top_p": 0.5, "max_tokens": 5, "seed": 1, "n": 1, "tools": [], "new": {}}
    response = httpx2.post(f"{service.url}/v1/chat/completions", json=question(**more))
    assert response.json()["choices"][0]["message"]["content"] == "r1:hello r1:world"


def test_a_servable_that_emits_nothing_is_streamed_all_the_same(tmp_path: Path) -> None:
    class Silent(Echo):
        def ask(self, query: Query, emit: Callable[[str], None]) -> Answer:
            return super().ask(query, lambda piece: None)

    with running(Fixed({MODEL: Silent()}), tmp_path) as service:
        *chunks, _ = events(httpx2.post(f"{service.url}/v1/chat/completions", json=question(stream=True)))
    text = "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks)
    assert text == "r1:hello r1:world"


def test_half_a_surrogate_in_an_answer_breaks_nothing(tmp_path: Path) -> None:
    class Broken(Echo):
        def ask(self, query: Query, emit: Callable[[str], None]) -> Answer:
            emit("\ud800")
            return dataclasses.replace(super().ask(query, lambda piece: None), text="\ud800")

    with running(Fixed({MODEL: Broken()}), tmp_path) as service:
        responses = [
            httpx2.post(f"{service.url}/v1/chat/completions", json=question(stream=stream)) for stream in (False, True)
        ]
    assert [response.status_code for response in responses] == [200, 200]
    assert all("\\ud800" in response.text for response in responses)


@pytest.mark.parametrize("given", ["trace-42", "a.b:c_d-e"])
def test_a_request_id_is_echoed_and_a_bad_one_replaced(service: Running, given: str) -> None:
    assert httpx2.get(f"{service.url}/livez", headers={"X-Request-ID": given}).headers["x-request-id"] == given
    for bad in ("x" * 129, "two words", ""):
        made = httpx2.get(f"{service.url}/livez", headers={"X-Request-ID": bad}).headers["x-request-id"]
        assert len(made) == 32
        assert made != bad


def test_importing_the_room_loads_no_web_framework() -> None:
    code = "import sys, genaiops.serving; print({'fastapi', 'starlette', 'uvicorn', 'openai'} & {*sys.modules})"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
