"""Requests that cannot be served: each is refused in OpenAI's shape, before anything is asked."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from genaiops.serving import ServiceSettings
from tests.serving.running_service import MODEL, Echo, Fixed, Running, question, running


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
