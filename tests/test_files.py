"""What users write is read with its lines; what we write is whole or not there."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from pydantic import Field

from genaiops.configuration import MAX_CONFIG_BYTES, Settings, parse_yaml, read_text, read_yaml, validated
from genaiops.errors import ConfigurationError, StorageError
from genaiops.files import (
    add_to,
    check_name,
    discard,
    published_folder,
    remove_leftovers,
    sha256_of_file,
    write_durably,
)

FILE = Path("some.yaml")


@pytest.mark.parametrize("name", ["a", "a-b.c_d", "0", "x" * 64, "a..b"])
def test_names_that_are_safe_in_files_and_urls(name: str) -> None:
    assert check_name(name, "flow") == name


@pytest.mark.parametrize("name", ["", ".", "..", ".a", "a-", "A", "a/b", "a b", "ä", "a\n", "x" * 65, "../a", "a\x00"])
def test_names_that_are_not(name: str) -> None:
    with pytest.raises(ConfigurationError, match="is not a valid name") as caught:
        check_name(name, "flow")
    assert "a-z" in caught.value.remedy


def test_every_key_and_item_has_its_line() -> None:
    file = parse_yaml("a: 1\nb:\n  - x\n  - y: 2\nc: {d: 3}\n", FILE)
    assert file.data == {"a": 1, "b": ["x", {"y": 2}], "c": {"d": 3}}
    assert [file.line(key) for key in [("a",), ("b",), ("b", 0), ("b", 1, "y"), ("c", "d")]] == [1, 2, 3, 4, 5]
    assert file.line(("b", 1, "z", "deeper")) == 4  # the nearest parent
    assert file.line(("z",)) is None
    assert parse_yaml("a: 1", FILE, first_line=2).line(("a",)) == 2


def test_an_empty_file_is_no_keys() -> None:
    assert parse_yaml("", FILE).data == parse_yaml("# nothing\n", FILE).data == {}


BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]\n" for level in range(1, 10)
)


@pytest.mark.parametrize(
    ("text", "said", "line"),
    [
        ("a: 1\na: 2", "key 'a' is given twice", 2),
        ("b: {c: 1,\n c: 2}", "key 'c' is given twice", 2),
        ("a: 1\nb: [", "not valid YAML", 2),
        ("a: !!python/object/apply:os.system [id]", "could not determine a constructor", 1),
        ("a: 1\nb: \x07", "special characters", 2),
        ("- a", "expected keys and values, got list", None),
        ("text", "got str", None),
        ("a: &a [*a]", "not valid YAML", None),
        ("a: 2026-13-45", "month must be in 1..12", None),
        (BOMB, "values, aliases written out", None),
        ("a: " + "9" * 5000, "not valid YAML", None),
    ],
)
def test_what_is_no_configuration_is_refused_with_its_place(text: str, said: str, line: int | None) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_yaml(text, FILE)
    assert said in caught.value.what
    assert caught.value.where == (f"{FILE}:{line}" if line else str(FILE))


def test_some_anchors_are_welcome() -> None:
    assert parse_yaml("a: &x {b: 1}\nc: *x\nd: [*x, *x]", FILE).data["d"] == [{"b": 1}, {"b": 1}]


def test_files_that_cannot_be_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "latin").write_bytes("ä".encode("latin-1"))
    (tmp_path / "huge").write_bytes(b" " * (MAX_CONFIG_BYTES + 1))
    (tmp_path / "folder").mkdir()
    said = {"missing": "does not exist", "latin": "not UTF-8", "huge": "1,000,000 bytes", "folder": "cannot be read"}
    for name, text in said.items():
        with pytest.raises(ConfigurationError, match=text) as caught:
            read_text(tmp_path / name, "a file")
        assert caught.value.where == str(tmp_path / name)
    (tmp_path / "huge").write_bytes(b" " * MAX_CONFIG_BYTES)
    assert len(read_text(tmp_path / "huge", "a file")) == MAX_CONFIG_BYTES


class Inner(Settings):
    size: int = Field(default=1, ge=1)


class Outer(Settings):
    name: str
    inner: Inner = Inner()
    items: tuple[str, ...] = ()


def test_settings_are_read_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("name: x\nitems: [a, b]\ninner: {size: 3}\n", encoding="utf-8")
    outer = validated(Outer, read_yaml(tmp_path / "a.yaml", "settings"))
    assert outer == Outer(name="x", inner=Inner(size=3), items=("a", "b"))


def test_all_mistakes_are_told_at_once_with_their_lines() -> None:
    file = parse_yaml("inner:\n  sise: 3\n  size: 0\nitems: x\n", FILE)
    with pytest.raises(ConfigurationError) as caught:
        validated(Outer, file)
    message = str(caught.value)
    assert "some.yaml:1: key 'name' is missing" in message
    assert "some.yaml:2: unknown key 'inner.sise'; did you mean 'size'?" in message
    assert "some.yaml:3: inner.size: Input should be greater than or equal to 1, got 0" in message
    assert "some.yaml:4: items:" in message


def test_a_key_like_no_other_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match="known keys: inner, items, name"):
        validated(Outer, parse_yaml("name: x\nzzz: 1", FILE))


# --- writing ------------------------------------------------------------------


def test_a_written_file_is_there_with_its_folders(tmp_path: Path) -> None:
    write_durably(tmp_path / "a" / "b" / "c.txt", "ä")
    write_durably(tmp_path / "a" / "b" / "c.txt", b"\x00\xff")
    assert (tmp_path / "a" / "b" / "c.txt").read_bytes() == b"\x00\xff"
    assert os.listdir(tmp_path / "a" / "b") == ["c.txt"]
    assert sha256_of_file(tmp_path / "a" / "b" / "c.txt").startswith("06eb7d6a69ee19e5")


def test_a_path_without_a_name_is_a_mistake_of_the_user() -> None:
    with pytest.raises(ConfigurationError, match="a path of a file is wanted"):
        write_durably(Path(), "x")
    with pytest.raises(ConfigurationError, match="a path of a file is wanted"):
        discard(Path())


def test_a_private_file_is_private_from_the_start(tmp_path: Path) -> None:
    write_durably(tmp_path / "key", "secret", mode=0o600)
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600


def test_readers_see_the_old_file_or_the_new_one(tmp_path: Path) -> None:
    path, done = tmp_path / "file", threading.Event()
    contents = {letter * 100_000 for letter in "abc"}
    write_durably(path, "a" * 100_000)
    seen: set[str] = set()

    def read() -> None:
        while not done.is_set():
            seen.add(path.read_text(encoding="utf-8"))

    reader = threading.Thread(target=read)
    reader.start()
    for turn in range(40):
        write_durably(path, "abc"[turn % 3] * 100_000)
    done.set()
    reader.join()
    assert seen <= contents and len(seen) > 1


def test_a_write_that_fails_leaves_the_file_and_no_other(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "inside").write_text("kept", encoding="utf-8")
    with pytest.raises(StorageError, match="cannot be written") as caught:
        write_durably(tmp_path / "taken", "new")
    assert caught.value.where == str(tmp_path / "taken")
    with pytest.raises(StorageError):
        write_durably(tmp_path / "taken" / "inside" / "deeper", "new")
    with pytest.raises(UnicodeEncodeError):  # a mistake of ours, not of the disk
        write_durably(tmp_path / "new", "\ud800")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["inside", "taken"]


def test_a_folder_appears_whole(tmp_path: Path) -> None:
    final = tmp_path / "all" / "one"
    with published_folder(final) as aside:
        (aside / "sub").mkdir()
        (aside / "sub" / "file").write_text("x", encoding="utf-8")
        assert not final.exists()
        assert aside.parent == final.parent  # one rename away
    assert [path.relative_to(tmp_path).as_posix() for path in sorted(tmp_path.rglob("*"))] == [
        "all", "all/one", "all/one/sub", "all/one/sub/file",
    ]  # fmt: skip


@pytest.mark.parametrize("error", [RuntimeError("mistake"), KeyboardInterrupt()])
def test_a_folder_that_is_not_finished_never_appears(tmp_path: Path, error: BaseException) -> None:
    with pytest.raises(type(error)), published_folder(tmp_path / "one") as aside:
        (aside / "file").write_text("x", encoding="utf-8")
        raise error
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_in_the_folder_is_an_error_of_storage(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="No space left on device") as caught, published_folder(tmp_path / "one"):
        raise OSError(28, "No space left on device")
    assert caught.value.where == str(tmp_path / "one")
    assert list(tmp_path.iterdir()) == []


def test_the_first_of_two_twins_stays(tmp_path: Path) -> None:
    for content in ("first", "second"):
        with published_folder(tmp_path / "one") as aside:
            (aside / "file").write_text(content, encoding="utf-8")
    assert (tmp_path / "one" / "file").read_text(encoding="utf-8") == "first"
    assert os.listdir(tmp_path) == ["one"]


def test_a_file_in_the_way_of_a_folder_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "one").write_text("kept", encoding="utf-8")
    with pytest.raises(StorageError), published_folder(tmp_path / "one"):
        pass
    assert (tmp_path / "one").read_text(encoding="utf-8") == "kept"
    assert os.listdir(tmp_path) == ["one"]


def test_a_discarded_folder_is_gone(tmp_path: Path) -> None:
    (tmp_path / "one" / "sub").mkdir(parents=True)
    discard(tmp_path / "one")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(StorageError):
        discard(tmp_path / "one")


def test_only_leftovers_of_dead_processes_are_removed(tmp_path: Path) -> None:
    dead = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True, check=True
    ).stdout.strip()
    for name in (f".tmp-{dead}-0a", ".tmp-zz", f".tmp-{os.getpid()}-0b", ".tmp-999999999999999999999-0c", "kept"):
        (tmp_path / name).mkdir()
    (tmp_path / f".tmp-{dead}-0d").write_text("half", encoding="utf-8")
    (tmp_path / f".tmp-{dead}-0e").symlink_to(tmp_path / "kept")
    assert remove_leftovers(tmp_path) == 5
    assert sorted(os.listdir(tmp_path)) == [f".tmp-{os.getpid()}-0b", "kept"]
    assert remove_leftovers(tmp_path / "nowhere") == 0


def test_what_is_no_file_is_written_into_and_stays_what_it_is(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text(encoding="utf-8")), daemon=True)
    reader.start()
    write_durably(pipe, "said")
    reader.join(10)
    assert read == ["said"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    nothing = tmp_path / "nothing"
    nothing.symlink_to("/dev/null")
    write_durably(nothing, "said")
    assert stat.S_ISCHR(nothing.stat().st_mode)


def test_a_file_can_go_to_standard_output(tmp_path: Path) -> None:
    code = "from pathlib import Path; from genaiops.files import write_durably as w; w(Path('/dev/stdout'), 'said')"
    piped = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=True)
    assert piped.stdout == b"said"
    with (tmp_path / "sent").open("wb") as stream:
        subprocess.run([sys.executable, "-c", code], stdout=stream, check=True)
    assert (tmp_path / "sent").read_bytes() == b"said"
    assert Path("/dev/stdout").is_symlink()


@pytest.mark.parametrize("writer", ["write_durably", "add_to"])
@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "link"])
def test_what_goes_to_standard_output_stands_between_what_is_printed(tmp_path: Path, name: str, writer: str) -> None:
    (tmp_path / "link").symlink_to("/dev/stdout")
    code = f"""
