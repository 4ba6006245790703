"""An embeddings endpoint over real HTTP: what is asked, what is accepted, what is tried again."""

from __future__ import annotations

import json
import logging
import math
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from genaiops.embedding import Embedder, EmbeddingSettings, embedder_for, load_embedder
from genaiops.embedding.cache import VectorCache
from genaiops.embedding.endpoint import EndpointEmbedder, Patience
from genaiops.errors import ConfigurationError, ModelError, ModelTimeout
from genaiops.testing import Reply, ScriptedModelServer
from tests.contracts.embedder_contract import EmbedderContract

QUICK = Patience(attempts=4, connect_s=1, first_wait_s=0.01)


def embedder_at(server: ScriptedModelServer, **settings: Any) -> EndpointEmbedder:
    given: dict[str, Any] = {"model": "encoder", "base_url": server.base_url, "dimensions": 32, **settings}
    return EndpointEmbedder(EmbeddingSettings(**given), patience=QUICK)


class TestEndpoint(EmbedderContract):
    @pytest.fixture
    def embedder(self) -> Iterator[Embedder]:
        with ScriptedModelServer() as server:
            yield embedder_at(server)


def answer(vectors: list[Any], **row: Any) -> Reply:
    rows = [{"index": n, "embedding": vector, **row} for n, vector in enumerate(vectors)]
    return Reply(body=json.dumps({"data": rows}).encode())


# --- what is asked ------------------------------------------------------------------


def test_requests_are_bounded_in_texts_and_tokens_and_sorted_by_length() -> None:
    texts = ["a" * 30 * n for n in range(1, 11)]
    with ScriptedModelServer() as server:
        embedder_at(server, batch_texts=3, batch_tokens=150, concurrency=1).embed(texts)
        asked = [request.body["input"] for request in server.embeddings]
    assert sorted(text for batch in asked for text in batch) == sorted(texts)
    assert [len(text) for batch in asked for text in batch] == sorted(map(len, texts), reverse=True)
    for batch in asked:
        assert len(batch) <= 3
        assert len(batch) == 1 or sum(1 + len(text) // 3 for text in batch) <= 150


def test_dimensions_are_asked_for_and_model_and_key_are_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENCODER_KEY", "sk-secret")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-openai")
    with ScriptedModelServer() as server:
        assert embedder_at(server, dimensions=16, api_key_env="ENCODER_KEY").embed(["a"]).shape == (1, 16)
        embedder_at(server, dimensions=None).embed(["a"])
    first, *others = server.embeddings
    assert first.body == {"model": "encoder", "input": ["a"], "encoding_format": "float", "dimensions": 16}
    assert first.headers["authorization"] == "Bearer sk-secret"
    assert all("dimensions" not in request.body for request in others)
    assert all("authorization" not in request.headers for request in others)  # OpenAI's key is not for loopback


def test_no_more_requests_at_once_than_asked_for() -> None:
    now, most, lock = 0, 0, threading.Lock()

    def count(body: dict[str, Any]) -> None:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.02)
        with lock:
            now -= 1

    with ScriptedModelServer(vectors=count) as server:
        embedder_at(server, batch_texts=1, concurrency=3).embed([f"text {n}" for n in range(20)])
    assert 2 <= most <= 3


def test_an_unknown_dimension_is_asked_for_once_and_kept(tmp_path: Path) -> None:
    with ScriptedModelServer(dimension=24) as server:
        settings = EmbeddingSettings(model="encoder", base_url=server.base_url)
        cache = VectorCache(tmp_path / "cache.db")
        assert EndpointEmbedder(settings, cache).dimension == 24
        assert EndpointEmbedder(settings, cache).dimension == 24
        assert len(server.embeddings) == 1


# --- what is accepted ---------------------------------------------------------------


def test_vectors_are_scaled_to_length_one_whatever_their_size() -> None:
    huge, tiny = [3e200, 4e200], [0.0, -5e-200]
    with ScriptedModelServer(vectors=[answer([huge, tiny])]) as server:
        found = embedder_at(server, dimensions=2).embed(["longer", "short"])
    assert found == pytest.approx(np.array([[0.6, 0.8], [0, -1]]))


