"""What every client of a model endpoint needs to know about addresses, headers and foreign words."""

from __future__ import annotations

import email.utils
import ipaddress
import logging
import re
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Protocol
from urllib.parse import unquote, unquote_plus, urlsplit

from genaiops import display
from genaiops.errors import ModelError

_SHOWN = 200  # characters of a foreign message that go into ours
_SECRET_NAME = re.compile(
    r"secret|passw(?:or)?d|passphrase|passcode|token|credential|(?:api|access|account|private|subscription|functions)[_-]?key"
    r"|authorization|connection_?string|cookie|bearer|signature|(?:^|[_-])(?:auth|sig|pwd|jwt)$",
    re.IGNORECASE,
)
# What is a key in a query, where elsewhere it is an ordinary word.
_SECRET_OF_QUERY = re.compile(r"key|code|pass|sid", re.IGNORECASE)
# What gives a key away whatever it stands under: a scheme of authorization, or a prefix that providers put there.
_KEY = re.compile(
    r"(?:bearer|basic|token)\s+(?=\S*[\d=_.])\S{16,}$|(?:sk|pk|rk)-[\w-]{16,}|gh[pousr]_\w{20,}|github_pat_\w{20,}"
    r"|glpat-[\w-]{16,}|xox[a-z]-[\w-]{8,}|AKIA[0-9A-Z]{16}$|AIza[\w-]{30,}|eyJ[\w-]{8,}\.[\w-]{8,}\.",
    re.IGNORECASE,
)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")
# A password with a slash in it, as SQLAlchemy reads it; what has ports and an @ later looks alike.
_ODD_PASSWORD = re.compile(r"[^/@?#:\[]*:(?!(?:\d+,[^/@?#]*|\d*)(?:#!?/|/|\?[^=@]*=))([^@]*)@")
_HOST_WITH_QUERY = re.compile(r"(?:\[[^\]]*\]|[^:?#\[]*)(?::\d*)?\?[^=]*=")
# Addresses of Java's databases: `jdbc:postgresql://…`, `jdbc:oracle:thin:…`, `jdbc:h2:mem:x;…`.
_JDBC = re.compile(r"jdbc:(?=[a-z][\w.+-]*:[^\s:])", re.IGNORECASE)
_JDBC_URL = re.compile(r"(?:[\w.+-]+:)+//")
_JDBC_ORACLE = re.compile(r"oracle:\w+:[^/@:]*/(.*)@", re.IGNORECASE)  # user/password@host
# A value in braces ends at a single }; else only in brackets, where hosts are listed, a comma or a bracket ends it.
_JDBC_PARAMETER = re.compile(r"(?<=[?&;:,({/])\s*([\w.-]+)\s*=\s*(?:\{((?:[^}]|\}\})*)\}|(?=([^;&]*)))")
_JDBC_NEXT = re.compile(r",\s*[\w.-]+\s*=")  # Teradata parts its parameters by commas
_JDBC_HOST = re.compile(r"(?:\[[^\]]*\]|[^:;/?@\[]*)(?::\d*)?;\s*[\w.-]+\s*=")  # an @ after it is a parameter's
# Parameters that say how a secret is handled, and hold none.
_ABOUT_SECRETS = re.compile(
    r"(?:encoding|callback\w*|class\w*|file|path|type|timeout|key_?id|in_?password)$", re.IGNORECASE
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


def is_key(text: str) -> bool:
    """Whether a text is a key by the look of it, whatever it stands under."""
    return bool(_KEY.match(text))


def credentials_in(url: str) -> str | None:
    """The secret before the host of an address, as written: a password, or a user who needs none. None without one.

    A user without a password counts for http(s), where it may be a token, and where it is a key by the look of it.
    Passwords with "@", "/", "?" and "#" in them, which nobody encoded, are taken whole.
    """
    scheme, _, rest = url.partition("://")
    head = rest.partition("/")[0]
    user, at, _ = head.rpartition("@")
    if not at:
        odd = _ODD_PASSWORD.match(rest)
        return odd[1] if odd else None
    if _HOST_WITH_QUERY.match(user):
        return None
    name, colon, password = user.partition(":")
    if colon:
        return password
    web = scheme.lower().rpartition("+")[2] in ("http", "https")  # git+https is http too
    return name if (web and not re.search("[?#]", name)) or is_key(unquote(name)) else None


def secrets_in(url: str) -> tuple[str, ...]:
    """What of an address must not be shown: `credentials_in` it, and keys and what a name calls secret in its query.

    As written and as decoded; empty for a text that is no address. Of a `jdbc:` address also its parameters, which
    stand behind a semicolon or in brackets there, and the password of `user/password@`.
    """
    if is_jdbc(url):
        return _as_written_and_decoded(_secrets_of_jdbc(url))
    scheme, mark, rest = url.partition("://")
    if not mark or not _SCHEME.fullmatch(scheme):
        return ()
    held = [credentials_in(url) or ""]
    _, _, query = re.sub("[?#]", "?", rest.replace(f"{held[0]}@", "@", 1), count=1).partition("?")
    for pair in re.split("[&;#]", query):
        name, _, value = pair.partition("=")
        told = unquote_plus(name).rpartition("?")[2]
        if names_secret(told) or _SECRET_OF_QUERY.fullmatch(told) or is_key(unquote_plus(value)):
            held.append(value)
    return _as_written_and_decoded(held)


def is_jdbc(text: str) -> bool:
    """Whether a text is an address of JDBC, which other URLs are not written like: `jdbc:` and a kind of database."""
    return bool(_JDBC.match(text))


def _secrets_of_jdbc(address: str) -> list[str]:
    rest = address[len("jdbc:") :]

    def is_secret(name: str) -> bool:
        return (names_secret(name) or name.lower() == "pass") and not _ABOUT_SECRETS.search(name)

    found = []
    for parameter in _JDBC_PARAMETER.finditer(rest):
        before = rest[: parameter.start()]
        values = _values_of_jdbc(parameter, in_brackets=before.count("(") > before.count(")"))
        if is_secret(parameter[1]) or any(is_key(unquote_plus(value)) for value in values):
            found += values
    if oracle := _JDBC_ORACLE.match(rest):
        return [*found, oracle[1].strip('"')]
    if url := _JDBC_URL.match(rest):
        where = rest[url.end() :]
        # Parameters may hold an @ too, a password a semicolon: both readings are taken.
        before = re.split(r"[;(]", where, maxsplit=1)[0]
        found += [credentials_in("jdbc://" + text) or "" for text in (before, where) if not _JDBC_HOST.match(text)]
    return found


def _values_of_jdbc(parameter: re.Match[str], *, in_brackets: bool) -> list[str]:
    """Whatever a parameter's value may be, as its driver reads it: in braces }} stands for a }."""
    braced, plain = parameter[2], parameter[3]
    if braced is not None:
        return [braced, braced.replace("}}", "}")]
    if in_brackets:
        return [re.split("[,)]", plain, maxsplit=1)[0]]
    return [plain, _JDBC_NEXT.split(plain, maxsplit=1)[0]]


def _as_written_and_decoded(held: Iterable[str]) -> tuple[str, ...]:
    forms = (form for text in held for form in (text, unquote(text), unquote_plus(text)))
    return tuple(dict.fromkeys(form for form in forms if form))


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
