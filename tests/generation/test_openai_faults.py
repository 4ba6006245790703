"""What OpenAICompatible does when its endpoint misbehaves: the error text, the number of calls, the time."""

from __future__ import annotations

import logging
import socket
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from genaiops.endpoints import retry_after
from genaiops.errors import ModelError, ModelTimeout
from genaiops.generation import GenerationRequest
from genaiops.generation.catalog import ModelCard
from genaiops.generation.openai_compatible import OpenAICompatible, Patience
from genaiops.records import Message, Query
from genaiops.testing import Reply, ScriptedModelServer

REQUEST = GenerationRequest(Query("q"), (), (Message("user", "q"),))
QUICK = Patience(first_wait_s=0.01)


def generator(base_url: str, patience: Patience = QUICK, **card: Any) -> OpenAICompatible:
    return OpenAICompatible(ModelCard(base_url=base_url, **{"timeout_s": 3.0, **card}), name="m", patience=patience)


def failure(server: ScriptedModelServer, patience: Patience = QUICK, **card: Any) -> ModelError:
    with pytest.raises(ModelError) as caught:
        generator(server.base_url, patience, **card).generate(REQUEST)
    assert server.base_url in caught.value.what
    assert caught.value.remedy
    return caught.value


# --- answers that are none: told at once, never tried again ------------------------


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (Reply(body=b"garbage"), "answered without a single word"),
        (Reply(body=b"data: garbage\n\n"), "sent events that are not JSON"),
        (Reply(body=b'data: {"choices": [{"del\n\n'), "sent events that are not JSON"),
        (Reply(body=b"data: \xff\xfe\n\n"), "sent events that are not JSON"),
        (Reply(body=b"data: " + b"[" * 200_000 + b"\n\n"), "sent events that are not JSON"),
        (Reply(body=b'data: {"answer": 42}\n\n'), "sent events that are not chat completion chunks"),
        (Reply(body=b"data: [1]\n\n"), "sent events that are not chat completion chunks"),
        (Reply(body=b'data: "x"\n\n'), "sent events that are not chat completion chunks"),
        (Reply(body=b'data: {"choices": "x"}\n\n'), "sent events that are not chat completion chunks"),
        (Reply(body=b'data: {"choices": [7]}\n\n'), "sent events that are not chat completion chunks"),
        (Reply(body=b'data: {"choices": [{"delta": {"content": 7}}]}\n\n'), "sent a chunk whose content is not text"),
        (Reply(body=b'data: {"choices": []}\n\ndata: [DONE]\n\n'), "answered without a single word"),
        (Reply(text=""), "answered without a single word"),
        (Reply(text="", finish_reason="length"), "spent every token it may make before the first word"),
        (Reply(text="", finish_reason="content_filter"), "its content filter stopped it"),
        (Reply(text="half an", end=False), "ended the stream before the answer was complete"),
        (Reply(chunks=["x" * 4000], endless=True), "sent more than 16,384 characters for one answer"),
        (Reply(body=b"data: " + b"x" * 8_000_000), "sent more than 7,553,600 bytes for one answer"),
        (Reply(body=b"x", headers={"Content-Encoding": "gzip"}), "sent a compressed answer nobody asked for"),
    ],
)
def test_a_broken_answer_is_one_error_with_its_reason(reply: Reply, told: str) -> None:
    with ScriptedModelServer(reply) as server:
        error = failure(server)
    assert told in error.what
    assert not error.retryable
    assert len(server.chats) == 1


