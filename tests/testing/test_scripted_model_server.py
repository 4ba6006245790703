"""What a user of ScriptedModelServer may rely on."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import httpx2
import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam

from genaiops.testing import Reply, ScriptedModelServer

ASK: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Capital of France?"}]


def client(server: ScriptedModelServer) -> openai.OpenAI:
    return openai.OpenAI(base_url=server.base_url, api_key="any", max_retries=0, timeout=5)


def raw_stream(server: ScriptedModelServer, **more: object) -> list[str]:
    body = {"model": "m", "messages": ASK, "stream": True, **more}
    response = httpx2.post(f"{server.base_url}/chat/completions", json=body)
    assert response.headers["content-type"] == "text/event-stream"
    return [line for line in response.text.split("\n\n") if line]


def test_the_official_client_gets_the_scripted_text_and_the_request_is_recorded() -> None:
    with ScriptedModelServer(replies=["Paris.", "Rome."]) as server:
        answers = [
            client(server).chat.completions.create(model="m", messages=ASK).choices[0].message.content for _ in "12"
        ]
    assert answers == ["Paris.", "Rome."]
    assert [request.body["messages"] for request in server.requests] == [ASK, ASK]
    assert server.requests[0].headers["authorization"] == "Bearer any"


def test_a_stream_follows_the_openai_form_to_the_letter() -> None:
    with ScriptedModelServer(replies=Reply(chunks=["Pa", "ris"], usage=(3, 2))) as server:
        lines = raw_stream(server, stream_options={"include_usage": True})
    assert lines[-1] == "data: [DONE]"
    chunks = [json.loads(line.removeprefix("data: ")) for line in lines[:-1]]
    assert {(c["id"], c["object"], c["created"], c["model"]) for c in chunks} == {
        (chunks[0]["id"], "chat.completion.chunk", chunks[0]["created"], "m")
    }
    assert chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert [c["choices"][0]["delta"].get("content") for c in chunks[1:3]] == ["Pa", "ris"]
    assert chunks[3]["choices"][0] == {"index": 0, "delta": {}, "logprobs": None, "finish_reason": "stop"}
    assert [c["usage"] for c in chunks[:-1]] == [None] * 4
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"] == {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}


def test_without_include_usage_no_chunk_speaks_of_usage() -> None:
    with ScriptedModelServer(replies="Paris") as server:
        assert not any("usage" in line for line in raw_stream(server))


def test_a_function_sees_the_request_and_decides() -> None:
    with ScriptedModelServer(replies=lambda body: body["messages"][0]["content"].upper()) as server:
        answer = client(server).chat.completions.create(model="m", messages=ASK)
    assert answer.choices[0].message.content == "CAPITAL OF FRANCE?"


def test_a_request_beyond_the_script_is_refused_and_says_so() -> None:
    with ScriptedModelServer(replies=["one"]) as server:
        client(server).chat.completions.create(model="m", messages=ASK)
        with pytest.raises(openai.BadRequestError, match="the script has 1 replies, this is request 2"):
            client(server).chat.completions.create(model="m", messages=ASK)


def test_status_and_retry_after_reach_the_client() -> None:
    reply = Reply(status=429, retry_after=7, text="slow down")
    refused = pytest.raises(openai.RateLimitError, match="slow down")
    with ScriptedModelServer(replies=reply) as server, refused as caught:
        client(server).chat.completions.create(model="m", messages=ASK)
    assert caught.value.response.headers["retry-after"] == "7"


@pytest.mark.parametrize("reply", [Reply(drop_connection=True), Reply(text="a b c", drop_after=2)])
def test_a_dropped_connection_is_an_error_at_the_client(reply: Reply) -> None:
    with ScriptedModelServer(replies=reply) as server, pytest.raises((openai.APIConnectionError, httpx2.HTTPError)):
        list(client(server).chat.completions.create(model="m", messages=ASK, stream=True))


def test_a_client_that_leaves_a_stalled_stream_is_noticed() -> None:
    with ScriptedModelServer(replies=Reply(text="a b", stall_after=1)) as server:
        stream = client(server).chat.completions.create(model="m", messages=ASK, stream=True)
        assert isinstance(stream, openai.Stream)
        next(stream)
        next(stream)
        stream.close()
        deadline = time.monotonic() + 2
        while server.disconnects == 0 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert server.disconnects == 1


def test_leaving_the_block_ends_hanging_replies_at_once() -> None:
    with ScriptedModelServer(replies=Reply(delay_s=60)) as server, ThreadPoolExecutor(1) as pool:
        hanging = pool.submit(lambda: client(server).chat.completions.create(model="m", messages=ASK))
        while not server.requests:
            time.sleep(0.01)
        started = time.monotonic()
        server.__exit__(None, None, None)
        with pytest.raises(openai.APIConnectionError):
            hanging.result(timeout=5)
    assert time.monotonic() - started < 1


def test_latency_holds_under_32_at_once() -> None:
    http = httpx2.Client(limits=httpx2.Limits(max_connections=32))
    with http, ScriptedModelServer(replies="ok", latency_s=0.3) as server, ThreadPoolExecutor(32) as pool:

        def ask(_: int) -> float:
            started = time.monotonic()
            http.post(f"{server.base_url}/chat/completions", json={"messages": ASK}).raise_for_status()
            return time.monotonic() - started

        seconds = list(pool.map(ask, range(32)))
    assert min(seconds) >= 0.3
    assert max(seconds) < 1.2  # one after the other would take 9.6 s


def test_embeddings_are_unit_vectors_that_depend_on_the_text_alone() -> None:
    with ScriptedModelServer(dimension=48) as server:
        vectors = [d.embedding for d in client(server).embeddings.create(model="m", input=["a", "b", "a"]).data]
        plain = client(server).embeddings.create(model="m", input="a", encoding_format="float").data[0].embedding
    assert vectors[0] == vectors[2] != vectors[1]
    assert [len(v) for v in vectors] == [48, 48, 48]
    assert all(math.isclose(math.hypot(*v), 1, abs_tol=1e-6) for v in vectors)
    assert plain == pytest.approx(vectors[0], abs=1e-6)


def test_models_are_listed_and_unknown_paths_are_404() -> None:
    with ScriptedModelServer(models=["m1", "m2"]) as server:
        assert [model.id for model in client(server).models.list()] == ["m1", "m2"]
        assert httpx2.get(f"{server.base_url}/nothing").json()["error"]["message"] == "no such path /v1/nothing"


def test_importing_it_loads_nothing_heavy() -> None:
    code = "import sys, genaiops.testing; print({'openai', 'fastapi', 'httpx', 'numpy'} & {*sys.modules})"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
