"""Which addresses a page may be fetched from: a URL leads anywhere, also to what only this machine can reach."""

from __future__ import annotations

import ipaddress
import re
import socket
import threading
import time
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from urllib.parse import urlsplit

_LONGEST_URL = 2000
_BARE = re.compile(r"[!-\[\]-~]+")  # printable ASCII without space and backslash
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,251}[a-z0-9])?\.?")
_PORTS = {"http": 80, "https": 443}
# IPv6 addresses that carry an IPv4 address, which a gateway would connect to.
_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")
_UNICAST = ipaddress.IPv6Network("2000::/3")  # where all public IPv6 addresses are
# Tunnels and relays: what is behind them cannot be told from the address.
_RELAYS = tuple(map(ipaddress.ip_network, ("2002::/16", "2001::/32", "192.88.99.0/24")))
# Where clouds hand a machine its credentials, besides the link-local address that most of them use.
_METADATA = tuple(map(ipaddress.ip_address, ("100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254")))


class Forbidden(ValueError):
    """A URL that may not be fetched, with the reason."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a URL names, parsed once: checking and connecting use this and never the text again."""

    scheme: str
    host: str  # lower case; an IPv6 address without brackets
    port: int
    path: str  # with the query

    @property
    def authority(self) -> str:
        """Host and port as they stand in a URL."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.authority}{self.path}"


def target_of(url: str) -> Target:
    """The one reading of a URL. Forbidden when it is not plainly http or https with a host, or carries more."""
    if len(url) > _LONGEST_URL:
        raise Forbidden(f"the URL has more than {_LONGEST_URL} characters")
    if not _BARE.fullmatch(url):
        raise Forbidden("the URL holds characters that must be percent-encoded")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise Forbidden(f"not a URL: {error}") from None
    scheme = parts.scheme.lower()
    if scheme not in _PORTS:
        raise Forbidden(f"only http and https are fetched, not {scheme[:20] or 'nothing'}")
    if "@" in parts.netloc:
        raise Forbidden("the URL holds a user name")
    host = (parts.hostname or "").lower()
    if not (_is_ipv6(host) if parts.netloc.startswith("[") else _HOST.fullmatch(host)):
        raise Forbidden("the URL names no host that can be looked up")
    if port == 0:
        raise Forbidden("port 0 is none")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not path.startswith("/"):
        raise Forbidden("the URL's path does not start with a slash")
    return Target(scheme, host, port or _PORTS[scheme], path)


def addresses_of(target: Target, allow_private: bool | tuple[str, ...], *, until: float | None = None) -> list[str]:
    """The addresses of a host, each of which is allowed. Forbidden when one is not, OSError when there is none.

    One forbidden address is enough: a name that has both kinds is there to get past this check. TimeoutError when
    the look-up has not ended at the time `until` of the monotonic clock.
    """
    addresses = list(dict.fromkeys(_looked_up(target, until)))
    for address in addresses:
        reason = _refusal(address.partition("%")[0], target, allow_private)
        if reason:
            raise Forbidden(f"{target.host} is {reason} ({address})")
    return addresses


def _looked_up(target: Target, until: float | None) -> list[str]:
    """What the system's resolver answers. It cannot be told to stop: a thread waits for it, and is left to itself."""
    answers: SimpleQueue[list[str] | Exception] = SimpleQueue()

    def look() -> None:
        try:
            found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
            answers.put([str(info[4][0]) for info in found])
        except Exception as error:  # the thread that waits is the one to be told
            answers.put(error)

    threading.Thread(target=look, name="host look-up", daemon=True).start()
    try:
        answer = answers.get(timeout=None if until is None else max(0.0, until - time.monotonic()))
    except Empty:
        raise TimeoutError("the look-up of its host has no answer") from None
    if isinstance(answer, Exception):
        raise answer
    return answer


def _refusal(address: str, target: Target, allow_private: bool | tuple[str, ...]) -> str:
    """Why an address may not be connected to, "" when it may."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            ip = ip.ipv4_mapped
        elif ip in _TRANSLATED:
            ip = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        elif ip not in _UNICAST and not ip.is_private and not ip.is_link_local:
            return "no address of one machine"
    if any(ip in network for network in _RELAYS):
        return "reached through a relay"
    if ip.is_link_local or ip in _METADATA:
        return "an address of the machine's own network link, where no page is"
    if ip.is_multicast or ip.is_unspecified or (ip.is_reserved and not ip.is_global):
        return "no address of one machine"
    if ip.is_global:
        return ""
    allowed = target.host in allow_private if isinstance(allow_private, tuple) else allow_private
    return "" if allowed else "not a public address; if it is meant, set allow_private for this source"


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return "%" not in text