def test_rows_are_put_in_order_by_their_index() -> None:
    rows = [{"index": 1, "embedding": [0, 1]}, {"index": 0, "embedding": [1, 0]}]
    with ScriptedModelServer(vectors=[Reply(body=json.dumps({"data": rows}).encode())]) as server:
        assert embedder_at(server, dimensions=2).embed(["longer", "short"]).tolist() == [[1, 0], [0, 1]]


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (answer([[1, 0]]), "1 vectors"),
        (answer([[1, 0], [0, 1], [1, 1]]), "3 vectors"),
        (answer([[1, 0], [0, 1]], index=0), "2 vectors, numbered 0, for 2 texts"),
        (answer([[1, 0], [0, 1, 1]]), "vectors of 2, 3 numbers"),
        (answer([[1, 0, 0], [0, 1, 0]]), "3 numbers, 2 are expected"),
        (answer([[], []]), "0 numbers"),
        (answer([[1, math.nan], [0, 1]]), "not finite"),
        (answer([[1, 0], [0, math.inf]]), "not finite"),
        (answer([[1, 0], [0, 10**400]]), "not finite"),
        (answer([[1, 0], [0, 0]]), "zeros"),
        (answer([[1, 0], ["0", 1]]), "no lists of numbers"),
        (answer([[1, 0], [True, 1]]), "no lists of numbers"),
        (answer([[1, 0], None]), "no lists of numbers"),
        (answer(["AAAA", "AAAA"]), "no lists of numbers"),
        (Reply(body=b'{"data": [1, 2]}'), "no embeddings"),
        (Reply(body=b'{"error": {}}'), "no embeddings"),
        (Reply(body=b"<html>"), "no embeddings"),
        (Reply(body=b"[" * 100_000), "no embeddings"),
        (Reply(body=b""), "no embeddings"),
    ],
)
def test_a_wrong_answer_is_an_error_and_never_a_vector(reply: Reply, said: str) -> None:
    with ScriptedModelServer(vectors=reply) as server:
        with pytest.raises(ModelError, match=said) as caught:
            embedder_at(server, dimensions=2).embed(["longer", "short"])
        assert len(server.embeddings) == 1  # the same again would be as wrong
    assert not caught.value.retryable
    assert caught.value.exit_code == 3


def test_an_endless_answer_is_cut_off() -> None:
    endless = Reply(body=b" " * 3_000_000)
    with ScriptedModelServer(vectors=endless) as server, pytest.raises(ModelError, match="more than 1,400,000 bytes"):
        embedder_at(server).embed(["a"])


# --- what is tried again ------------------------------------------------------------


@pytest.mark.parametrize(
    "fault", [Reply(status=429), Reply(status=500), Reply(status=503), Reply(drop_connection=True)]
)
def test_passing_faults_are_tried_again(fault: Reply) -> None:
    with ScriptedModelServer(vectors=[fault, fault, None]) as server:
        assert embedder_at(server).embed(["a"]).shape == (1, 32)
        assert len(server.embeddings) == 3


LASTING = [
    (302, "redirects"),
    (400, "chunking.size"),
    (401, "ENCODER_KEY"),
    (404, "'encoder'"),
    (413, "batch"),
    (422, "its log"),
]


