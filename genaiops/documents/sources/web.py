"""Pages listed one by one in flow.yaml. No link is followed, and no address is trusted before it is checked."""

from __future__ import annotations

import codecs
import http.client
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import suppress
from email.utils import parsedate_to_datetime
from urllib.parse import urljoin

from genaiops.documents.items import Item, Raw, utc
from genaiops.documents.listing import suffix_of
from genaiops.documents.loading import Quarantined
from genaiops.documents.settings import SourceSettings
from genaiops.documents.sources.addresses import Forbidden, Target, addresses_of, target_of
from genaiops.documents.sources.reach import Reach, too_large
from genaiops.errors import DocumentError

_MOST_REDIRECTS = 5
_REDIRECTS = (301, 302, 303, 307, 308)
_BLOCK = 65_536
_SUFFIXES = {
    "text/html": ".html", "application/xhtml+xml": ".html", "text/plain": ".txt", "text/markdown": ".md",
    "text/csv": ".csv", "application/json": ".json", "application/x-ndjson": ".jsonl", "application/pdf": ".pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": ".pptx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "message/rfc822": ".eml",
}  # fmt: skip
_VAGUE = ("text/plain", "application/octet-stream", "")  # the name of the page may say more
_TEXTS = (".html", ".txt", ".md", ".csv", ".json", ".jsonl")


def pages_of(source: SourceSettings, reach: Reach) -> Iterator[Item | Quarantined]:
    """One item per listed URL, whose id is the URL without its fragment."""
    pages = [_Page(url, source, reach.max_bytes) for url in dict.fromkeys(u.partition("#")[0] for u in source.web)]
    hosts = frozenset((page.target.host, page.target.port) for page in pages if isinstance(page.target, Target))
    for page in pages:
        page.hosts = hosts
        yield Item(page.url, page.url, "", page.read)


class _Page:
    """One listed URL. `hosts` are those of all listed pages, where a redirect may lead."""

    def __init__(self, url: str, source: SourceSettings, max_bytes: int) -> None:
        self.url = url
        self.hosts: frozenset[tuple[str, int]] = frozenset()
        self._source = source
        self._max_bytes = max_bytes
        try:
            self.target: Target | Forbidden = target_of(url)
        except Forbidden as error:
            self.target = error

    def read(self) -> Raw:
        """The page. DocumentError when it may not be fetched, cannot be, takes too long or is too large."""
        until = time.monotonic() + self._source.timeout_s
        try:
            if isinstance(self.target, Forbidden):
                raise self.target
            target = self.target
            for _ in range(_MOST_REDIRECTS + 1):
                answer = _get(target, self._source, until, self._max_bytes)
                if isinstance(answer, Raw):
                    return answer
                target = self._followed(target, answer)
        except Forbidden as error:
            raise DocumentError(f"may not be fetched: {error}", where=self.url) from None
        except TooLarge as error:
            raise too_large(self.url, error.size, self._max_bytes) from None
        except (OSError, http.client.HTTPException, zlib.error, ValueError) as error:
            slow = isinstance(error, TimeoutError) or time.monotonic() >= until
            said = f"took longer than timeout_s={self._source.timeout_s:g}" if slow else _told(error)
            raise DocumentError(f"cannot be fetched: {said}", where=self.url) from None
        raise DocumentError(f"cannot be fetched: more than {_MOST_REDIRECTS} redirects", where=self.url)

    def _followed(self, before: Target, location: str) -> Target:
        target = target_of(urljoin(before.url, location))
        if (target.host, target.port) not in self.hosts:
            raise Forbidden(f"it redirects to {target.authority}, which no listed page names")
        if before.scheme == "https" and target.scheme == "http":
            raise Forbidden("it redirects from https to http")
        return target