@pytest.mark.parametrize(
    ("reply", "told", "remedy"),
    [
        (Reply(status=400, text="too\nlong"), "answered 400: too long", "check the prompt's options"),
        (Reply(status=401, text="bad key"), "answered 401: bad key", "environment variable OPENAI_API_KEY"),
        (Reply(status=404, text="no model"), "answered 404: no model", "does it know the model 'm'?"),
        (Reply(status=422, body=b"{}"), "answered 422", "check the prompt's options"),
        (Reply(status=307, headers={"Location": "http://127.0.0.1:9/"}), "answered 307", "redirects are not followed"),
        (
            Reply(status=429, body=b'{"error": {"message": "no credit", "code": "insufficient_quota"}}'),
            "answered 429: no credit",
            "out of quota",
        ),
    ],
)
def test_a_refused_request_is_never_tried_again(reply: Reply, told: str, remedy: str) -> None:
    with ScriptedModelServer(reply) as server:
        error = failure(server)
    assert told in error.what
    assert remedy in error.remedy
    assert error.status == reply.status
    assert not error.retryable
    assert len(server.chats) == 1


# --- faults that may pass: tried again, within bounds -------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        Reply(status=429, retry_after=0),
        Reply(status=500),
        Reply(status=503, body=b"<html>down</html>"),
        Reply(drop_connection=True),
        Reply(text="a b", drop_after=1),
        Reply(body=b'data: {"error": {"message": "busy", "type": "server_error"}}\n\n'),
    ],
)
def test_a_passing_fault_is_tried_again(fault: Reply) -> None:
    with ScriptedModelServer([fault, fault, "fine"]) as server:
        assert generator(server.base_url).generate(REQUEST).text == "fine"
    assert len(server.chats) == 3


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (Reply(status=429, text="slow down"), "answered 429: slow down"),
        (Reply(status=503, body=b"<html>down</html>"), "answered 503: <html>down</html>"),
        (Reply(drop_connection=True), "broke: Server disconnected"),
        (Reply(text="a b", drop_after=1), "broke: peer closed connection"),
        (Reply(body=b'data: {"error": {"message": "busy", "type": "server_error"}}\n\n'), "with an error: busy"),
    ],
)
def test_attempts_are_bounded_and_the_last_fault_is_told(fault: Reply, told: str) -> None:
    with ScriptedModelServer(fault) as server:
        error = failure(server, Patience(attempts=2, first_wait_s=0.01))
    assert told in error.what
    assert error.retryable
    assert len(server.chats) == 2


def test_retry_after_is_honoured_when_it_fits_into_the_time_left() -> None:
    with ScriptedModelServer([Reply(status=429, retry_after=0.4), "fine"]) as server:
        assert generator(server.base_url).generate(REQUEST).text == "fine"
    assert server.chats[1].at - server.chats[0].at >= 0.4


def test_a_retry_after_beyond_the_time_left_is_told_at_once() -> None:
    with ScriptedModelServer(Reply(status=429, retry_after=120)) as server:
        started = time.monotonic()
        error = failure(server)
    assert time.monotonic() - started < 1.5
    assert error.retry_after_s == 120
    assert len(server.chats) == 1


def test_nothing_is_tried_again_once_a_piece_was_emitted() -> None:
    heard: list[str] = []
    broken = pytest.raises(ModelError, match="broke")
    with ScriptedModelServer([Reply(text="one two", drop_after=1), "never"]) as server, broken:
        generator(server.base_url).generate(REQUEST, heard.append)
    assert heard == ["one"]
    assert len(server.chats) == 1


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("3", 3.0), ("0.5", 0.5), ("-1", 0.0), ("", None), ("soon", None), ("inf", None), ("nan", None)],
)
def test_retry_after_values(value: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": value}) == seconds


def test_retry_after_may_be_a_date() -> None:
    assert retry_after({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}) == 0.0
    assert (retry_after({"retry-after": "Wed, 21 Oct 2065 07:28:00 GMT"}) or 0) > 1e6


# --- time -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reply",
    [
        Reply(delay_s=30),
        Reply(text="a b", stall_after=0),
        Reply(text="a b", stall_after=1),
        Reply(chunks=["a", "b"], interval_s=0.2, endless=True),
    ],
)
def test_an_attempt_ends_on_time_whatever_the_endpoint_does(reply: Reply) -> None:
    with ScriptedModelServer(reply) as server:
        generator(server.base_url)  # warm imports stay out of the time
        started = time.monotonic()
        error = failure(server, Patience(attempts=1), timeout_s=0.5)
    assert isinstance(error, ModelTimeout)
    assert "took longer than 0.5 s" in error.what or "sent nothing for 0.5 s" in error.what
    assert 0.45 < time.monotonic() - started < 0.5 + 0.4


