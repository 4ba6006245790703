"""Object storage through a real S3 server on loopback, and other file systems by URL."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from genaiops.configuration import validated_data
from genaiops.documents import DocumentSettings, Quarantined, read_documents
from genaiops.errors import ConfigurationError, SourceError
from genaiops.records import Document

KEY, SECRET = "AKIA-OF-THE-TESTS", "s3cr3t/of+the=tests"
ROWS = {"query": "SELECT 1 AS id", "id": "id", "text": ["id"]}


def settings(*sources: Any, **options: Any) -> DocumentSettings:
    return validated_data(DocumentSettings, {"sources": sources, **options}, where=str)


class Counting:
    """A cleaner that leaves everything as it is and remembers what it saw."""

    version = "counting"

    def __init__(self) -> None:
        self.seen: list[str] = []

    def clean(self, document: Document) -> Document | Quarantined:
        self.seen.append(document.id)
        return document


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    import logging

    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    running = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    yield f"http://{host}:{port}"
    running.stop()


class Bucket:
    """A bucket of its own for one test, filled through the client that its users have."""

    def __init__(self, server: str, name: str) -> None:
        import boto3

        self.name = name
        self._client = boto3.client("s3", endpoint_url=server, region_name="us-east-1")
        self._client.create_bucket(Bucket=name)

    def put(self, key: str, body: str | bytes) -> None:
        self._client.put_object(Bucket=self.name, Key=key, Body=body if isinstance(body, bytes) else body.encode())

    def delete(self, key: str) -> None:
        self._client.delete_object(Bucket=self.name, Key=key)


@pytest.fixture
def bucket(server: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_ENDPOINT_URL", server)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    return Bucket(server, f"b{abs(hash(request.node.name)) % 10**12}")


def test_a_bucket_is_read_like_a_folder(bucket: Bucket, tmp_path: Path) -> None:
    bucket.put("docs/a.md", "---\ntitle: A\n---\n# A")
    bucket.put("docs/sub/b.txt", "b")
    bucket.put("docs/sub/.hidden.md", "h")
    bucket.put("docs/.git/c.md", "c")
    bucket.put("docs/image.png", b"\0")
    bucket.put("docs/broken.md", b"caf\xe9")
    bucket.put("other/c.md", "c")
    corpus = read_documents(settings(f"s3://{bucket.name}/docs"), tmp_path)
    assert [d.id for d in corpus.documents] == ["a.md", "sub/b.txt"]
    assert [item.document_id for item in corpus.quarantined] == ["broken.md"]
    origin = corpus.documents[0].origin
    assert origin is not None
    assert (origin.source, origin.loader) == (f"s3://{bucket.name}/docs", "markdown 1")
    assert origin.modified.endswith("+00:00")


def test_one_object_and_a_glob_are_sources_too(bucket: Bucket, tmp_path: Path) -> None:
    for key in ("docs/a.md", "docs/b.txt", "docs/sub/c.md"):
        bucket.put(key, key)
    root = f"s3://{bucket.name}/docs"
    assert [d.id for d in read_documents(settings(f"{root}/a.md"), tmp_path).documents] == ["a.md"]
    assert [d.id for d in read_documents(settings(f"{root}/**/*.md"), tmp_path).documents] == ["a.md", "sub/c.md"]
    assert [d.id for d in read_documents(settings(root, exclude=["sub/**"]), tmp_path).documents] == ["a.md", "b.txt"]


def test_an_unchanged_object_is_not_fetched_again(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import s3fs

    fetched: list[str] = []
    fetch = s3fs.S3FileSystem.open

    def counted(self: Any, path: str, *arguments: Any, **options: Any) -> Any:
        fetched.append(path)
        return fetch(self, path, *arguments, **options)

    monkeypatch.setattr(s3fs.S3FileSystem, "open", counted)
    for key in ("docs/a.md", "docs/b.md"):
        bucket.put(key, key)
    chosen, cache = settings(f"s3://{bucket.name}/docs"), tmp_path / "cache.db"
    cleaner = Counting()
    first = read_documents(chosen, tmp_path, cache=cache, clean=cleaner)
    assert (len(fetched), cleaner.seen) == (2, ["a.md", "b.md"])
    assert read_documents(chosen, tmp_path, cache=cache, clean=cleaner) == first
    assert (len(fetched), cleaner.seen) == (2, ["a.md", "b.md"])
    bucket.put("docs/a.md", "changed")
    changed = read_documents(chosen, tmp_path, cache=cache, clean=cleaner)
    assert [d.text for d in changed.documents] == ["changed", "docs/b.md"]
    assert len(fetched) == 3
    bucket.delete("docs/b.md")
    assert [d.id for d in read_documents(chosen, tmp_path, cache=cache).documents] == ["a.md"]


def test_credentials_come_from_options_by_name_of_their_variable_and_stay_out_of_sight(
    bucket: Bucket, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket.put("docs/a.md", "a")
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("STORE_KEY", KEY)
    monkeypatch.setenv("STORE_SECRET", SECRET)
    options = {"key": "env:STORE_KEY", "secret": "env:STORE_SECRET", "endpoint_url": server}
    source = {"path": f"s3://{bucket.name}/docs", "options": options}
    corpus = read_documents(settings(source), tmp_path, cache=tmp_path / "cache.db")
    assert [d.id for d in corpus.documents] == ["a.md"]
    kept = repr(corpus) + (tmp_path / "cache.db").read_bytes().decode("latin-1") + settings(source).model_dump_json()
    assert KEY not in kept
    assert SECRET not in kept
    broken = {
        "path": f"s3://{bucket.name}/docs",
        "options": {**options, "endpoint_url": f"http://127.0.0.1:9/{SECRET}"},
    }
    broken["options"]["config_kwargs"] = {"retries": {"max_attempts": 0}, "connect_timeout": 2}  # type: ignore[index]
    with pytest.raises(SourceError) as caught:
        read_documents(settings(broken), tmp_path)
    assert SECRET not in str(caught.value)
    assert "***" in str(caught.value)


def test_a_secret_written_down_in_settings_is_refused() -> None:
    for wrong, reason in (
        ({"path": "s3://b/docs", "options": {"secret": SECRET}}, r"options\.secret looks like a secret"),
        ({"path": "s3://b/docs", "options": {"client_kwargs": {"aws_session_token": "x"}}}, "looks like a secret"),
        ({"path": "ftp://user:word@host/docs"}, "holds credentials"),
        ("s3://key:secret@bucket/docs", "holds credentials"),
        ({"path": "abfs://c/docs", "options": {"account_key": SECRET}}, "looks like a secret"),
        ({"path": "s3://b/docs", "options": {"proxies": {"https": f"http://me:{SECRET}@proxy"}}}, "holds credentials"),
        ({"langchain": "a.Loader", "arguments": {"connection_string": SECRET}}, "looks like a secret"),
        ({"langchain": "a.Loader", "arguments": {"url": f"postgresql://me:{SECRET}@h/db"}}, "holds credentials"),
        ({"langchain": "a.Loader", "arguments": {"url": f"jdbc:postgresql://me:{SECRET}@h/db"}}, "holds credentials"),
        (
            {"langchain": "a.Loader", "arguments": {"url": f"jdbc:sqlserver://h;user=me;password={SECRET}"}},
            "credential",
        ),
        ({**ROWS, "sql": f"jdbc:sqlserver://h;user=me;password={SECRET}"}, "holds credentials"),
        ({**ROWS, "sql": f"jdbc:snowflake://h/?user=me&passcode={SECRET}"}, "holds credentials"),
        ({"langchain": "a.Loader", "arguments": {"sites": [{"password": SECRET}]}}, "looks like a secret"),
        ({**ROWS, "sql": f"mssql+pyodbc:///?odbc_connect=SERVER%3Dh%3BUID%3Dme%3BPWD%3D{SECRET}"}, "holds a password"),
        ({**ROWS, "sql": f"postgresql://me:{SECRET}@h/db"}, "holds credentials"),
        ({**ROWS, "sql": f"postgresql+psycopg2://me:7#{SECRET}@h/db"}, "holds credentials"),
        ({"web": [f"https://h/a?x=AIza{'0' * 30}{SECRET}"]}, "holds a password or a key"),
    ):
        with pytest.raises(ConfigurationError, match=reason) as caught:
            settings(wrong)
        assert SECRET not in str(caught.value)
    for fine in (
        "sqlite:///a:b@c.db",
        "postgresql://h:5432/db?options=a@b",
        "postgresql://[::1]:5432/a@b",
        "postgresql://me@h/db",
    ):
        settings({**ROWS, "sql": fine})


def test_an_unset_variable_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"options\.key needs the environment variable NOT_SET_ANYWHERE"):
        read_documents(settings({"path": "s3://b/docs", "options": {"key": "env:NOT_SET_ANYWHERE"}}), tmp_path)


def test_what_is_not_there_or_not_reachable_is_no_empty_index(bucket: Bucket, tmp_path: Path) -> None:
    bucket.put("docs/a.png", "a")
    for url, error in (
        (f"s3://{bucket.name}/nothing", ConfigurationError),
        (f"s3://{bucket.name}/docs", ConfigurationError),
        ("s3://no-such-bucket-anywhere/docs", (ConfigurationError, SourceError)),
        ("nosuchprotocol://a/b", ConfigurationError),
    ):
        with pytest.raises(error):
            read_documents(settings(url), tmp_path)


@pytest.mark.parametrize("url", ["https://example.org/docs", "HTTP://example.org", "simplecache::s3://b/docs"])
def test_pages_and_chained_file_systems_are_no_paths(url: str) -> None:
    with pytest.raises(ConfigurationError):
        settings(url)


@pytest.fixture
def memory() -> Iterator[Any]:
    import fsspec

    fs = fsspec.filesystem("memory")
    fs.store.clear()
    yield fs
    fs.store.clear()
    fs.pseudo_dirs[:] = [""]


def test_any_file_system_of_fsspec_can_be_read(memory: Any, tmp_path: Path) -> None:
    memory.pipe("/docs/a.md", b"a")
    memory.pipe("/docs/deep/er/b.txt", b"b")
    memory.pipe("/docs/large.txt", b"x" * 2000)
    corpus = read_documents(settings("memory://docs", max_bytes=1000), tmp_path)
    assert [d.id for d in corpus.documents] == ["a.md", "deep/er/b.txt"]
    [large] = corpus.quarantined
    assert large.reason == "is larger than documents.max_bytes=1000 (2000 bytes)"
    assert all(d.origin and d.origin.modified for d in corpus.documents)


def test_names_that_are_no_plain_paths_are_quarantined(memory: Any, tmp_path: Path) -> None:
    from fsspec.implementations.memory import MemoryFile

    for name in ("../up.md", "a/../../up.md", "new\nline.md", "./dot.md", "good.md"):
        memory.store[f"/docs/{name}"] = MemoryFile(memory, f"/docs/{name}", b"text")
    corpus = read_documents(settings("memory://docs"), tmp_path)
    assert [d.id for d in corpus.documents] == ["good.md"]
    assert len(corpus.quarantined) == 4


def test_a_file_url_is_a_local_path_with_all_its_rules(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/a.md").write_text("a")
    (tmp_path / "docs/out.md").symlink_to("/etc/hostname")
    corpus = read_documents(settings(f"file://{tmp_path}/docs"), tmp_path / "elsewhere")
    assert [d.id for d in corpus.documents] == ["a.md"]
    assert "symbolic link leaves" in corpus.quarantined[0].reason
