"""Sources become a corpus, whatever lies in them."""

from __future__ import annotations

import json
import logging
import os
import socket
import sqlite3
import subprocess
import sys
import time
import unicodedata
from pathlib import Path

import pytest

from genaiops.configuration import validated_data
from genaiops.documents import Corpus, DocumentSettings, limited, read_documents
from genaiops.errors import ConfigurationError, DocumentError

BOMB = b"<b><p>" * 40_000 + b"x</b>" * 40_000  # quadratic work for the parser: a minute and more


def settings(*sources: str, **options: object) -> DocumentSettings:
    return validated_data(DocumentSettings, {"sources": sources or ["docs"], **options}, where=str)


def write(folder: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def ids(corpus: Corpus) -> list[str]:
    return [document.id for document in corpus.documents]


def reasons(corpus: Corpus) -> dict[str, str]:
    return {item.document_id: item.reason for item in corpus.quarantined}


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    return write(tmp_path / "docs", {"b.md": "# B", "a/z.txt": "z", "a/y.md": "y"})


# --- which files --------------------------------------------------------------


def test_ids_are_posix_paths_relative_to_the_source_in_order(docs: Path) -> None:
    assert ids(read_documents(settings(), docs.parent)) == ["a/y.md", "a/z.txt", "b.md"]


def test_the_corpus_does_not_depend_on_the_place_or_the_order_of_files(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {f"{n % 7}/{n}.md": f"text {n}" for n in range(30)}
    write(tmp_path / "one/docs", files)
    write(tmp_path / "two/docs", dict(reversed(files.items())))
    for path in tmp_path.rglob("*.md"):
        os.utime(path, (0, 0))
    assert read_documents(settings(), tmp_path / "one") == read_documents(settings(), tmp_path / "two")


def test_a_source_may_be_a_file(docs: Path) -> None:
    assert ids(read_documents(settings("docs/a/z.txt", "docs/b.md"), docs.parent)) == ["b.md", "z.txt"]


def test_unknown_suffixes_and_names_with_a_dot_in_front_are_skipped(docs: Path) -> None:
    write(docs, {"x.png": b"\0", ".hidden.md": "h", ".git/README.md": "g", "UPPER.MD": "u"})
    corpus = read_documents(settings(), docs.parent)
    assert ids(corpus) == ["UPPER.MD", "a/y.md", "a/z.txt", "b.md"]
    assert corpus.quarantined == ()


@pytest.mark.parametrize(
    ("include", "exclude", "expected"),
    [
        (["**/*.md"], [], ["a/y.md", "b.md"]),
        (["*.md"], [], ["b.md"]),
        (["a/**"], [], ["a/y.md", "a/z.txt"]),
        (["**/a/?.txt"], [], ["a/z.txt"]),
        (["**/*"], ["a/*"], ["b.md"]),
        (["**/**/*", "./b.md"], ["**/z.*"], ["a/y.md", "b.md"]),
    ],
)
def test_include_and_exclude_are_globs(docs: Path, include: list[str], exclude: list[str], expected: list[str]) -> None:
    assert ids(read_documents(settings(include=include, exclude=exclude), docs.parent)) == expected


def test_a_missing_source_is_an_error(docs: Path) -> None:
    with pytest.raises(ConfigurationError, match="source 'nowhere' does not exist"):
        read_documents(settings("docs", "nowhere"), docs.parent)


def test_a_source_without_any_document_is_an_error_that_tells_what_would_be_one(docs: Path) -> None:
    with pytest.raises(ConfigurationError, match="no document in source 'docs'") as caught:
        read_documents(settings(include=["**/*.odt"]), docs.parent)
    assert ".md" in caught.value.remedy
    assert "**/*.odt" in caught.value.remedy


def test_a_file_of_no_known_kind_as_source_is_an_error(tmp_path: Path) -> None:
    write(tmp_path, {"a.odt": b"x"})
    with pytest.raises(ConfigurationError, match="of no kind that can be read"):
        read_documents(settings("a.odt"), tmp_path)


def test_two_files_with_one_id_are_an_error_that_names_both(tmp_path: Path) -> None:
    write(tmp_path, {"one/index.md": "1", "two/index.md": "2"})
    with pytest.raises(ConfigurationError, match=r"'index.md': .*one/index.md and .*two/index.md"):
        read_documents(settings("one", "two"), tmp_path)


def test_ids_are_nfc_so_that_every_system_names_a_file_alike(tmp_path: Path) -> None:
    write(tmp_path / "docs", {unicodedata.normalize("NFD", "café.md"): "x"})
    assert ids(read_documents(settings(), tmp_path)) == [unicodedata.normalize("NFC", "café.md")]


def test_two_names_that_differ_in_normalisation_only_are_one_id(tmp_path: Path) -> None:
    write(tmp_path / "docs", {unicodedata.normalize(form, "café.md"): "x" for form in ("NFC", "NFD")})
    if len(os.listdir(tmp_path / "docs")) == 1:
        pytest.skip("this file system normalises names itself")
    with pytest.raises(ConfigurationError, match="two documents have the id"):
        read_documents(settings(), tmp_path)


# --- what cannot be read ------------------------------------------------------


def test_bad_files_are_quarantined_with_their_reason_and_the_others_read(docs: Path) -> None:
    write(docs, {"bin.md": b"a\0b", "latin.md": b"caf\xe9", "empty.md": " \n", "front.md": "---\na: b\nx"})
    corpus = read_documents(settings(), docs.parent)
    assert ids(corpus) == ["a/y.md", "a/z.txt", "b.md"]
    assert reasons(corpus) == {
        "bin.md": "is binary, not text (NUL byte at offset 1)",
        "empty.md": "is empty",
        "front.md": "line 1: front matter has no closing line '---'",
        "latin.md": "not UTF-8 (byte 0xe9 at offset 3); save it as UTF-8",
    }
    assert [item.document_id for item in corpus.quarantined] == sorted(reasons(corpus))


def test_too_large_a_file_is_not_read(docs: Path) -> None:
    with (docs / "large.txt").open("wb") as stream:
        stream.truncate(10**12)  # a sparse terabyte: reading it would end this test
    corpus = read_documents(settings(max_bytes=1000), docs.parent)
    assert reasons(corpus) == {"large.txt": f"is larger than documents.max_bytes=1000 ({10**12} bytes)"}


def test_pipes_and_sockets_are_never_opened(docs: Path) -> None:
    os.mkfifo(docs / "pipe.md")
    with socket.socket(socket.AF_UNIX) as server:
        here = Path.cwd()
        os.chdir(docs)  # a socket's path may have 100 characters
        try:
            server.bind("socket.md")
        finally:
            os.chdir(here)
        corpus = read_documents(settings(), docs.parent)
    assert reasons(corpus) == {
        "pipe.md": "not a regular file but a pipe",
        "socket.md": "not a regular file but a socket",
    }


def test_a_device_behind_a_link_is_outside_the_source(docs: Path) -> None:
    (docs / "zero.md").symlink_to("/dev/zero")
    assert "symbolic link leaves its source" in reasons(read_documents(settings(), docs.parent))["zero.md"]


def test_links_inside_are_read_and_links_that_leave_are_not(docs: Path, tmp_path: Path) -> None:
    write(tmp_path / "elsewhere", {"secret.md": "s"})
    (docs / "inside.md").symlink_to("b.md")
    (docs / "latest").symlink_to("a")
    (docs / "outside.md").symlink_to("../elsewhere/secret.md")
    (docs / "folder").symlink_to("../elsewhere")
    (docs / "dangling.md").symlink_to("gone.md")
    corpus = read_documents(settings(), docs.parent)
    assert ids(corpus) == ["a/y.md", "a/z.txt", "b.md", "inside.md", "latest/y.md", "latest/z.txt"]
    assert set(reasons(corpus)) == {"dangling.md", "folder", "outside.md"}
    assert reasons(corpus)["dangling.md"] == "symbolic link to nothing"
    assert "leaves its source" in reasons(corpus)["folder"]


def test_link_loops_end(docs: Path) -> None:
    (docs / "self").symlink_to(".")
    (docs / "a/up").symlink_to("..")
    (docs / "loop.md").symlink_to("loop.md")
    corpus = read_documents(settings(), docs.parent)
    assert ids(corpus) == ["a/y.md", "a/z.txt", "b.md"]
    assert set(reasons(corpus)) == {"a/up", "loop.md", "self"}


def test_links_that_name_a_file_in_a_billion_ways_do_not(tmp_path: Path) -> None:
    write(tmp_path / "docs", {f"{n}/x.md": "x" for n in range(31)})
    for n in range(30):
        (tmp_path / f"docs/{n}/l").symlink_to(f"../{n + 1}")
        (tmp_path / f"docs/{n}/r").symlink_to(f"../{n + 1}")
    assert len(ids(read_documents(settings(), tmp_path))) == 31 + 60


def test_a_folder_may_be_named_like_a_document(docs: Path) -> None:
    write(docs, {"x.md/inner.md": "i"})
    assert "x.md/inner.md" in ids(read_documents(settings(), docs.parent))


def test_names_that_are_not_text_are_quarantined(docs: Path) -> None:
    (docs / "new\nline.md").write_text("x")
    with open(os.fsencode(docs) + b"/b\xff.md", "w") as stream:
        stream.write("x")
    corpus = read_documents(settings(), docs.parent)
    assert all("control characters" in item.reason for item in corpus.quarantined)
    assert [item.document_id for item in corpus.quarantined] == ["b\\udcff.md", "new\\nline.md"]


def test_a_broken_line_of_a_jsonl_file_leaves_the_others(docs: Path) -> None:
    write(docs, {"rows.jsonl": '{"id": "x", "text": "t"}\n{oops\n'})
    corpus = read_documents(settings(), docs.parent)
    assert "rows.jsonl#x" in ids(corpus)
    assert reasons(corpus)["rows.jsonl"].startswith("line 2: not valid JSON")


def test_strict_raises_one_error_that_lists_all(docs: Path) -> None:
    write(docs, {"bin.md": b"a\0b", "empty.md": ""})
    with pytest.raises(DocumentError, match=r"2 document\(s\) cannot be read") as caught:
        read_documents(settings(), docs.parent, strict=True)
    assert "bin.md: is binary" in str(caught.value)
    assert "empty.md: is empty" in str(caught.value)


@pytest.mark.parametrize(
    "options", [{"max_bytes": 0}, {"parse_timeout_s": 0}, {"include": [""]}, {"parse_memory_mb": 1}, {"sourcez": []}]
)
def test_settings_are_checked_at_the_door(options: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError):
        settings("docs", **options)


# --- children and their limits ------------------------------------------------


def test_a_page_that_takes_too_long_is_quarantined_and_its_neighbours_read(docs: Path) -> None:
    write(docs, {"1.html": "<p>one", "2.html": BOMB, "3.html": "<p>three"})
    began = time.monotonic()
    corpus = read_documents(settings(parse_timeout_s=2), docs.parent)
    assert time.monotonic() - began < 15
    assert {"1.html", "3.html"} < set(ids(corpus))
    assert reasons(corpus) == {"2.html": "took longer than documents.parse_timeout_s=2"}


def test_a_page_that_takes_too_much_memory_is_quarantined_and_its_neighbours_read(docs: Path) -> None:
    write(docs, {"0.html": b"<i>x</i>" * 300_000, "1.html": "<p>one"})
    corpus = read_documents(settings(parse_memory_mb=128, parse_timeout_s=120), docs.parent)
    assert "1.html" in ids(corpus)
    assert reasons(corpus) == {"0.html": "needs more memory than documents.parse_memory_mb=128"}


def test_no_child_outlives_the_reading(docs: Path) -> None:
    write(docs, {"1.html": "<p>one"})
    read_documents(settings(), docs.parent)
    children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children")
    if not children.exists():
        pytest.skip("needs /proc")
    commands = [Path(f"/proc/{pid}/cmdline").read_bytes() for pid in children.read_text().split()]
    assert not [command for command in commands if b"parsers" in command]


def test_a_parser_can_neither_write_nor_connect_nor_start_programs(tmp_path: Path) -> None:
    main = Path(limited.__file__).with_name("parsers") / "__main__.py"
    attempts = {
        "open": f"open({str(tmp_path / 'x')!r}, 'w')",
        "connect": "__import__('socket').create_connection(('127.0.0.1', 9))",
        "start": "__import__('subprocess').run(['true'])",
        "system": "__import__('os').system('true')",
    }
    for attempt in attempts.values():
        program = (
            "import importlib.util as u, socket, subprocess\n"
            f"spec = u.spec_from_file_location('child', {str(main)!r}); child = u.module_from_spec(spec)\n"
            "spec.loader.exec_module(child); child._confine(512)\n"
            f"try:\n    {attempt}\nexcept PermissionError as error:\n    assert 'may not' in str(error)\n"
            "else:\n    raise SystemExit('it could')\n"
        )
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
        assert done.returncode == 0, (attempt, done.stderr)


# --- the cache ----------------------------------------------------------------


def count_children(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Every child started from now on; the real ones, counted."""
    started: list[object] = []
    start = subprocess.Popen

    def counted(*arguments: object, **options: object) -> object:
        started.append(arguments)
        return start(*arguments, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(limited.subprocess, "Popen", counted)  # type: ignore[attr-defined]
    return started


def test_unchanged_pages_are_not_parsed_again(docs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(docs, {"1.html": "<p>one", "2.html": "<p>two", "bad.pdf": b"%PDF nothing"})
    cache = docs.parent / "state/cache.db"
    first = read_documents(settings(), docs.parent, cache=cache)
    started = count_children(monkeypatch)
    assert read_documents(settings(), docs.parent, cache=cache) == first
    assert not started
    write(docs, {"2.html": "<p>changed"})
    assert "changed\n" in [d.text for d in read_documents(settings(), docs.parent, cache=cache).documents]
    assert len(started) == 1


def test_a_time_limit_is_not_remembered(docs: Path) -> None:
    write(docs, {"1.html": b"<div>" * 30_000 + b"x"})
    cache = docs.parent / "cache.db"
    assert "1.html" in reasons(read_documents(settings(parse_timeout_s=0.01), docs.parent, cache=cache))
    assert "1.html" in ids(read_documents(settings(), docs.parent, cache=cache))


def test_text_never_touches_the_cache(docs: Path) -> None:
    read_documents(settings(), docs.parent, cache=docs.parent / "cache.db")
    assert not (docs.parent / "cache.db").exists()


@pytest.mark.parametrize("damage", ["not a database", "locked", "a folder", "a damaged entry"])
def test_a_cache_is_never_a_reason_to_fail(
    docs: Path, damage: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("genaiops.documents.cache._BUSY_S", 0.1)
    write(docs, {"1.html": "<p>one"})
    cache = docs.parent / "cache.db"
    blocker: sqlite3.Connection | None = None
    if damage == "not a database":
        cache.write_bytes(b"garbage " * 1000)
    elif damage == "locked":
        blocker = sqlite3.connect(cache, isolation_level=None)
        blocker.execute("BEGIN EXCLUSIVE")
    elif damage == "a folder":
        cache.mkdir()
    else:
        read_documents(settings(), docs.parent, cache=cache)
        with sqlite3.connect(cache) as connection:
            connection.execute("UPDATE read_documents SET outcome = ?", (json.dumps({"documents": [{"id": 3}]}),))
        connection.close()
    with caplog.at_level(logging.WARNING, "genaiops"):
        corpus = read_documents(settings(), docs.parent, cache=cache)
    if blocker:
        blocker.close()
    assert "1.html" in ids(corpus)
    assert corpus.quarantined == ()
    assert "cache.db" in caplog.text


def test_importing_the_room_imports_no_parser() -> None:
    program = "import sys, genaiops.documents; print([m for m in ('bs4', 'pypdf', 'numpy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
