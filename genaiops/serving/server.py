"""Runs the service until a signal ends it."""

from __future__ import annotations

import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Iterator

import uvicorn

from genaiops.errors import ConfigurationError
from genaiops.serving.app import create_app
from genaiops.serving.hot_swap import ReleaseWatcher
from genaiops.serving.keys import KeyStore, check_bind, is_loopback
from genaiops.serving.settings import ServiceSettings

_LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "::1")
_LARGEST_HEADERS = 64 * 1024  # bytes


def serve(
    watcher: ReleaseWatcher,
    keys: KeyStore,
    *,
    host: str = "127.0.0.1",
    port: int = 8080,
    settings: ServiceSettings | None = None,
    started: Callable[[str], None] = lambda url: None,
) -> None:
    """Serve the watched releases until SIGTERM or SIGINT, then let live answers end within `settings.grace_s`.

    The service listens at once and is ready when the first release is loaded. `port` 0 takes a free one;
    `started` is told the address. On loopback the Host header must name this machine, elsewhere any name will
    do, unless `settings.allowed_hosts` says otherwise.
    Raises ConfigurationError when the address cannot be bound, or is public and no API key exists.
    """
    settings = settings or ServiceSettings()
    check_bind(host, keys)
    listener = bound(host, port)
    url = f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"
    if settings.allowed_hosts is None and is_loopback(host):
        settings = settings.model_copy(update={"allowed_hosts": (*_LOOPBACK_HOSTS, host)})
    with listener, watcher:
        app = create_app(watcher, keys=keys, settings=settings, require_key=not is_loopback(host))
        config = uvicorn.Config(
            app,
            lifespan="on",
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=False,  # nothing here depends on the client's address
            timeout_graceful_shutdown=settings.grace_s,
            h11_max_incomplete_event_size=_LARGEST_HEADERS,
        )
        with _quiet_signals():
            listener.listen()  # whoever is told the address may call it
            started(url)
            uvicorn.Server(config).run(sockets=[listener])


def bound(host: str, port: int) -> socket.socket:
    """A TCP socket bound to that address (port 0: any free one); ConfigurationError when it cannot be had."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        # The protocol must be named: asyncio turns Nagle's algorithm off only for sockets that say TCP, and
        # with it on, every answer waits 40 ms for the client's delayed acknowledgement.
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    except (OSError, OverflowError) as error:
        raise ConfigurationError(f"{host}:{port} is no address of this machine: {error}") from None
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        return listener
    except OSError as error:
        listener.close()
        raise ConfigurationError(
            f"cannot listen on {host}:{port}: {error.strerror}", remedy="choose another port with --port"
        ) from None


@contextlib.contextmanager
def _quiet_signals() -> Iterator[None]:
    """uvicorn raises the signal it stopped for once more; a service that stopped as asked has succeeded."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
