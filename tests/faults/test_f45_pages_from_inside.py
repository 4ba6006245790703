"""No spelling of a URL, no redirect and no look-up leads a flow to an address that only this machine reaches."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from genaiops.configuration import validated_data
from genaiops.documents import DocumentSettings, read_documents
from genaiops.documents.sources.addresses import Forbidden, addresses_of, target_of
from genaiops.errors import ConfigurationError
from tests.documents.web_server import Site, served

PUBLIC = "93.184.215.14"


@pytest.fixture
def canary() -> Iterator[Site]:
    """An internal service that listens on every address of this machine. Nobody may ever ask it anything."""
    with served("0.0.0.0") as running:
        running.page("/", "<p>internal")
        yield running


def hosts() -> list[str]:
    """Ways to write this machine's own addresses, and others that no page is at."""
    loopback = [
        "127.0.0.1", "127.1", "127.0.1", "0", "0.0.0.0", "00000177.1", "0177.0.0.1", "0177.0.0.01", "0x7f.0.0.1",
        "0x7f.1", "0x7f000001", "0X7F000001", "2130706433", "017700000001", "127.0.0.1.", "127.127.127.127",
        "localhost", "LOCALHOST", "LocalHost", "localhost.", "localhost.localdomain", "ip6-localhost", "[::1]",
        "[0:0:0:0:0:0:0:1]", "[0000::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::ffff:0:127.0.0.1]",
        "[0:0:0:0:0:ffff:127.0.0.1]", "[::127.0.0.1]", "[64:ff9b::127.0.0.1]", "[64:ff9b:1::127.0.0.1]",
        "[2002:7f00:1::]", "[2001:0:7f00:1::]", "[::1%25lo]", "[::1%lo]", "[fe80::1]", "[fe80::1%25eth0]",
        "①②⑦.⓪.⓪.①", "127。0。0。1", "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ", "lo\u00adcalhost", "localhost\u200b", "%6c%6f%63alhost",
        "127.0.0.1%00", "127%2e0%2e0%2e1", "%31%32%37.0.0.1", "0x7f.0x0.0x0.0x1", "0177.0000.0000.0001",
    ]  # fmt: skip
    inside = [
        "10.0.0.1", "10.255.255.254", "172.16.0.1", "172.31.255.254", "192.168.0.1", "192.168.255.254", "100.64.0.1",
        "169.254.169.254", "169.254.170.2", "0xa9fea9fe", "2852039166", "0251.0376.0251.0376", "100.100.100.200",
        "168.63.129.16", "192.0.0.192", "[fd00:ec2::254]", "[fc00::1]", "[fd12:3456::1]", "[::ffff:169.254.169.254]",
        "[::ffff:a9fe:a9fe]", "[64:ff9b::a9fe:a9fe]", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255",
        "[ff02::1]", "198.18.0.1", "192.0.2.1", "198.51.100.1", "203.0.113.1", "[2001:db8::1]", "192.88.99.1",
    ]  # fmt: skip
    return loopback + inside


def written(address: str) -> list[str]:
    """The same IPv4 address in the forms that look-ups take, and in IPv6 addresses that carry it."""
    a, b, c, d = map(int, address.split("."))
    number = int.from_bytes(bytes((a, b, c, d)), "big")
    pair = f"{number >> 16:x}:{number & 0xFFFF:x}"
    return [
        str(number), f"0x{number:x}", f"0X{number:08X}", f"0{number:o}", f"{a:#x}.{b:#x}.{c:#x}.{d:#x}",
        f"0{a:o}.0{b:o}.0{c:o}.0{d:o}", f"{a:#x}.0{b:o}.{c}.{d}", f"{a}.{b}.{c * 256 + d}", f"{a}.{number & 0xFFFFFF}",
        f"[::ffff:{address}]", f"[::ffff:{pair}]", f"[0:0:0:0:0:FFFF:{pair}]", f"[::{pair}]", f"[64:ff9b::{pair}]",
        f"[2002:{pair}::1]", f"{address}.",
    ]  # fmt: skip


INNER = ("127.0.0.1", "127.8.8.8", "10.1.2.3", "172.20.0.9", "192.168.1.1", "169.254.169.254", "100.100.100.200",
         "100.64.7.7", "198.18.9.9", "0.0.0.0", "255.255.255.255")  # fmt: skip