def test_all_attempts_together_end_on_time() -> None:
    with ScriptedModelServer(Reply(delay_s=30)) as server:
        started = time.monotonic()
        failure(server, Patience(attempts=100, first_wait_s=0.01, total_s=0.8), timeout_s=0.3)
    assert time.monotonic() - started < 0.8 + 0.3
    assert len(server.chats) >= 2


def test_silence_is_given_up_before_the_attempt_is_over() -> None:
    with ScriptedModelServer(Reply(text="a b", stall_after=1)) as server:
        error = failure(server, Patience(attempts=1, silence_s=0.3))
    assert "sent nothing for 0.3 s" in error.what


@contextmanager
def raw_server(talk: Callable[[socket.socket], None]) -> Iterator[str]:
    """A listener below HTTP, for what no HTTP server would do."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            try:
                while True:
                    connection, _ = listener.accept()
                    with connection:
                        connection.recv(65536)
                        talk(connection)
            except OSError:
                return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(2)


def test_headers_that_drip_byte_by_byte_do_not_outlast_the_limit() -> None:
    def drip(connection: socket.socket) -> None:
        for byte in b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 100:
            connection.send(bytes([byte]))
            time.sleep(0.05)

    with raw_server(drip) as base_url:
        started = time.monotonic()
        with pytest.raises(ModelTimeout, match="took longer than"):
            generator(base_url, Patience(attempts=1), timeout_s=0.5).generate(REQUEST)
        assert time.monotonic() - started < 1


def test_what_is_not_http_at_all_is_a_broken_connection() -> None:
    broken = pytest.raises(ModelError, match=r"the connection to http://127.0.0.1:\d+/v1 broke")
    with raw_server(lambda connection: connection.sendall(b"SSH-2.0-OpenSSH_9\r\n")) as base_url, broken:
        generator(base_url, Patience(attempts=1)).generate(REQUEST)


def test_an_endpoint_that_is_down_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(ModelError, match=f"cannot reach http://127.0.0.1:{port}/v1: ") as caught:
        generator(f"http://127.0.0.1:{port}/v1").generate(REQUEST)
    assert caught.value.remedy == "start the endpoint, or correct base_url in models.yaml"
    assert caught.value.retryable
    assert str(caught.value).startswith("model m: cannot reach")


# --- secrets --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reply",
    [
        lambda body: Reply(status=401, text="Incorrect API key provided: k-secret-123"),
        lambda body: Reply(status=500, body=b"you sent Bearer k-secret-123"),
        lambda body: Reply(body=b'data: {"error": {"message": "key k-secret-123"}}\n\n'),
        lambda body: Reply(text="a b", drop_after=1),
        lambda body: Reply(body=b"data: k-secret-123\n\n"),
    ],
)
def test_the_key_appears_in_no_error_trace_repr_or_log(
    reply: Callable[[dict[str, Any]], Reply], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("HOUSE_KEY", "k-secret-123")
    caplog.set_level(logging.INFO)
    with ScriptedModelServer(reply) as server:
        asked = generator(server.base_url, api_key_env="HOUSE_KEY")
        with pytest.raises(ModelError) as caught:
            asked.generate(REQUEST)
    assert server.chats[0].headers["authorization"] == "Bearer k-secret-123"
    shown = [repr(asked), str(caught.value), repr(caught.value), "".join(traceback.format_exception(caught.value))]
    assert "k-secret-123" not in "\n".join([*shown, caplog.text])
