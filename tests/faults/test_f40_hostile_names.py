"""Names from strangers (keys of a bucket, ids of rows, names of attachments) are labels; they open nothing."""

from __future__ import annotations

import itertools
import json
import sqlite3
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from genaiops.configuration import validated_data
from genaiops.documents import Corpus, DocumentSettings, read_documents
from tests.faults.build_children import LONG

COUNT = 20_000 if LONG else 1_500
_HOOKED: list[list[str]] = []


def names() -> list[str]:
    """Names that have led some program out of its folder."""
    ups = [
        "..",
        "../..",
        "..\\..",
        "%2e%2e",
        "%252e%252e",
        "..%2f..",
        "..%c0%af..",
        ".",
        "....//",
        "~",
        "~root",
        "$HOME",
    ]
    targets = ["etc/passwd", "etc\\passwd", "private.txt", "windows/win.ini", "proc/self/environ", "id_rsa", ""]
    heads = [
        "",
        "/",
        "\\",
        "//",
        "\\\\server\\share\\",
        "C:\\",
        "c:/",
        "file:",
        "file://",
        "file:///",
        "s3://b/",
        "env:",
    ]
    tails = ["", "\0", "\0.md", ".md", " ", ".", "::$DATA", "#x", "?x=1", "\n", "\r\n", "\u202e", "\u200b", "\ufeff"]
    reserved = [
        "CON",
        "nul.md",
        "aux",
        "x" * 255,
        "x" * 256,
        "x" * 5000,
        "\ud800",
        "é" * 200,
        "-rf",
        "--help",
        "$(id)",
        "`id`",
    ]
    made = [f"{head}{up}/{target}{tail}" for head, up, target, tail in itertools.product(heads, ups, targets, tails)]
    forms = [
        unicodedata.normalize(form, f"{name}\u00e9\uff0f\u2024") for name in made for form in ("NFC", "NFD", "NFKC")
    ]
    found = [*reserved, *made, *forms]
    step = max(1, len(found) // COUNT)
    return found[::step][:COUNT] if LONG else [*reserved, *found[::step]][:COUNT]


@pytest.fixture
def opened() -> Iterator[list[str]]:
    """Every path that this process opens from now on; the hook stays and is silent afterwards."""
    seen: list[str] = []
    if not _HOOKED:

        def note(event: str, arguments: tuple[Any, ...]) -> None:
            if event in ("open", "os.mkdir", "os.rename", "os.remove", "os.listdir", "os.scandir") and _HOOKED[0:]:
                for listening in _HOOKED:
                    listening.append(str(arguments[0]))

        sys.addaudithook(note)
    _HOOKED.append(seen)
    yield seen
    _HOOKED.remove(seen)


def strangers(opened: list[str], root: Path) -> set[str]:
    """Paths opened outside the test's folder, this Python and its packages."""
    ours = (
        str(root),
        str(Path(sys.prefix)),
        str(Path(sys.base_prefix)),
        str(Path(__file__).parents[2]),
        "/dev/",
        "/proc/self/",
    )
    return {path for path in opened if path.startswith("/") and not path.startswith(ours)} - {"/etc/localtime"}


def read(root: Path, source: Any) -> Corpus:
    return read_documents(
        validated_data(DocumentSettings, {"sources": [source]}, where=str), root, cache=root / "cache.db"
    )


def test_keys_of_object_storage_open_nothing(tmp_path: Path, opened: list[str]) -> None:
    import fsspec
    from fsspec.implementations.memory import MemoryFile

    fs: Any = fsspec.filesystem("memory")
    fs.store.clear()
    (tmp_path / "private.txt").write_text("private")
    keys = {f"/docs/{name}.md" for name in names()} | {"/docs/good.md"}
    fs.store.update({key: MemoryFile(fs, key, b"text of an object") for key in keys})
    try:
        opened.clear()
        corpus = read(tmp_path, "memory://docs")
    finally:
        fs.store.clear()
    assert strangers(opened, tmp_path) == set()
    assert {d.text for d in corpus.documents} == {"text of an object"}
    assert "good.md" in {d.id for d in corpus.documents}
    for document in corpus.documents:
        assert document.id.isprintable()
        assert not {"", ".", ".."} & set(document.id.split("/"))


def test_ids_of_lines_rows_and_items_open_nothing(tmp_path: Path, opened: list[str]) -> None:
    made = names()
    lines = [json.dumps({"id": name, "text": "text of a line"}) for name in made]
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/lines.jsonl").write_text("\n".join(lines))
    (tmp_path / "docs/items.json").write_text(f"[{','.join(lines)}]")
    storable = [name for name in made if name.isprintable()]
    with closing(sqlite3.connect(tmp_path / "rows.db")) as connection:
        connection.execute("CREATE TABLE t (id, text)")
        connection.executemany(
            "INSERT INTO t VALUES (?, 'text of a row')", [(name,) for name in dict.fromkeys(storable)]
        )
        connection.commit()
    opened.clear()
    corpus = read(tmp_path, "docs")
    try:
        rows = read(tmp_path, {"sql": "sqlite:///rows.db", "query": "SELECT * FROM t", "id": "id", "text": ["text"]})
    except Exception as error:
        # Two keys that differ in normalisation only are one id.
        assert "two documents have the id" in str(error)
        rows = Corpus(())
    assert strangers(opened, tmp_path) == set()
    for document in (*corpus.documents, *rows.documents):
        assert document.id.isprintable()
        assert document.text.startswith("text of a")
        assert document.id.partition("#")[0] in ("lines.jsonl", "items.json", "rows")


def test_names_of_attachments_are_text_and_nothing_is_written(tmp_path: Path, opened: list[str]) -> None:
    from email.message import EmailMessage

    mail = EmailMessage()
    mail["Subject"] = "Plans"
    mail.set_content("text")
    usable = [name for name in names() if name.isprintable() and name][:200]
    for name in usable:
        mail.add_attachment(b"x", maintype="application", subtype="octet-stream", filename=name)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/mail.eml").write_bytes(mail.as_bytes())
    before = sorted(path.name for path in tmp_path.rglob("*"))
    [document] = read(tmp_path, "docs").documents
    assert len(document.metadata["attachments"]) == len(usable)
    assert strangers(opened, tmp_path) == set()
    assert [name for name in sorted(path.name for path in tmp_path.rglob("*")) if "cache.db" not in name] == before