def urls(port: int) -> list[str]:
    """Every host as it stands, and the tricks that make one parser see another host than the next."""
    tricks = [
        f"http://example.org@127.0.0.1:{port}/", f"http://127.0.0.1:{port}@example.org/",
        f"http://example.org:80@127.0.0.1:{port}/", f"http://example.org%40127.0.0.1:{port}/",
        f"http://example.org\\@127.0.0.1:{port}/", f"http://127.0.0.1:{port}\\@example.org/",
        f"http://127.0.0.1:{port}\\.example.org/", f"http:\\\\127.0.0.1:{port}\\", f"http:/\\127.0.0.1:{port}/",
        f"http:127.0.0.1:{port}/", f"http:/127.0.0.1:{port}/", f"http:///127.0.0.1:{port}/",
        f"http://\t127.0.0.1:{port}/", f"http://127.0.0.1\t:{port}/", f"http://127.0.0.1\r\n:{port}/",
        f"ht\ntp://127.0.0.1:{port}/", f" http://127.0.0.1:{port}/", f"http://127.0.0.1:{port}/\r\nHost: x\r\n\r\n",
        f"http://127.0.0.1:{port}#@example.org/", f"http://127.0.0.1:{port}?@example.org/",
        f"http://127.0.0.1:{port};@example.org/", f"http://[127.0.0.1]:{port}/", f"http://127.0.0.1:0{port}/",
        f"http://127.0.0.1:{port}/%2e%2e/", f"http://localhost:{port}//example.org/", f"http://user@localhost:{port}/",
        f"http://@localhost:{port}/", f"http://:@localhost:{port}/", f"http://localhost:{port}\0.example.org/",
        f"HTTP://LOCALHOST:{port}/", f"hTTp://127.0.0.1:{port}/", f"https://127.0.0.1:{port}/",
        f"gopher://127.0.0.1:{port}/_GET%20/", f"ftp://127.0.0.1:{port}/", f"file://127.0.0.1:{port}/",
        f"dict://127.0.0.1:{port}/", f"ws://127.0.0.1:{port}/", f"//127.0.0.1:{port}/", f"127.0.0.1:{port}/",
        f"javascript:fetch('http://127.0.0.1:{port}/')", "data:text/html,<p>x", f"url:http://127.0.0.1:{port}/",
        f"http://[::1]:{port}/", f"http://[::1]%2f:{port}/", f"http://[::1:{port}/", f"http://::1:{port}/",
        f"http://[::1].example.org:{port}/", f"http://[v1.127.0.0.1]:{port}/", f"http://127.0.0.1.:{port}/",
        "http://", "http://?", "http://#", "http:// /", "http://./", "http://../", "http://-/", "http://a..b/",
        "http://127.0.0.1:99999/", "http://127.0.0.1:-1/", "http://127.0.0.1:0/", f"http://{'a' * 3000}/",
        "http://metadata.google.internal./", "http://xn--/", "http://a_b.internal/",
    ]  # fmt: skip
    forms = [form for address in INNER for form in written(address)]
    return [f"http://{host}:{port}/" for host in dict.fromkeys((*hosts(), *forms))] + tricks


def outcome(url: str, tmp_path: Path, **options: Any) -> str:
    """What a build says of one listed page."""
    try:
        source = {"web": [url], "timeout_s": 2, **options}
        settings = validated_data(DocumentSettings, {"sources": [source]}, where=str)
        corpus = read_documents(settings, tmp_path)
    except ConfigurationError as error:
        return f"refused: {error.what}"
    assert corpus.documents == ()
    return corpus.quarantined[0].reason