@pytest.mark.parametrize(("status", "said"), LASTING)
def test_lasting_faults_are_told_at_once(status: int, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENCODER_KEY", "sk-secret")
    with ScriptedModelServer(vectors=Reply(status=status, text="no: sk-secret")) as server:
        with pytest.raises(ModelError) as caught:
            embedder_at(server, api_key_env="ENCODER_KEY").embed(["a"])
        assert len(server.embeddings) == 1
    assert caught.value.status == status
    assert said in str(caught.value)
    assert "sk-secret" not in str(caught.value)


def test_retry_after_is_waited_for() -> None:
    with ScriptedModelServer(vectors=[Reply(status=429, retry_after=0.4)]) as server:
        embedder_at(server).embed(["a"])
        first, second = server.embeddings
    assert second.at - first.at >= 0.4


def test_a_wait_that_does_not_fit_into_the_time_is_not_begun() -> None:
    start = time.monotonic()
    with ScriptedModelServer(vectors=Reply(status=429, retry_after=3600)) as server:
        with pytest.raises(ModelError) as caught:
            embedder_at(server).embed(["a"])
        assert len(server.embeddings) == 1
    assert caught.value.retry_after_s == 3600
    assert time.monotonic() - start < 2


def test_a_slow_endpoint_is_given_up_in_time() -> None:
    start = time.monotonic()
    with ScriptedModelServer(vectors=Reply(delay_s=30)) as server, pytest.raises(ModelTimeout, match="within 0"):
        settings = EmbeddingSettings(model="m", base_url=server.base_url, dimensions=2, timeout_s=0.2)
        EndpointEmbedder(settings, patience=Patience(attempts=2, first_wait_s=0.01)).embed(["a"])
    assert time.monotonic() - start < 3


def test_nobody_at_the_address_is_said_with_what_to_do() -> None:
    with ScriptedModelServer() as server:
        embedder = embedder_at(server)
    with pytest.raises(ModelError, match="cannot be reached") as caught:
        embedder.embed(["a"])
    assert "start the endpoint" in caught.value.remedy


def test_the_first_fault_of_many_requests_ends_them_all() -> None:
    with ScriptedModelServer(vectors=Reply(status=400)) as server:
        with pytest.raises(ModelError):
            embedder_at(server, batch_texts=1, concurrency=2).embed([f"text {n}" for n in range(200)])
        time.sleep(0.1)
        assert len(server.embeddings) < 20


def test_the_key_is_in_no_log_and_no_repr(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENCODER_KEY", "sk-secret")
    with caplog.at_level(logging.DEBUG), ScriptedModelServer(vectors=[Reply(status=500)]) as server:
        embedder = embedder_at(server, api_key_env="ENCODER_KEY")
        embedder.embed(["a"])
    assert "sk-secret" not in caplog.text + repr(embedder) + repr(vars(embedder))


# --- who it is ----------------------------------------------------------------------


def test_the_fingerprint_is_model_dimensions_and_host() -> None:
    def of(**given: Any) -> str:
        base: dict[str, Any] = {"model": "m", "base_url": "http://localhost:1/v1", "dimensions": 8}
        return EndpointEmbedder(EmbeddingSettings(**{**base, **given})).fingerprint

    same = {of(), of(base_url="http://localhost:2/other"), of(batch_texts=2), of(timeout_s=1.0)}
    assert len(same) == 1
    others = {of(model="n"), of(dimensions=9), of(dimensions=None), of(base_url="http://127.0.0.1:1/v1")}
    assert len(others | same) == 5


def test_a_remote_endpoint_needs_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(ConfigurationError, match="OPENAI_API_KEY is not set"):
        embedder_for(EmbeddingSettings(model="m", base_url="https://embeddings.example/v1"))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"base_url": "ftp://x/v1"}, "no http"),
        ({"base_url": "localhost:80"}, "no http"),
        ({"base_url": "http://user:secret@localhost/v1"}, "without user"),
        ({"base_url": "http://localhost/v1?key=secret"}, "without user"),
        ({"base_url": "http://localhost/v1", "precision": "bf16"}, "precision decides nothing"),
        ({"base_url": "http://localhost/v1", "fast_start": False}, "fast_start decides nothing"),
        ({"batch_texts": 0}, "greater than or equal to 1"),
        ({"dimensions": 0}, "greater than or equal to 1"),
        ({"timeout_s": 0.0}, "greater than 0"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        EmbeddingSettings(**given)


def test_what_only_an_endpoint_obeys_is_refused_for_weights_here() -> None:
    with pytest.raises(ConfigurationError, match=r"embedding\.dimensions is for endpoints") as caught:
        load_embedder(EmbeddingSettings(dimensions=128))
    assert "base_url" in caught.value.remedy
