"""Clients that leave, too many at once, malformed bodies, and the end of the service."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest

from genaiops.errors import ConfigurationError
from genaiops.serving import KeyStore, ReleaseWatcher, ServiceSettings, serve
from genaiops.serving.generations import ListenerLeft
from tests.serving.running_service import MODEL, Echo, Fixed, Running, question, running, wait_for

LONG = "word " * 400  # at 10 ms a word: 4 s


def send_and_leave(service: Running, echo: Echo, *, stream: bool, after_bytes: int) -> None:
    """Ask over a bare socket, read a little, and close it in the middle of the answer."""
    before = len(echo.started)
    body = json.dumps(question(LONG, stream=stream)).encode()
    head = "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: "
    with socket.create_connection(("127.0.0.1", int(service.url.rsplit(":", 1)[1]))) as connection:
        connection.sendall(head.encode() + f"{len(body)}\r\n\r\n".encode() + body)
        if after_bytes:
            connection.recv(after_bytes)
        else:
            # Not merely taken in: a client that leaves before its generation began is never asked for at all.
            wait_for(lambda: len(echo.started) > before)


@pytest.mark.parametrize(("stream", "after_bytes"), [(True, 100), (False, 0)])
def test_a_client_that_leaves_ends_the_generation_and_frees_its_place(
    tmp_path: Path, stream: bool, after_bytes: int
) -> None:
    echo = Echo(pause_s=0.01)
    with running(Fixed({MODEL: echo}), tmp_path, settings=ServiceSettings(concurrent=1, queue=0)) as service:
        for number in (1, 2, 3):  # with one place, the second would be refused if the first had kept it
            send_and_leave(service, echo, stream=stream, after_bytes=after_bytes)
            left = time.monotonic()
            wait_for(lambda: service.generations.running == 0)
            assert len(echo.ended) == number
            assert time.monotonic() - left < 1
        assert [type(error) for error in echo.ended] == [ListenerLeft] * 3
        echo.pause_s = 0
        assert httpx2.post(f"{service.url}/v1/chat/completions", json=question()).status_code == 200


def test_beyond_the_places_and_the_queue_requests_are_refused_at_once(tmp_path: Path) -> None:
    echo = Echo(pause_s=0.4)
    settings = ServiceSettings(concurrent=2, queue=2, wait_s=5)
    with (
        running(Fixed({MODEL: echo}), tmp_path, settings=settings) as service,
        httpx2.Client(base_url=service.url) as http,
        ThreadPoolExecutor(12) as pool,
    ):

        def ask(_: int) -> tuple[int, float, str]:
            started = time.monotonic()
            response = http.post("/v1/chat/completions", json=question("one"))
            return response.status_code, time.monotonic() - started, response.headers.get("retry-after", "")

        answers = sorted(pool.map(ask, range(12)))
    assert [status for status, _, _ in answers] == [200] * 4 + [503] * 8
    assert all(seconds < 0.4 and retry == "1" for status, seconds, retry in answers if status == 503)


def test_a_request_waits_no_longer_than_it_may_for_a_place(tmp_path: Path) -> None:
    slow = Fixed({MODEL: Echo(pause_s=1)})
    settings = ServiceSettings(concurrent=1, queue=5, wait_s=0.2)
    with running(slow, tmp_path, settings=settings) as service, ThreadPoolExecutor(1) as pool:
        first = pool.submit(httpx2.post, f"{service.url}/v1/chat/completions", json=question("one"))
        wait_for(lambda: service.generations.running)
        refused = httpx2.post(f"{service.url}/v1/chat/completions", json=question("one"))
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "overloaded")
        assert first.result().status_code == 200
        assert service.generations.waiting == 0


# --- malformed bodies ------------------------------------------------------------------

SEEDS = [question(), question(stream=True, n=1, stop=["a"], stream_options={"include_usage": True}, temperature=0.5)]
VALUES: list[Any] = [
    None, True, -1, 0, 1e308, 10**400, "", "x", "\ud800", "\x00", "é" * 50, [], {}, [[]], {"a": {}}, [None], "NaN", 2.5,
]  # fmt: skip
RAW = [
    b"", b"{", b"null", b"[]", b'"x"', b"NaN", b"\xff\xfe", b'{"model":', b"[" * 100_000, b'{"a":' * 50_000,
    b'{"model":1e999}', b'{"model":"x","model":"y"}', b"\xef\xbb\xbf{}", b'{"messages":NaN}', b"1" * 5000, b"{}" * 2,
]  # fmt: skip


def mutated(rng: random.Random) -> bytes:
    body = json.loads(json.dumps(rng.choice(SEEDS)))
    for _ in range(rng.randint(1, 3)):
        place: Any = body
        while isinstance(place, (dict, list)) and place:
            key = rng.choice(list(place) if isinstance(place, dict) else range(len(place)))
            if rng.random() < 0.5 or not isinstance(place[key], (dict, list)):
                place[key] = rng.choice(VALUES)
                break
            place = place[key]
    text = json.dumps(body).encode()
    if rng.random() < 0.3:
        at = rng.randrange(len(text))
        text = text[:at] + bytes([rng.randrange(256)]) + text[at + rng.randint(0, 4) :]
    return text


def test_malformed_bodies_never_break_the_service(tmp_path: Path) -> None:
    rng = random.Random(7)
    bodies = RAW + [mutated(rng) for _ in range(400)]
    counts: dict[int, int] = {}
    with running(Fixed({MODEL: Echo()}), tmp_path) as service, httpx2.Client(base_url=service.url) as http:
        for body in bodies:
            headers = {"Content-Type": "application/json"}
            started = time.monotonic()
            response = http.post("/v1/chat/completions", content=body, headers=headers)
            assert time.monotonic() - started < 1
            counts[response.status_code] = counts.get(response.status_code, 0) + 1
            if response.status_code != 200:
                assert set(response.json()["error"]) == {"message", "type", "param", "code"}, body
                assert "Traceback" not in response.text
                assert "pydantic" not in response.text
    assert set(counts) == {200, 400, 404}, counts
    assert counts[400] > 200, counts


# --- serve() ----------------------------------------------------------------------------

SERVICE = """
import sys, time
from pathlib import Path
from genaiops.serving import KeyStore, ReleaseWatcher, ServiceSettings, serve
from tests.serving.running_service import MODEL, Echo

