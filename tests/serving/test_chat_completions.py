"""The service as OpenAI clients see it: the official package, LangChain, and the bytes themselves."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from genaiops.errors import ConfigurationError, IntegrityError, ModelError, ModelTimeout
from genaiops.records import Answer, Query
from genaiops.serving import ServiceSettings
from tests.serving.running_service import CHUNK, MODEL, Echo, Fixed, Running, question, running

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
def echo() -> Echo:
    return Echo()


@pytest.fixture(scope="module")
def service(echo: Echo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(Fixed({MODEL: echo}), tmp_path_factory.mktemp("keys")) as service:
        yield service


@pytest.fixture(scope="module")
def client(service: Running) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{service.url}/v1", api_key="none", max_retries=0, timeout=5)


def events(response: httpx2.Response) -> list[Any]:
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    lines = response.text.split("\n\n")
    assert lines.pop() == ""
    assert all(line.startswith("data: ") and "\n" not in line for line in lines)
    return [line[6:] if line == "data: [DONE]" else json.loads(line[6:]) for line in lines]


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


# --- what is refused -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "param", "told"),
    [
        ({"n": 2}, "n", "n must be 1, got 2"),
        ({"tools": [{"type": "function"}]}, "tools", "tools are not supported"),
        ({"logprobs": True}, "logprobs", "logprobs are not supported"),
        ({"response_format": {"type": "json_object"}}, "response_format", "response_format must be text"),
        ({"temperature": 3}, "temperature", "temperature: Input should be less than or equal to 2"),
        ({"temperature": "hot"}, "temperature", "temperature: Input should be a valid number"),
        ({"stream": "yes"}, "stream", "stream: Input should be a valid boolean"),
        ({"model": None}, "model", "model: Input should be a valid string"),
        ({"messages": []}, "messages", "messages: List should have at least 1 item"),
        ({"messages": [{"role": "system", "content": "x"}]}, "messages", "no message with role user"),
        ({"messages": [{"role": "user", "content": " \n"}]}, "messages.0.content", "is empty"),
        ({"messages": [{"role": "boss", "content": "x"}]}, "messages.0.role", "Input should be 'system'"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]},
            "messages.0.content",
            "only parts of type text",
        ),
        (
            {"messages": [{"role": "user", "content": "x" * 10_001}]},
            "messages.0.content",
            "has 10,001 characters, at most 10,000",
        ),
    ],
)
def test_a_request_that_cannot_be_served_says_which_field_and_why(
    service: Running, echo: Echo, change: dict[str, Any], param: str, told: str
) -> None:
    asked = len(echo.started)
    response = httpx2.post(f"{service.url}/v1/chat/completions", json={**question(), **change})
    error = response.json()["error"]
    assert response.status_code == 400
    assert set(error) == {"message", "type", "param", "code"}
    assert error["type"] == "invalid_request_error"
    assert error["param"] == param
    assert told in error["message"]
    assert len(echo.started) == asked


def test_an_unknown_model_is_404_and_names_those_there_are(service: Running) -> None:
    response = httpx2.post(f"{service.url}/v1/chat/completions", json=question() | {"model": "gpt-9"})
    assert response.status_code == 404
    assert response.json()["error"] == {
        "message": f"no model 'gpt-9' here; there is {MODEL}",
        "type": "invalid_request_error",
        "param": "model",
        "code": "model_not_found",
    }


def test_unknown_paths_and_methods_have_openai_s_error_shape(service: Running) -> None:
    for method, path, status in [
        ("GET", "/v1/nothing", 404),
        ("GET", "/docs", 404),
        ("GET", "/v1/chat/completions", 405),
        ("POST", "/v1/models/", 405),
        ("GET", "/livez/", 404),
    ]:
        response = httpx2.request(method, service.url + path)
        assert response.status_code == status, path
        assert set(response.json()["error"]) == {"message", "type", "param", "code"}


def test_the_openapi_document_describes_the_request(service: Running) -> None:
    spec = httpx2.get(f"{service.url}/openapi.json").json()
    post = spec["paths"]["/v1/chat/completions"]["post"]
    assert "messages" in post["requestBody"]["content"]["application/json"]["schema"]["properties"]


def test_a_body_that_is_not_declared_json_is_415(service: Running) -> None:
    response = httpx2.post(f"{service.url}/v1/chat/completions", content=json.dumps(question()))
    assert (response.status_code, response.json()["error"]["code"]) == (415, "unsupported_media_type")


def test_a_body_that_is_too_large_is_413(tmp_path: Path) -> None:
    with running(Fixed({MODEL: Echo()}), tmp_path, settings=ServiceSettings(max_body_bytes=20_000)) as service:
        for size, status in ((19_000, 400), (21_000, 413), (160_000, 413)):
            body = question("x" * 20_001, pad="y" * (size - 20_000)) if status == 413 else question("", pad="y" * size)
            response = httpx2.post(f"{service.url}/v1/chat/completions", json=body)
            assert response.status_code == status, size
    assert response.json()["error"]["message"] == "the body is larger than 20,000 bytes"


@pytest.mark.parametrize("declared", [True, False])
def test_a_flood_is_cut_off_before_it_was_read(tmp_path: Path, declared: bool) -> None:
    sent = 0

    def body() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(1000):
            sent += 100_000
            yield b" " * 100_000

    headers = {"Content-Type": "application/json"} | ({"Content-Length": "100000000"} if declared else {})
    with running(Fixed({MODEL: Echo()}), tmp_path, settings=ServiceSettings(max_body_bytes=20_000)) as service:
        try:
            response = httpx2.post(f"{service.url}/v1/chat/completions", content=body(), headers=headers)
            assert (response.status_code, response.json()["error"]["code"]) == (413, "request_too_large")
        except (httpx2.WriteError, httpx2.ReadError):
            pass  # the service had hung up while we were still sending
    assert sent < 50_000_000  # what the kernel's buffers swallow, not what we offered


def test_a_body_that_does_not_arrive_is_408(tmp_path: Path) -> None:
    def body() -> Iterator[bytes]:
        yield b"{"
        time.sleep(1)
        yield b"}"

    with running(Fixed({MODEL: Echo()}), tmp_path, settings=ServiceSettings(body_s=0.2)) as service:
        started = time.monotonic()
        response = httpx2.post(
            f"{service.url}/v1/chat/completions", content=body(), headers={"Content-Type": "application/json"}
        )
    assert response.status_code == 408
    assert time.monotonic() - started < 2


# --- what fails ----------------------------------------------------------------------

FAILURES = [
    (ModelTimeout("http://10.0.0.9/v1 took 30 s"), 504, "upstream_timeout", "5"),
    (ModelError("cannot reach http://10.0.0.9/v1"), 503, "upstream_unavailable", "5"),
    (ModelError("http://10.0.0.9 is busy", retry_after_s=6.2), 503, "upstream_unavailable", "7"),
    (ModelError("garbage from http://10.0.0.9", retryable=False), 502, "upstream_error", None),
    (ConfigurationError("/srv/secret/path", remedy="edit /srv/secret"), 503, "release_unusable", None),
    (IntegrityError("/srv/secret/manifest.json"), 503, "release_unusable", None),
    (ZeroDivisionError("at 10.0.0.9 in /srv/secret"), 500, "internal_error", None),
]


def failing(error: Exception, at_word: int) -> Echo:
    def fail(word: int) -> None:
        if word == at_word:
            raise error

    return Echo(fail=fail)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("error", "status", "code", "retry"), FAILURES)
def test_a_failure_has_its_status_and_tells_nothing_of_the_inside(
    tmp_path: Path, error: Exception, status: int, code: str, retry: str | None, stream: bool
) -> None:
    with running(Fixed({MODEL: failing(error, 0)}), tmp_path) as service:
        response = httpx2.post(f"{service.url}/v1/chat/completions", json=question(stream=stream))
    assert response.status_code == status
    assert response.headers.get("retry-after") == retry
    assert response.headers["x-genaiops-release"] == "r1"
    assert response.json()["error"]["code"] == code
    assert response.json()["error"]["type"] == "server_error"
    assert not any(secret in response.text for secret in ("10.0.0.9", "/srv", "Traceback"))


def test_a_stream_that_fails_half_way_ends_with_an_error_event_and_no_done(tmp_path: Path) -> None:
    with running(Fixed({MODEL: failing(ModelError("cut at 10.0.0.9"), 1)}), tmp_path) as service:
        response = httpx2.post(f"{service.url}/v1/chat/completions", json=question(stream=True))
        *chunks, last = events(response)
        client = openai.OpenAI(base_url=f"{service.url}/v1", api_key="none", max_retries=0)
        with pytest.raises(openai.APIError, match="cannot answer now"):
            list(client.chat.completions.create(**question(stream=True)))
    assert [chunk["choices"][0]["delta"].get("content") for chunk in chunks] == ["", "r1:hello"]
    assert last["error"]["code"] == "upstream_unavailable"
    assert "10.0.0.9" not in response.text


# --- probes -----------------------------------------------------------------------------


def test_readiness_follows_the_releases_and_liveness_does_not(tmp_path: Path) -> None:
    models = Fixed(problems={MODEL: "release abc cannot be loaded"})
    with running(models, tmp_path) as service:
        assert httpx2.get(f"{service.url}/livez").json() == {"status": "live"}
        unready = httpx2.get(f"{service.url}/readyz")
        assert unready.status_code == 503
        assert unready.json()["problems"] == [{"model": MODEL, "reason": "release abc cannot be loaded"}]
        refused = httpx2.post(f"{service.url}/v1/chat/completions", json=question())
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "not_ready")

        models.models[MODEL] = Echo()
        assert httpx2.get(f"{service.url}/readyz").json()["status"] == "degraded"
        models.problems.clear()
        ready = httpx2.get(f"{service.url}/readyz")
        assert (ready.status_code, ready.json()) == (200, {"status": "ready", "models": {MODEL: "r1"}, "problems": []})


def test_an_upstream_outage_degrades_readiness_until_the_next_good_answer(tmp_path: Path) -> None:
    echo = failing(ModelError("cannot reach http://10.0.0.9"), 0)
    with running(Fixed({MODEL: echo}), tmp_path) as service:
        httpx2.post(f"{service.url}/v1/chat/completions", json=question())
        degraded = httpx2.get(f"{service.url}/readyz")
        assert (degraded.status_code, degraded.json()["status"]) == (200, "degraded")
        reason = f"the model behind {MODEL} cannot answer now"
        assert degraded.json()["problems"] == [{"model": MODEL, "reason": reason}]
        echo.fail = lambda word: None
        httpx2.post(f"{service.url}/v1/chat/completions", json=question())
        assert httpx2.get(f"{service.url}/readyz").json()["status"] == "ready"


def test_importing_the_room_loads_no_web_framework() -> None:
    code = "import sys, genaiops.serving; print({'fastapi', 'starlette', 'uvicorn', 'openai'} & {*sys.modules})"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
