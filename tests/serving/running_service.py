"""A real service on loopback over a small real servable, for the tests of this room."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import uvicorn

from genaiops.generation import REFUSAL
from genaiops.records import Answer, Chunk, Citation, Hit, Query, Usage
from genaiops.serving import KeyStore, ServiceSettings, Snapshot, create_app
from genaiops.serving.server import bound

MODEL = "genaiops/handbook@prod"
CHUNK = Chunk("guide.md", 10, 21, "hello world", "s", "hello world")
HIT = Hit(CHUNK, score=0.75, rank=1)
CITATION = Citation(1, CHUNK.id, "guide.md", 10, 21, "hello world")


@dataclass
class Echo:
    """Says the question back word by word, each word with the release: `release:word`."""

    release: str = "r1"
    pause_s: float = 0.0
    fail: Callable[[int], None] = lambda word: None
    started: list[str] = field(default_factory=list)
    access: list[tuple[str, ...] | None] = field(default_factory=list)
    ended: list[BaseException | None] = field(default_factory=list)

    def ask(self, query: Query, emit: Callable[[str], None]) -> Answer:
        self.started.append(query.text)
        self.access.append(query.access)
        try:
            pieces = []
            for number, word in enumerate(query.text.split()):
                self.fail(number)
                pieces.append(f"{' ' if number else ''}{self.release}:{word}")
                emit(pieces[-1])
                time.sleep(self.pause_s)
            self.ended.append(None)
        except BaseException as error:
            self.ended.append(error)
            raise
        text = "".join(pieces)
        return Answer(
            query, text, text == REFUSAL, (CITATION,), (HIT,), Usage(3, len(pieces)), None, {"total": 0.1},
            model="echo", prompt="p", index="i", release=self.release,
        )  # fmt: skip


@dataclass
class Fixed:
    """Models that a test sets by hand."""

    models: dict[str, Any] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)

    def snapshot(self) -> Snapshot:
        return Snapshot(dict(self.models), dict(self.problems), at=1_700_000_000.5)


@dataclass
class Running:
    url: str
    app: Any
    server: uvicorn.Server
    keys: KeyStore

    @property
    def generations(self) -> Any:
        return self.app.state.service.generations


@contextmanager
def running(
    models: Any, folder: Path, *, settings: ServiceSettings | None = None, require_key: bool = False
) -> Iterator[Running]:
    """The app under uvicorn in a thread, on a free port."""
    keys = KeyStore(folder / "keys.json")
    app = create_app(models, keys=keys, settings=settings, require_key=require_key)
    with bound("127.0.0.1", 0) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        wait_for(lambda: server.started)
        try:
            yield Running(f"http://127.0.0.1:{listener.getsockname()[1]}", app, server, keys)
        finally:
            server.should_exit = True
            thread.join(5)


def wait_for(condition: Callable[[], Any], within_s: float = 5.0) -> None:
    """Return as soon as it is true; fail the test when it does not become so."""
    limit = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < limit, "waited in vain"
        time.sleep(0.005)


def question(text: str = "hello world", **more: Any) -> dict[str, Any]:
    return {"model": MODEL, "messages": [{"role": "user", "content": text}], **more}


def events(response: httpx2.Response) -> list[Any]:
    """What a stream of server-sent events said; "[DONE]" as it stands."""
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    lines = response.text.split("\n\n")
    assert lines.pop() == ""
    assert all(line.startswith("data: ") and "\n" not in line for line in lines)
    return [line[6:] if line == "data: [DONE]" else json.loads(line[6:]) for line in lines]