class TooLarge(Exception):
    """A body of more bytes than are read."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.size = size


def _get(target: Target, source: SourceSettings, until: float, max_bytes: int) -> Raw | str:
    """The body of one answer, or where it redirects to. No proxy of the environment takes part."""
    with _connected(target, addresses_of(target, source.allow_private, until=until), until) as stream:
        # Whatever the server does with the time it has, this ends it.
        timer = threading.Timer(max(0.0, until - time.monotonic()), _shut, (stream,))
        timer.daemon = True
        timer.start()
        try:
            if isinstance(stream, ssl.SSLSocket):
                stream.do_handshake()
            connection = http.client.HTTPConnection(target.host, target.port)
            connection.sock = stream
            connection.request("GET", target.path, headers=_headers(target))
            with connection.getresponse() as response:
                answer = _answer(response, target, max_bytes)
            if time.monotonic() >= until:  # an answer that we cut off can look like one that ended
                raise TimeoutError
            return answer
        finally:
            timer.cancel()


def _answer(response: http.client.HTTPResponse, target: Target, max_bytes: int) -> Raw | str:
    if response.status in _REDIRECTS and response.headers.get("Location"):
        return str(response.headers["Location"])
    if response.status != http.HTTPStatus.OK:
        raise http.client.HTTPException(f"HTTP {response.status}")
    suffix, charset = _kind(response, target)
    content = _body(response, max_bytes)
    return Raw(_utf8(content, charset) if suffix in _TEXTS else content, suffix, _modified(response))


def _connected(target: Target, addresses: list[str], until: float) -> socket.socket:
    """A socket to the first of the checked addresses that answers; TLS, checked against the host's name, is to begin.

    The address is given as such, so that no second look-up can lead elsewhere.
    """
    failure: OSError = OSError("the host has no address")
    for address in addresses:
        stream = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
        try:
            stream.settimeout(max(0.001, until - time.monotonic()))
            stream.connect((address, target.port))
            if target.scheme == "http":
                return stream
            context = ssl.create_default_context()
            return context.wrap_socket(stream, server_hostname=target.host, do_handshake_on_connect=False)
        except OSError as error:
            stream.close()
            failure = error
    raise failure


def _headers(target: Target) -> dict[str, str]:
    return {
        "Host": target.authority,
        "User-Agent": "genaiops",
        "Accept": "text/html, text/markdown, text/plain, application/json, application/pdf, */*;q=0.5",
        "Accept-Encoding": "gzip",
        "Connection": "close",
    }


def _shut(stream: socket.socket) -> None:
    """End whatever waits for this connection."""
    with suppress(OSError):
        stream.shutdown(socket.SHUT_RDWR)


def _body(response: http.client.HTTPResponse, max_bytes: int) -> bytes:
    """At most `max_bytes`, unpacked; TooLarge beyond."""
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip", "x-gzip", ""):
        raise ValueError(f"its content encoding {encoding[:20]!r} is not read")
    declared = response.length
    if declared is not None and declared > max_bytes:
        raise TooLarge(declared)
    unpack = zlib.decompressobj(31) if "gzip" in encoding else None
    parts: list[bytes] = []
    size = 0
    while block := response.read(_BLOCK):
        data = unpack.decompress(block, max_bytes + 1 - size) if unpack else block
        size += len(data)
        parts.append(data)
        if size > max_bytes:
            raise TooLarge(size)
    if (unpack and not unpack.eof) or response.length:
        raise ValueError("the answer breaks off")
    return b"".join(parts)


def _kind(response: http.client.HTTPResponse, target: Target) -> tuple[str, str]:
    """The suffix of the loader, and the charset that was named; ValueError for what no loader reads."""
    kind = response.headers.get_content_type() if "Content-Type" in response.headers else ""
    named = suffix_of(target.path.partition("?")[0])
    suffix = _SUFFIXES.get(kind, "")
    if kind in _VAGUE and named in {*_SUFFIXES.values(), ".htm", ".markdown"}:
        suffix = named
    if not suffix:
        raise ValueError(f"content of type {kind[:60] or 'unknown'!r} is not read")
    return suffix, response.headers.get_content_charset() or ""


def _utf8(content: bytes, charset: str) -> bytes:
    """`content` in UTF-8; unchanged where its charset is unknown, which the loader then says."""
    try:
        info = codecs.lookup(charset or "utf-8")
        if info.name in ("utf-8", "ascii") or not getattr(info, "_is_text_encoding", True):
            return content
        return content.decode(info.name).encode()
    except (LookupError, ValueError):
        return content


def _modified(response: http.client.HTTPResponse) -> str:
    try:
        return utc(parsedate_to_datetime(response.headers.get("Last-Modified", "")))
    except (ValueError, TypeError):
        return ""


def _told(error: Exception) -> str:
    if isinstance(error, socket.gaierror):
        return "its host cannot be found"
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(text.split())[:200] or type(error).__name__
