"""Pages from a real HTTP server become documents; nothing else is ever fetched."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from genaiops.configuration import validated_data
from genaiops.documents import Corpus, DocumentSettings, read_documents
from genaiops.errors import ConfigurationError
from tests.documents.web_server import Site, served


@pytest.fixture
def site() -> Iterator[Site]:
    with served() as running:
        yield running


def read(*urls: str, base: Path = Path(), **options: Any) -> Corpus:
    """The pages as documents, private addresses allowed unless the options say otherwise."""
    limits = {key: options.pop(key) for key in ("max_bytes",) if key in options}
    source = {"web": list(urls), "allow_private": True, "timeout_s": 5, **options}
    return read_documents(validated_data(DocumentSettings, {"sources": [source], **limits}, where=str), base)


def reason(*urls: str, **options: Any) -> str:
    [item] = read(*urls, **options).quarantined
    return item.reason


def test_a_listed_page_is_a_document_whose_id_is_its_url(site: Site) -> None:
    site.page("/a?x=1", "<title>A</title><p>text", Last_Modified="Mon, 01 Jan 2024 10:00:00 GMT")
    [document] = read(f"{site.root}/a?x=1#part").documents
    assert (document.id, document.text, document.metadata) == (f"{site.root}/a?x=1", "text\n", {"title": "A"})
    assert document.origin is not None
    assert document.origin.source == document.id
    assert document.origin.modified == "2024-01-01T10:00:00+00:00"
    assert document.origin.loader.startswith("html ")


def test_links_pictures_and_scripts_of_a_page_are_never_fetched(site: Site) -> None:
    site.page("/", "<a href='/b'>b</a><img src='/c.png'><script src='/d.js'></script><link href='/e.css'><p>text")
    assert len(read(site.root).documents) == 1
    assert site.asked == ["/"]


@pytest.mark.parametrize(
    ("kind", "path", "body", "text"),
    [
        ("text/html; charset=iso-8859-1", "/p", b"<p>caf\xe9", "café\n"),
        ("text/markdown", "/p", b"# caf\xc3\xa9", "# café"),
        ("text/plain", "/notes.md", b"---\na: b\n---\nx", "x"),
        ("application/octet-stream", "/rows.csv", b"a,b\n1,2\n", "a: 1\nb: 2\n"),
        ("application/json", "/p", b'{"text": "t"}', "t"),
    ],
)
def test_the_type_of_a_page_decides_its_loader(site: Site, kind: str, path: str, body: bytes, text: str) -> None:
    site.page(path, body, Content_Type=kind)
    assert [d.text for d in read(site.root + path).documents] == [text]


def test_packed_pages_are_unpacked_within_the_limit(site: Site) -> None:
    site.page("/", gzip.compress(b"<p>packed"), Content_Encoding="gzip")
    assert [d.text for d in read(site.root).documents] == ["packed\n"]
    site.page("/", gzip.compress(b"<p>" + b"x" * 5_000_000), Content_Encoding="gzip")
    assert reason(site.root, max_bytes=100_000).startswith("is larger than documents.max_bytes=100000")


def test_a_look_up_that_never_ends_is_given_up_at_the_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    given_up, ended = threading.Event(), threading.Event()

    def never(*_: object, **__: object) -> None:
        given_up.wait(30)
        ended.set()
        raise socket.gaierror("too late")

    monkeypatch.setattr(socket, "getaddrinfo", never)
    assert reason("http://slow.example/", timeout_s=0.2) == "cannot be fetched: took longer than timeout_s=0.2"
    assert not ended.is_set()
    given_up.set()


def test_redirects_lead_to_hosts_of_listed_pages_only(site: Site) -> None:
    with served() as other:
        other.page("/secret", "<p>secret")
        site.page("/new", "<p>new")
        site.redirect("/old", "/new")
        site.redirect("/away", f"{other.root}/secret")
        site.redirect("/round", "/round")
        assert [d.text for d in read(f"{site.root}/old").documents] == ["new\n"]
        assert "which no listed page names" in reason(f"{site.root}/away")
        assert "more than 5 redirects" in reason(f"{site.root}/round")
        assert other.asked == []
        both = read(f"{site.root}/away", f"{other.root}/other")
        assert [d.text for d in both.documents] == ["secret\n"]


@pytest.mark.parametrize(
    ("setup", "told"),
    [
        ({"status": 404}, "cannot be fetched: HTTP 404"),
        ({"status": 500}, "cannot be fetched: HTTP 500"),
        ({"Content_Type": "image/png"}, "content of type 'image/png' is not read"),
        ({"Content_Encoding": "br"}, "content encoding 'br' is not read"),
        ({"Content_Length": "100"}, "the answer breaks off"),
        ({"Content_Length": "999999999999"}, "is larger than documents.max_bytes"),
    ],
)
def test_what_is_no_page_is_quarantined_with_the_reason(site: Site, setup: dict[str, Any], told: str) -> None:
    site.page("/", "<p>text", **setup)
    assert told in reason(site.root)


def test_a_page_that_is_not_there_leaves_its_neighbours(site: Site) -> None:
    site.page("/a", "<p>a")
    corpus = read(f"{site.root}/a", f"{site.root}/gone", "http://127.0.0.1:9/")
    assert [d.text for d in corpus.documents] == ["a\n"]
    assert len(corpus.quarantined) == 2


@pytest.mark.parametrize("where", ["head", "body"])
def test_a_server_that_drips_is_cut_off_in_time(site: Site, where: str) -> None:
    def drip(handler: BaseHTTPRequestHandler) -> None:
        if where == "body":
            handler.send_response(200)
            handler.send_header("Content-Type", "text/html")
            handler.end_headers()
        else:
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
        for _ in range(200):
            handler.wfile.write(b"x")
            handler.wfile.flush()
            time.sleep(0.05)

    site.pages["/"] = drip
    began = time.monotonic()
    assert reason(site.root, timeout_s=0.5) == "cannot be fetched: took longer than timeout_s=0.5"
    assert time.monotonic() - began < 3


def test_a_proxy_of_the_environment_takes_no_part(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    with served() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.root)
        site.page("/", "<p>direct")
        assert [d.text for d in read(site.root).documents] == ["direct\n"]
        assert proxy.asked == []


def test_requests_tell_no_credentials(site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    site.page("/", "<p>x")
    read(site.root)
    assert set(site.headers[0]) == {"Host", "User-Agent", "Accept", "Accept-Encoding", "Connection"}


@pytest.mark.parametrize(
    "wrong", [[], ["ftp://a/b"], ["file:///etc/passwd"], ["a.html"], ["http://me:pw@host/"], ["https://me@host/"]]
)
def test_settings_name_pages_by_http_urls_without_credentials(wrong: list[str]) -> None:
    with pytest.raises(ConfigurationError):
        read(*wrong)
