"""E-mail addresses, web addresses and IP addresses."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from genaiops.cleansing.pii.spans import Span

# Letters of alphabets that are written with spaces: in Chinese an address may follow a word without one.
_LETTERS = "A-Za-z0-9\u00c0-\u024f\u0370-\u052f"
_LOCAL = rf"{_LETTERS}!#$%&'*+/=?^_{{|}}~.-"
# A run is tried from its first character only, so that a million letters cost one pass.
_EMAIL = re.compile(
    rf"(?<![{_LOCAL}])[{_LOCAL}]{{1,64}}+@([{_LETTERS}][{_LETTERS}-]{{0,62}}+(?:\.[{_LETTERS}][{_LETTERS}-]{{0,62}}+){{1,8}}+)"
)
_SPELT = re.compile(
    rf"(?<![{_LOCAL}])[{_LETTERS}._+-]{{1,64}}+ ?[\[(] ?(?:at|AT) ?[\])] ?[{_LETTERS}-]{{1,63}}+"
    rf"(?:(?: ?[\[(] ?(?:dot|DOT) ?[\])] ?|\.)[{_LETTERS}-]{{1,63}}+){{1,8}}+"
)
_BEFORE_NAME = "'/=*{|!#$%&?^~.-_+"


def emails(text: str) -> Iterator[Span]:
    """Addresses as in RFC 5321, in letters of any European alphabet, also as `name (at) host (dot) org`."""
    if "@" in text:
        for match in _EMAIL.finditer(text):
            start, end = match.span()
            while start < match.start(1) - 1 and text[start] in _BEFORE_NAME:
                start += 1
            end -= len(match[0]) - len(match[0].rstrip("-"))
            top_level = text[match.start(1) : end].rpartition(".")[2]
            named = start < match.start(1) - 1 and len(top_level) >= 2 and not top_level.isdigit()
            # git@host:path is how a repository is named, not a person.
            if named and not (text.startswith(":", end) and text[start : start + 4] == "git@"):
                yield Span(start, end)
    if "(" in text or "[" in text:
        yield from (Span(*match.span()) for match in _SPELT.finditer(text))


_URL = re.compile(r"(?<![\w@])(?:https?://|ftp://|www\.(?=[^\W_]))[^\s<>\"'`\\^{|}\]]++", re.IGNORECASE)


def urls(text: str) -> Iterator[Span]:
    """Addresses that begin with http://, https://, ftp:// or www., without the punctuation behind them."""
    for match in _URL.finditer(text):
        found = match[0].rstrip(".,;:!?*_~")
        while found.endswith(")") and found.count(")") > found.count("("):
            found = found[:-1].rstrip(".,;:!?*_~")
        if len(found) > len("https://"):
            yield Span(match.start(), match.start() + len(found))


_IPV4 = re.compile(r"(?<![\w.-])(?:\d{1,3}+\.){3}+\d{1,3}+(?![\w-]|\.\d)(?:/(\d{1,2}+))?", re.ASCII)
_IPV6 = re.compile(
    r"(?<![\w:.])(?=[0-9A-Fa-f:]{0,4}+:)[0-9A-Fa-f:]{3,39}+(?:(?:\.\d{1,3}+){3}+)?(?![\w:])(?:/(\d{1,3}+))?", re.ASCII
)
_VERSION = re.compile(r"(?:version|release|build|v)[ =:.]*\Z", re.IGNORECASE)


def ip_addresses(text: str) -> Iterator[Span]:
    """IPv4 and IPv6 addresses of hosts; not loopback, masks, whole networks or those kept for documentation."""
    for pattern in (_IPV4, _IPV6):
        for match in pattern.finditer(text):
            host = match[0].partition("/")[0]
            if _of_a_host(host, match[1]) and not _VERSION.search(text, max(0, match.start() - 12), match.start()):
                yield Span(match.start(), match.start() + len(host))


def _of_a_host(text: str, prefix: str | None) -> bool:
    try:
        address = ipaddress.ip_address(text)
        if prefix is not None and ipaddress.ip_network(f"{text}/{prefix}", strict=False).network_address == address:
            return False
    except ValueError:
        return False
    documented = any(address in network for network in _DOCUMENTATION if network.version == address.version)
    mask = address.version == 4 and text.startswith("255.")
    return not (address.is_loopback or address.is_unspecified or address.is_multicast or documented or mask)


_DOCUMENTATION = tuple(
    ipaddress.ip_network(network) for network in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
)  # RFC 5737, RFC 3849
