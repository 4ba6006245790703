"""What every client of a model endpoint needs to know about addresses, headers and foreign words."""

from __future__ import annotations

import email.utils
import ipaddress
import logging
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Protocol
from urllib.parse import unquote_plus, urlsplit

from genaiops import display
from genaiops.errors import ModelError

_SHOWN = 200  # characters of a foreign message that go into ours
_SECRET_NAME = re.compile(
    r"secret|passw(?:or)?d|passphrase|token|credential|(?:api|access|account|private|subscription|functions)[_-]?key"
    r"|authorization|connection_?string|cookie|bearer|signature|(?:^|[_-])(?:auth|sig|pwd|jwt)$",
    re.IGNORECASE,
)
_NO_HANDLER = logging.NullHandler()


def host_of(url: str) -> str:
    """The host name of an http(s) address. Raises ValueError for anything else."""
    parts = urlsplit(url)
    host, _port = parts.hostname or "", parts.port  # a port that is no number is a ValueError too
    if parts.scheme not in ("http", "https") or not host:
        raise ValueError(f"{without_credentials(url)!r} is no http:// or https:// address")
    return host


def address_of(url: str) -> str:
    """What tells one http(s) endpoint from another: scheme, host, port and path. Raises ValueError for what is none."""
    host, parts = host_of(url), urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return f"{parts.scheme}://{host}:{port}{parts.path.rstrip('/')}"


def is_loopback(url: str) -> bool:
    """Whether an http(s) address is on this machine. Raises ValueError for what is no such address."""
    host = host_of(url)
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def without_credentials(url: str) -> str:
    """An address that may be shown: no user, password, query or fragment, no slash at its end."""
    scheme, mark, rest = re.split("[?#]", url, maxsplit=1)[0].partition("://")
    authority, slash, path = rest.partition("/")
    host, colon, port = authority.rpartition("@")[2].rpartition(":")
    # What stands for a port and is no number may be the start of a password with a "?", "#" or "/" in it.
    shown = f"{host}:…" if colon and not port.isdigit() and not port.endswith("]") else f"{host}{colon}{port}"
    return f"{scheme}{mark}{shown}{slash}{path}".rstrip("/")


def names_secret(name: str) -> bool:
    """Whether what stands under a name (of a header, a setting, a part of a query) is meant for nobody's eyes."""
    return bool(_SECRET_NAME.search(name))


def secrets_in(url: str) -> tuple[str, ...]:
    """What of an address must not be shown: its password, or a user without one, and secrets its query names.

    As written and as decoded; empty for a text that is no address.
    """
    scheme, mark, rest = url.partition("://")
    if not mark or not scheme.isalnum():
        return ()
    try:
        parts = urlsplit(url)
        held = [parts.password or parts.username or ""]
    except ValueError:
        return (rest,)
    pairs = [pair.partition("=") for pair in re.split("[&;]", f"{parts.query}&{parts.fragment}")]
    held += [value for name, _, value in pairs if names_secret(unquote_plus(name))]
    return tuple(dict.fromkeys(form for text in held if text for form in (text, unquote_plus(text))))


def one_line(text: object) -> str:
    """Foreign words as one short printable line."""
    return display.one_line(text, _SHOWN)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds from a `Retry-After` header (a number, or an HTTP date); None when it is absent or nonsense."""
    value = headers.get("retry-after", "").strip()
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(value).timestamp() - time.time()
        except ValueError:
            return None
    return max(0.0, seconds) if seconds < float("inf") else None


class Tries(Protocol):
    """Attempts to loop over, in a thread (`for`) or a coroutine (`async for`); each is a context to work in."""

    def __iter__(self) -> Iterator[AbstractContextManager[object]]: ...

    def __aiter__(self) -> AsyncIterator[AbstractContextManager[object]]: ...


def tries(
    total_s: float, *, attempts: int, first_wait_s: float, max_wait_s: float, given_up: Callable[[], object]
) -> Tries:
    """Contexts to work in, one for each attempt, until one ends without a ModelError that may pass.

    All attempts and the waits between them take `total_s` at most: a wait that would not end in time, `Retry-After`
    among them, is not begun. No wait is longer than `max_wait_s` or a quarter of `total_s`, unless the endpoint
    names it. Nothing is tried again once `given_up()` is true.
    """
    import stamina

    # Without a handler of the application's, Python would print stamina's records on stderr.
    logging.getLogger("stamina").addHandler(_NO_HANDLER)
    deadline = time.monotonic() + total_s
    max_wait = min(max_wait_s, total_s / 4)

    def try_again(error: Exception) -> bool | float:
        if given_up() or not isinstance(error, ModelError) or not error.retryable:
            return False
        wait = max_wait if error.retry_after_s is None else error.retry_after_s
        return wait < deadline - time.monotonic() and (True if error.retry_after_s is None else error.retry_after_s)

    return stamina.retry_context(
        try_again,
        attempts=attempts,
        timeout=total_s,
        wait_initial=first_wait_s,
        wait_jitter=first_wait_s,
        wait_max=max_wait,
    )
