"""OpenAICompatible against a scripted endpoint on loopback: answers, options, keys."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from genaiops.configuration import validated_data
from genaiops.errors import ConfigurationError
from genaiops.generation import REFUSAL, GenerationRequest
from genaiops.generation.catalog import GenerationSettings, ModelCard
from genaiops.generation.openai_compatible import OpenAICompatible, Patience
from genaiops.records import Chunk, Hit, Message, Query, Usage
from genaiops.testing import Reply, ScriptedModelServer

HITS = tuple(
    Hit(Chunk("doc.md", start, start + 5, text, "s", text), score=1.0, rank=rank)
    for rank, (start, text) in enumerate([(0, "Alpha"), (10, "Bravo")], start=1)
)


def request(**options: Any) -> GenerationRequest:
    messages = (Message("system", "Cite."), Message("user", "Which letter?"))
    return GenerationRequest(Query("Which letter?"), HITS, messages, options)


def generator(server: ScriptedModelServer, patience: Patience | None = None, **card: Any) -> OpenAICompatible:
    return OpenAICompatible(
        ModelCard(base_url=server.base_url, **{"timeout_s": 5.0, **card}),
        name="house-model",
        patience=patience or Patience(first_wait_s=0.01),
    )


def test_an_answer_carries_text_citations_usage_and_the_catalog_name() -> None:
    with ScriptedModelServer(Reply(chunks=["It is ", "B [2], ", "not Z [9]."], usage=(11, 7))) as server:
        answer = generator(server, model="m-1").generate(request())
    assert answer.text == "It is B [2], not Z [9]."
    assert [(c.marker, c.document_id, c.start, c.end, c.quote) for c in answer.citations] == [
        (2, "doc.md", 10, 15, "Bravo")
    ]
    assert (answer.model, answer.refused, answer.finish_reason) == ("house-model", False, "stop")
    assert answer.usage == Usage(11, 7, estimated=False)


def test_the_pieces_are_emitted_in_order_while_the_endpoint_still_writes() -> None:
    heard: list[tuple[str, float]] = []
    with ScriptedModelServer(Reply(chunks=["a", "b", "c"], interval_s=0.1)) as server:
        answer = generator(server).generate(request(), lambda piece: heard.append((piece, time.monotonic())))
    assert [piece for piece, _ in heard] == ["a", "b", "c"]
    assert answer.text == "abc"
    assert heard[2][1] - heard[0][1] > 0.15


def test_the_endpoint_gets_model_messages_and_limits_as_openai_writes_them() -> None:
    with ScriptedModelServer("ok") as server:
        generator(server, model="m-1", max_output_tokens=99).generate(request(temperature=0.5, seed=7))
        generator(server).generate(request(maxOutputTokens=12, sentences=3, support=0.2))
    first, second = (chat.body for chat in server.chats)
    assert first == {
        "model": "m-1",
        "messages": [{"role": "system", "content": "Cite."}, {"role": "user", "content": "Which letter?"}],
        "max_tokens": 99,
        "temperature": 0.5,
        "seed": 7,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    assert second["max_tokens"] == 12
    assert second["model"] == "house-model"
    assert not {"temperature", "seed", "sentences", "support"} & set(second)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"maxOutputTokens": 513}, "maxOutputTokens must be 1 to 512, got 513"),
        ({"maxOutputTokens": 0}, "maxOutputTokens must be 1 to 512, got 0"),
        ({"maxOutputTokens": 1.5}, "maxOutputTokens must be a whole number, got 1.5"),
        ({"temperature": 2.5}, "temperature must be 0 to 2, got 2.5"),
        ({"temperature": float("nan")}, "temperature must be a number, got nan"),
        ({"temperature": True}, "temperature must be a number, got True"),
        ({"seed": "x"}, "seed must be a whole number, got 'x'"),
    ],
)
def test_options_that_cannot_be_sent_are_refused_before_any_call(options: dict[str, Any], told: str) -> None:
    with ScriptedModelServer() as server:
        with pytest.raises(ConfigurationError) as caught:
            generator(server).generate(request(**options))
        assert server.requests == []
    assert told in str(caught.value)


@pytest.mark.parametrize("text", [REFUSAL, "I don't know."])
def test_a_refusal_is_marked_and_cites_nothing(text: str) -> None:
    with ScriptedModelServer(f"{text} [1]") as server:
        answer = generator(server).generate(request())
    assert (answer.refused, answer.citations) == (True, ())


def test_a_refusal_field_of_the_endpoint_is_a_refusal() -> None:
    body = b'data: {"choices":[{"delta":{"refusal":"No."},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
    with ScriptedModelServer(Reply(body=body)) as server:
        answer = generator(server).generate(request())
    assert (answer.text, answer.refused) == ("No.", True)


def test_usage_is_estimated_and_flagged_when_the_endpoint_reports_none() -> None:
    with ScriptedModelServer(Reply(text="äää", usage=None)) as server:
        answer = generator(server).generate(request())
    # "Cite." and "Which letter?" are 18 bytes, "äää" 6
    assert answer.usage == Usage(5, 2, estimated=True)


def test_characters_split_between_network_reads_arrive_whole() -> None:
    with ScriptedModelServer(Reply(chunks=["na", "ïve 日", "本 🙂"])) as server:
        assert generator(server).generate(request()).text == "naïve 日本 🙂"


def test_an_exception_out_of_emit_propagates_and_hangs_up_within_a_second() -> None:
    class Stop(Exception):
        pass

    def stop(piece: str) -> None:
        raise Stop

    with ScriptedModelServer(Reply(text="a b", stall_after=1)) as server:
        with pytest.raises(Stop):
            generator(server).generate(request(), stop)
        limit = time.monotonic() + 1
        while server.disconnects == 0 and time.monotonic() < limit:
            time.sleep(0.01)
        assert server.disconnects == 1
        assert len(server.chats) == 1


def test_one_generator_serves_many_threads_and_reuses_its_connections() -> None:
    with ScriptedModelServer(lambda body: "same", latency_s=0.05) as server, ThreadPoolExecutor(8) as pool:
        shared = generator(server)
        texts = [answer.text for answer in pool.map(shared.generate, [request()] * 24)]
        assert texts == ["same"] * 24
        assert server.open_connections <= 8
    assert sum(thread.name == "genaiops-models" for thread in threading.enumerate()) == 1


def test_a_generator_nobody_holds_gives_its_connections_back() -> None:
    with ScriptedModelServer() as server:
        generator(server).generate(request())
        gc.collect()
        limit = time.monotonic() + 2
        while server.open_connections and time.monotonic() < limit:
            time.sleep(0.01)
        assert server.open_connections == 0


# --- keys and cards -------------------------------------------------------------


def test_a_loopback_endpoint_needs_no_key_and_gets_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-user")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-of-the-user")
    with ScriptedModelServer() as server:
        generator(server).generate(request())
    assert not {"authorization", "openai-organization"} & set(server.requests[0].headers)


def test_a_key_named_by_the_card_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOUSE_KEY", "k-123")
    with ScriptedModelServer() as server:
        generator(server, api_key_env="HOUSE_KEY").generate(request())
    assert server.requests[0].headers["authorization"] == "Bearer k-123"


def test_a_proxy_of_the_environment_is_not_used_on_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with ScriptedModelServer("direct") as server:
        assert generator(server).generate(request()).text == "direct"


@pytest.mark.parametrize("base_url", ["", "https://models.example/v1", "http://10.0.0.1/v1"])
def test_a_missing_key_is_named_before_any_call(base_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOUSE_KEY", raising=False)
    with pytest.raises(ConfigurationError, match="the environment variable HOUSE_KEY is not set"):
        OpenAICompatible(ModelCard(base_url=base_url, api_key_env="HOUSE_KEY"), name="m")


def test_a_retired_model_is_refused_before_any_call() -> None:
    with ScriptedModelServer() as server:
        with pytest.raises(ConfigurationError, match="model 'house-model' retired on 2024-02-29"):
            generator(server, retires_on="2024-02-29")
        generator(server, retires_on="2999-01-01").generate(request())
        with pytest.raises(ConfigurationError, match="must be a date like 2027-04-01, got 'soon'"):
            generator(server, retires_on="soon")


@pytest.mark.parametrize("base_url", ["ftp://host/v1", "host/v1", "http://", "http://[::1/v1", "http://h:99999/v1"])
def test_a_base_url_that_is_no_http_address_is_refused(base_url: str) -> None:
    with pytest.raises(ConfigurationError, match="must be an http:// or https:// address"):
        OpenAICompatible(ModelCard(base_url=base_url), name="m")


def test_credentials_in_the_base_url_are_refused_and_never_shown() -> None:
    for settings in (ModelCard, GenerationSettings):
        with pytest.raises(ConfigurationError, match="without user and password") as caught:
            validated_data(settings, {"base_url": "http://user:hunter2@127.0.0.1:9/v1"}, where=str)
        assert "hunter2" not in str(caught.value)
    shown = repr(OpenAICompatible(ModelCard(base_url="http://127.0.0.1:9/v1?t=hunter2"), name="m"))
    assert shown == "OpenAICompatible(model='m', base_url='http://127.0.0.1:9/v1')"


def test_importing_the_module_loads_no_client() -> None:
    code = (
        "import sys, genaiops.generation.openai_compatible as m; "
        "print({'openai', 'httpx2', 'stamina', 'httpx'} & {*sys.modules})"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