watcher = ReleaseWatcher(lambda digest: Echo(digest, pause_s=float(sys.argv[2])), lambda: {MODEL: "r1"})
keys = KeyStore(Path(sys.argv[1]) / "keys.json")
settings = ServiceSettings(grace_s=int(sys.argv[3]))
serve(watcher, keys, port=0, settings=settings, started=lambda url: print(url, flush=True))
print("ended", flush=True)
"""


def started_service(folder: Path, pause_s: float, grace_s: int) -> tuple[subprocess.Popen[str], str]:
    arguments = [sys.executable, "-c", SERVICE, str(folder), str(pause_s), str(grace_s)]
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    url = process.stdout.readline().strip()
    assert url.startswith("http://127.0.0.1:"), process.communicate()
    wait_for(lambda: httpx2.get(f"{url}/readyz").status_code == 200, within_s=10)
    return process, url


@pytest.mark.parametrize(("words", "grace_s", "is_whole"), [(20, 5, True), (400, 1, False)])
def test_sigterm_lets_a_live_answer_end_within_the_grace_and_exits_0(
    tmp_path: Path, words: int, grace_s: int, is_whole: bool
) -> None:
    process, url = started_service(tmp_path, pause_s=0.05, grace_s=grace_s)
    lines: list[str] = []

    def listen() -> None:
        body = question("w " * words, stream=True)
        with httpx2.stream("POST", f"{url}/v1/chat/completions", json=body, timeout=10) as response:
            lines.extend(response.iter_lines())

    client = threading.Thread(target=listen)
    client.start()
    wait_for(lambda: not httpx2.get(f"{url}/livez").is_error)
    time.sleep(0.3)
    stopped = time.monotonic()
    os.kill(process.pid, signal.SIGTERM)
    output, errors = process.communicate(timeout=10)
    seconds = time.monotonic() - stopped
    client.join(5)
    assert (process.returncode, output) == (0, "ended\n"), errors
    assert seconds < grace_s + 1.5
    data = [line for line in lines if line]
    if is_whole:
        assert data[-1] == "data: [DONE]"
    else:
        assert json.loads(data[-1].removeprefix("data: "))["error"]["message"] == "the service is stopping"


def test_an_address_in_use_or_unknown_is_a_configuration_error(tmp_path: Path) -> None:
    watcher = ReleaseWatcher(Echo, dict)
    keys = KeyStore(tmp_path / "keys.json")
    in_use = pytest.raises(ConfigurationError, match=r"cannot listen on 127.0.0.1:\d+: Address already in use")
    with socket.create_server(("127.0.0.1", 0)) as taken, in_use:
        serve(watcher, keys, port=taken.getsockname()[1])
    with pytest.raises(ConfigurationError, match=r"0\.0\.0\.0 can be reached from other machines"):
        serve(watcher, keys, host="0.0.0.0", port=0)
    keys.create("k")
    with pytest.raises(ConfigurationError, match=r"cannot listen on 203\.0\.113\.7:0|no address of this machine"):
        serve(watcher, keys, host="203.0.113.7", port=0)
