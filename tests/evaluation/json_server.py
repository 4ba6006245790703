"""A real HTTP application on loopback that answers, breaks and waits as it is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Said = tuple[int, Any] | tuple[int, Any, Mapping[str, str]]  # status, body (bytes as they are, else JSON), headers


@dataclass
class Application:
    """`answer` gets the posted JSON and how many requests came before it."""

    answer: Callable[[Any, int], Said]
    url: str = ""
    asked: list[Any] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)


@contextmanager
def application(answer: Callable[[Any, int], Said]) -> Iterator[Application]:
    app = Application(answer)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            before = len(app.asked)
            app.asked.append(body)
            app.headers.append({name.lower(): value for name, value in self.headers.items()})
            status, said, *more = app.answer(body, before)
            content = said if isinstance(said, bytes) else json.dumps(said).encode()
            self.send_response(status)
            for name, value in (more[0] if more else {}).items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Nothing on stderr."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    app.url = f"http://127.0.0.1:{server.server_address[1]}/ask"
    try:
        yield app
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