from pathlib import Path
from genaiops.files import {writer} as write
print("before")
write(Path({name!r}), "said\\n")
print("after")
"""
    whole = b"before\nsaid\nafter\n"
    piped = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=True, cwd=tmp_path)
    assert piped.stdout == whole
    (tmp_path / "log").write_bytes(b"here since long\n")
    with (tmp_path / "log").open("ab") as stream:
        subprocess.run([sys.executable, "-c", code], stdout=stream, check=True, cwd=tmp_path)
    assert (tmp_path / "log").read_bytes() == b"here since long\n" + whole
    with (tmp_path / "new").open("wb") as stream:
        subprocess.run([sys.executable, "-c", code], stdout=stream, check=True, cwd=tmp_path)
    assert (tmp_path / "new").read_bytes() == whole
    assert (tmp_path / "link").is_symlink()


def test_a_descriptor_that_is_not_open_is_an_error_of_storage() -> None:
    with pytest.raises(StorageError, match="Bad file descriptor"):
        write_durably(Path("/dev/fd/99999"), "said")


def test_links_that_lead_nowhere_are_replaced_as_files_are(tmp_path: Path) -> None:
    (tmp_path / "1").symlink_to(tmp_path / "2")
    (tmp_path / "2").symlink_to(tmp_path / "1")
    write_durably(tmp_path / "1", "said")
    assert (tmp_path / "1").read_text(encoding="utf-8") == "said"


def test_adding_to_a_file_keeps_what_it_held(tmp_path: Path) -> None:
    for text in ("one\n", "ä\n"):
        add_to(tmp_path / "sub" / "log", text)
    assert (tmp_path / "sub" / "log").read_text(encoding="utf-8") == "one\nä\n"
    with pytest.raises(StorageError):
        add_to(tmp_path, "said")
