"""Keys, and what every request must pass before any work is done for it."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest

from genaiops.errors import ConfigurationError, IntegrityError, NotFound
from genaiops.serving import KeyStore, ServiceSettings, check_bind
from tests.serving.running_service import MODEL, Echo, Fixed, question, running


@pytest.fixture
def keys(tmp_path: Path) -> KeyStore:
    return KeyStore(tmp_path / "keys.json")


def owner(keys: KeyStore, key: str) -> str:
    found = keys.owner(key)
    return found.name if found else ""


def test_a_key_opens_the_door_until_it_is_revoked(keys: KeyStore) -> None:
    key = keys.create("website")
    assert owner(keys, key) == "website"
    keys.revoke("website")
    assert owner(keys, key) == ""
    with pytest.raises(NotFound, match="no key named 'website' is in use"):
        keys.revoke("website")
    assert [(k.name, bool(k.revoked_at)) for k in keys.list()] == [("website", True)]


def test_only_a_salted_hash_is_kept_in_a_private_file(keys: KeyStore) -> None:
    first, second = keys.create("a"), keys.create("b")
    text = keys.path.read_text()
    assert first.startswith("genaiops_")
    for key in (first, second):
        secret = key.split("_", 2)[2]
        assert len(secret) >= 43  # 256 bits
        assert secret not in text
        assert hashlib.sha256(secret.encode()).hexdigest() not in text
    assert stat.S_IMODE(os.stat(keys.path).st_mode) == 0o600
    assert not any("secret" in field or "hash" in field for field in keys.list()[0].__dataclass_fields__)


@pytest.mark.parametrize("changed", ["", "x", "genaiops", "genaiops__", "genaiops_000000000000_x", "\udcff", "ключ"])
def test_a_wrong_key_is_nobody_s(keys: KeyStore, changed: str) -> None:
    key = keys.create("website")
    assert owner(keys, changed) == ""
    assert owner(keys, key[:-1]) == ""
    assert owner(keys, key + "x") == ""
    assert owner(keys, key.replace("genaiops", "other")) == ""


def test_a_name_in_use_is_refused_and_a_revoked_one_is_free_again(keys: KeyStore) -> None:
    old = keys.create("website")
    with pytest.raises(ConfigurationError, match="a key named 'website' exists"):
        keys.create("website")
    keys.revoke("website")
    new = keys.create("website")
    assert (owner(keys, old), owner(keys, new)) == ("", "website")
    with pytest.raises(ConfigurationError, match="not a valid name"):
        keys.create("../x")


def test_many_writers_lose_no_key(keys: KeyStore) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda n: (f"k{n}", KeyStore(keys.path).create(f"k{n}")), range(24)))
    assert [owner(keys, key) for _, key in made] == [name for name, _ in made]


@pytest.mark.parametrize("text", ["", "[]", '{"keys": [{"id": "x"}]}', '{"keys": 5}', "\x00"])
def test_a_damaged_file_lets_nobody_in(keys: KeyStore, text: str) -> None:
    key = keys.create("website")
    keys.path.write_text(text)
    with pytest.raises(IntegrityError, match="nobody is let in"):
        keys.owner(key)
    with pytest.raises(IntegrityError):
        keys.create("other")
    assert keys.path.read_text() == text


def test_keys_stay_required_when_all_are_revoked_or_the_file_is_gone(keys: KeyStore) -> None:
    assert not keys.required
    keys.create("website")
    assert keys.required
    keys.revoke("website")
    assert keys.required
    keys.path.unlink()
    assert keys.required
    assert not KeyStore(keys.path).required


@pytest.mark.parametrize("host", ["0.0.0.0", "", "::", "192.168.1.5", "example.org", "127.0.0.1.example.org"])
def test_a_public_address_without_a_good_key_is_refused(keys: KeyStore, host: str) -> None:
    with pytest.raises(ConfigurationError, match="can be reached from other machines, and no API key exists"):
        check_bind(host, keys)
    keys.create("website")
    check_bind(host, keys)
    keys.revoke("website")
    with pytest.raises(ConfigurationError):
        check_bind(host, keys)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "localhost", "::1", "[::1]"])
def test_loopback_needs_no_key(keys: KeyStore, host: str) -> None:
    check_bind(host, keys)


# --- over HTTP -----------------------------------------------------------------------


def test_every_route_of_the_app_but_the_probes_asks_for_a_key(tmp_path: Path) -> None:
    echo = Echo()
    with running(Fixed({MODEL: echo}), tmp_path) as service:
        key = service.keys.create("website")
        service.keys.revoke("website")
        paths = {str(getattr(route, "path", "")).replace("{model_id:path}", MODEL) for route in service.app.routes}
        assert {"/v1/chat/completions", "/v1/models", "/openapi.json", "/livez", "/readyz"} <= paths
        odd = {"//v1/models", "/v1/models/", "/V1/models", "/v1/%6dodels", "/livez/../v1/models", "/readyz/"}
        odd |= {"/livez/%2e%2e/v1/models", "/livez;/v1/models", "/nothing", "/docs"}
        wrong = (None, "Bearer", "Bearer x", f"Bearer {key}", f"Basic {key}", key)
        body = json.dumps(question()).encode()
        open_paths = set()
        with httpx2.Client() as http:
            for path, method, authorization in itertools.product(
                sorted(paths | odd), ("GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE"), wrong
            ):
                headers = {"Authorization": authorization} if authorization else {}
                raw = httpx2.URL(service.url).copy_with(raw_path=path.encode())
                content = body if method in ("POST", "PUT") else None
                if http.request(method, raw, headers=headers, content=content).status_code != 401:
                    open_paths.add(path)
        assert open_paths == {"/livez", "/readyz"}
        assert echo.started == []


def test_a_good_key_is_served_and_a_key_made_while_running_counts_at_once(tmp_path: Path) -> None:
    with running(Fixed({MODEL: Echo()}), tmp_path) as service, httpx2.Client(base_url=service.url) as http:
        assert http.get("/v1/models").status_code == 200
        key = KeyStore(service.keys.path).create("website")
        refused = http.get("/v1/models")
        assert refused.status_code == 401
        assert refused.json()["error"]["code"] == "invalid_api_key"
        assert refused.headers["www-authenticate"] == "Bearer"
        assert http.get("/v1/models", headers={"Authorization": f"bearer {key}"}).status_code == 200
        service.keys.path.write_text("damaged")
        broken = http.get("/v1/models", headers={"Authorization": f"Bearer {key}"})
        assert (broken.status_code, broken.json()["error"]["code"]) == (503, "keys_unreadable")
        assert str(tmp_path) not in broken.text
        assert http.get("/livez").status_code == 200


def test_whoever_asks_is_given_the_labels_of_the_key_and_never_none(tmp_path: Path) -> None:
    """None would find every document, whatever its labels."""
    echo = Echo()
    with running(Fixed({MODEL: echo}), tmp_path) as service, httpx2.Client(base_url=service.url) as http:
        forged = {"access": "finance"}
        assert http.post("/v1/chat/completions", json=question(), headers={"X-Access": "finance"}).status_code == 200
        for name, labels in (("staff", ("staff", "finance", "staff")), ("guest", ())):
            key = service.keys.create(name, labels)
            headers = {"Authorization": f"Bearer {key}"}
            answer = http.post("/v1/chat/completions", json={**question(), "metadata": forged}, headers=headers)
            assert answer.status_code == 200
        assert KeyStore(service.keys.path).list()[0].access == ("finance", "staff")
    assert echo.access == [(), ("finance", "staff"), ()]


def test_an_empty_access_label_is_refused(keys: KeyStore) -> None:
    with pytest.raises(ConfigurationError, match="an access label is empty"):
        keys.create("website", ["staff", " "])
    assert not keys.required


def test_with_keys_required_and_none_made_nobody_is_served(tmp_path: Path) -> None:
    with running(Fixed({MODEL: Echo()}), tmp_path, require_key=True) as service:
        assert httpx2.get(f"{service.url}/v1/models").status_code == 401


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:8080", 200),
        ("LOCALHOST", 200),
        ("127.0.0.1", 200),
        ("[::1]:9", 200),
        ("evil.example", 400),
        ("localhost.evil.example", 400),
        ("127.0.0.1.evil.example", 400),
        ("a/b?x=localhost", 400),
        ("localhost@evil.example", 400),
        ("", 400),
    ],
)
def test_only_names_of_this_machine_are_answered_when_hosts_are_limited(tmp_path: Path, host: str, status: int) -> None:
    settings = ServiceSettings(allowed_hosts=("localhost", "127.0.0.1", "::1"))
    with running(Fixed({MODEL: Echo()}), tmp_path, settings=settings) as service:
        answers = [httpx2.get(service.url + path, headers={"Host": host}) for path in ("/v1/models", "/livez")]
    assert {answer.status_code for answer in answers} == {status}
    assert not any("access-control-allow-origin" in answer.headers for answer in answers)