def test_no_spelling_of_a_url_reaches_the_canary(canary: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connected: list[Any] = []
    connect = socket.socket.connect

    def counted(self: socket.socket, address: Any) -> None:
        connected.append(address)
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", counted)
    spellings = urls(canary.port)
    assert len(set(spellings)) >= 300
    told = {url: outcome(url, tmp_path) for url in spellings}
    assert canary.asked == []
    assert connected == []
    unclear = [url for url, text in told.items() if not text.startswith(("refused", "may not", "cannot be fetched"))]
    assert unclear == []


def test_only_what_is_allowed_by_name_is_reached(canary: Site, tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{canary.port}/"
    assert "not a public address" in outcome(url, tmp_path)
    assert "not a public address" in outcome(url, tmp_path, allow_private=["intranet.example"])
    for allowed in (True, ["127.0.0.1"]):
        source = {"web": [url], "allow_private": allowed}
        settings = validated_data(DocumentSettings, {"sources": [source]}, where=str)
        assert len(read_documents(settings, tmp_path).documents) == 1
    assert canary.asked == ["/", "/"]


@pytest.mark.parametrize(
    "address", ["169.254.169.254", "100.100.100.200", "fd00:ec2::254", "fe80::1", "224.0.0.1", "0.0.0.0"]
)
def test_credentials_of_a_machine_are_out_of_reach_even_where_private_addresses_are_allowed(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve_to(monkeypatch, [address])
    with pytest.raises(Forbidden):
        addresses_of(target_of("http://metadata.example/"), True)
    with pytest.raises(Forbidden):
        addresses_of(target_of("http://metadata.example/"), ("metadata.example",))


def resolve_to(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Let every look-up give the next of `answers`, then the last one again; returns what was looked up."""
    asked: list[str] = []

    def resolved(host: str, port: int, *arguments: Any, **options: Any) -> list[Any]:
        asked.append(host)
        found = answers[min(len(asked), len(answers)) - 1]
        families = [socket.AF_INET6 if ":" in address else socket.AF_INET for address in found]
        pairs = zip(families, found, strict=True)
        return [(family, socket.SOCK_STREAM, 6, "", (address, port)) for family, address in pairs]

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    return asked


def test_a_name_that_has_one_inner_address_is_refused_whole(
    canary: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve_to(monkeypatch, [PUBLIC, "127.0.0.1"])
    assert "not a public address" in outcome(f"http://docs.example:{canary.port}/", tmp_path)
    assert canary.asked == []


def test_the_address_that_was_checked_is_the_one_connected_to(
    canary: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that is public when checked and loopback when looked up again."""
    asked = resolve_to(monkeypatch, [PUBLIC], ["127.0.0.1"])
    reached: list[Any] = []

    def refused(self: socket.socket, address: Any) -> None:
        reached.append(address)
        raise ConnectionRefusedError(111, "refused by the test")

    monkeypatch.setattr(socket.socket, "connect", refused)
    assert outcome(f"http://docs.example:{canary.port}/", tmp_path).startswith("cannot be fetched")
    assert asked == ["docs.example"]
    assert reached == [(PUBLIC, canary.port)]
    assert canary.asked == []


REDIRECTS = [
    "http://127.0.0.1:{port}/", "http://localhost:{port}/", "http://2130706433:{port}/", "//127.0.0.1:{port}/",
    "http://[::1]:{port}/", "\\\\127.0.0.1:{port}\\", "http:\\\\127.0.0.1:{port}", "file:///etc/passwd",
    "http://me@127.0.0.1:{port}/", "gopher://127.0.0.1:{port}/", "http://169.254.169.254/latest/meta-data/",
    "http://10.0.0.1/", "javascript:alert(1)", "http://docs.example:{port}/", "http://0x7f.1:{port}/",
]  # fmt: skip


@pytest.mark.parametrize("location", REDIRECTS)
def test_no_redirect_leads_to_the_canary(location: str, canary: Site, tmp_path: Path) -> None:
    with served() as site:
        site.redirect("/", location.format(port=canary.port))
        said = outcome(site.root, tmp_path, allow_private=["127.0.0.1"])
        assert said.startswith("may not be fetched")
        assert site.asked == ["/"]
        assert canary.asked == []


def test_a_redirect_to_a_listed_host_is_checked_anew(
    canary: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The listed name is public until the redirect to itself, and then means this machine."""
    with served() as site:
        site.redirect("/start", f"http://127.0.0.2:{canary.port}/")
        pages = [f"{site.root}/start", f"http://127.0.0.2:{canary.port}/"]
        source = {"web": pages, "allow_private": ["127.0.0.1"]}
        settings = validated_data(DocumentSettings, {"sources": [source]}, where=str)
        corpus = read_documents(settings, tmp_path)
        assert corpus.documents == ()
        assert all("not a public address" in item.reason for item in corpus.quarantined)
        assert canary.asked == []
