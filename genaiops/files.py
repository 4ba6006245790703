"""Reading what users write, and writing so that nothing half-done is ever visible."""

from __future__ import annotations

import difflib
import fcntl
import hashlib
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from genaiops.configuration import SECRET, Settings
from genaiops.errors import ConfigurationError, Conflict, StorageError

S = TypeVar("S", bound=Settings)
KeyPath = tuple[str | int, ...]

NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?")
MAX_CONFIG_BYTES = 1_000_000
MAX_YAML_VALUES = 10_000  # with aliases written out: ninety of them, nested, could stand for billions
TEMPORARY_PREFIX = ".tmp-"


def check_name(name: str, what: str) -> str:
    """Return `name` if it is safe as a file name and in a URL, else raise ConfigurationError."""
    if not NAME.fullmatch(name):
        raise ConfigurationError(
            f"{what} {name[:80]!r} is not a valid name",
            remedy="use 1 to 64 of a-z, 0-9, '.', '_' and '-', starting and ending with a letter or digit",
        )
    return name


# --- configuration files ------------------------------------------------------


@dataclass(frozen=True, slots=True)
class YamlFile:
    """Parsed YAML, with the line (from 1) of every key and list item."""

    path: Path
    data: dict[str, Any]
    lines: Mapping[KeyPath, int]

    def line(self, key: KeyPath) -> int | None:
        """The line of `key`, or of the nearest parent that stands in the file."""
        while key and key not in self.lines:
            key = key[:-1]
        return self.lines.get(key)


class _LinedLoader(yaml.SafeLoader):
    pass


def read_text(path: Path, what: str, *, max_bytes: int = MAX_CONFIG_BYTES) -> str:
    """The UTF-8 text of a file a user wrote; ConfigurationError when it is missing, huge or not text."""
    try:
        if path.stat().st_size > max_bytes:
            raise ConfigurationError(f"{what} is larger than {max_bytes:,} bytes", where=path)
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigurationError(f"{what} does not exist", where=path, remedy="check the path") from None
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{what} is not UTF-8 text: {error.reason}", where=path) from None
    except OSError as error:
        raise ConfigurationError(f"{what} cannot be read: {error.strerror}", where=path) from None


def parse_yaml(text: str, path: Path, *, first_line: int = 1) -> YamlFile:
    """Parse YAML without tags, with duplicate keys and alias bombs refused.

    `first_line` is where `text` starts in the file (front matter starts at 2).
    Raises ConfigurationError with the line.
    """
    loader: _LinedLoader | None = None
    try:
        loader = _LinedLoader(text)
        node = loader.get_single_node()
        lines: dict[KeyPath, int] = {}
        if node is not None:
            _collect_lines(node, (), lines, first_line, path)
        data = {} if node is None else loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = mark.line + first_line if mark else None
        raise ConfigurationError(f"not valid YAML: {error.problem}", where=path, line=line) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + first_line
        raise ConfigurationError(f"not valid YAML: {error.reason}", where=path, line=line) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigurationError(f"not valid YAML: {error}", where=path) from None
    finally:
        if loader is not None:
            loader.dispose()
    if not isinstance(data, dict):
        raise ConfigurationError(f"expected keys and values, got {type(data).__name__}", where=path)
    return YamlFile(path, data, lines)


def _collect_lines(node: yaml.Node, key: KeyPath, lines: dict[KeyPath, int], first_line: int, path: Path) -> None:
    if len(lines) > MAX_YAML_VALUES:
        raise ConfigurationError(f"more than {MAX_YAML_VALUES:,} values, aliases written out", where=path)
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key_node, value_node in node.value:
            name = str(key_node.value)
            line = key_node.start_mark.line + first_line
            if name in seen:
                raise ConfigurationError(f"key {name!r} is given twice", where=path, line=line)
            seen.add(name)
            lines[(*key, name)] = line
            _collect_lines(value_node, (*key, name), lines, first_line, path)
    elif isinstance(node, yaml.SequenceNode):
        for position, item in enumerate(node.value):
            lines[(*key, position)] = item.start_mark.line + first_line
            _collect_lines(item, (*key, position), lines, first_line, path)


def read_yaml(path: Path, what: str) -> YamlFile:
    """Read one configuration file; ConfigurationError names the file and line."""
    return parse_yaml(read_text(path, what), path)


def validated(model: type[S], file: YamlFile) -> S:
    """`file` as settings. Every violation is in one ConfigurationError, each with its line."""
    return validated_data(model, file.data, where=lambda key: f"{file.path}:{file.line(key) or 1}")


def validated_data(model: type[S], data: Mapping[str, Any], *, where: Callable[[KeyPath], str]) -> S:
    """`data` as settings; `where` names the place of a key for the error."""
    try:
        # Through JSON, so that strict types still accept a YAML list where a tuple is wanted.
        return model.model_validate_json(json.dumps(data, default=str))
    except (TypeError, UnicodeEncodeError) as error:  # a date as a key, half of a surrogate pair
        raise ConfigurationError(
            f"keys and values must be plain text, numbers or lists: {error}", where=where(())
        ) from None
    except ValidationError as error:
        found = error.errors(include_url=False)
        secret = any(item["type"] == SECRET for item in found)  # it stands in what the other errors would show, too
        problems = [_problem(model, item, where, shown=not secret) for item in found]
        remedy = "" if len(problems) == 1 else "also:\n    " + "\n    ".join(f"{p[0]}: {p[1]}" for p in problems[1:])
        raise ConfigurationError(problems[0][1], where=problems[0][0], remedy=remedy) from None


def _problem(model: type[Settings], item: Any, where: Callable[[KeyPath], str], *, shown: bool) -> tuple[str, str]:
    key = tuple(part for part in item["loc"] if not (isinstance(part, str) and part.startswith("function-")))
    dotted = ".".join(str(part) for part in key)
    if item["type"] == "extra_forbidden":
        known = _known_keys(model, key[:-1])
        close = difflib.get_close_matches(str(key[-1]), known, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"known keys: {', '.join(sorted(known))}"
        return where(key), f"unknown key {dotted!r}" + (f"; {hint}" if known else "")
    if item["type"] == "missing":
        return where(key), f"key {dotted!r} is missing"
    got = f", got {item['input']!r:.80}" if shown else ""
    return where(key), f"{dotted}: {item['msg'].removeprefix('Value error, ')}{got}"


def _known_keys(model: Any, key: KeyPath) -> list[str]:
    """Field names of the settings that `key` leads to; empty when a list or union is on the way."""
    for part in key:
        field = getattr(model, "model_fields", {}).get(part)
        model = None if field is None else field.annotation
    return list(getattr(model, "model_fields", {}))


# --- writing ------------------------------------------------------------------


def sha256_of_file(path: Path) -> str:
    """sha256 (64 hex digits) of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextmanager
def storing(path: Path, *, so_far: str = "nothing was changed") -> Iterator[None]:
    """What the system says of a failed write, as StorageError; `so_far` ends its remedy."""
    try:
        yield
    except OSError as error:
        remedy = f"make room or allow writing there, then try again; {so_far}"
        # numpy's short writes carry no number.
        raise StorageError(f"cannot be written: {error.strerror or error}", where=path, remedy=remedy) from error


def _aside(path: Path) -> Path:
    """A name beside `path` that says which process writes it. ConfigurationError for a path that names no file."""
    if not path.name:
        raise ConfigurationError(f"a path of a file is wanted, got {str(path)!r}", remedy="is a variable in it unset?")
    return path.with_name(f"{TEMPORARY_PREFIX}{os.getpid()}-{secrets.token_hex(8)}")


def fsync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_durably(path: Path, content: str | bytes, *, mode: int = 0o666) -> None:
    """Replace `path` by `content` in one rename: readers see the old file or the new, never a part.

    It never has more permissions than `mode` (less the umask), not even before the rename. Raises StorageError.
    """
    with storing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = _aside(path)
        try:
            with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as stream:
                stream.write(content.encode() if isinstance(content, str) else content)
                stream.flush()
                os.fsync(stream.fileno())
            aside.replace(path)
        except BaseException:
            aside.unlink(missing_ok=True)
            raise
    with storing(path, so_far="it holds the new content, which a power loss may still undo"):
        fsync_folder(path.parent)


@contextmanager
def published_folder(final: Path, *, name: Callable[[], str] | None = None) -> Iterator[Path]:
    """A folder to fill, that appears as `final` in one rename when the block ends without an error.

    Every file is fsynced first. If another process published `final` meanwhile, its
    content-addressed twin is kept and ours dropped. An OSError in the block counts as a failed
    write: StorageError. `name` is asked at the end, where the name depends on what was put into the folder.
    """
    aside = _aside(final)
    try:
        with storing(final):
            aside.mkdir(parents=True)
            yield aside
            for path in sorted(aside.rglob("*")):
                if path.is_dir():
                    fsync_folder(path)
                else:
                    with path.open("rb") as stream:
                        os.fsync(stream.fileno())
            fsync_folder(aside)
            final = final.with_name(name()) if name else final
            try:
                aside.rename(final)
            except OSError:
                if not final.is_dir():
                    raise
            fsync_folder(final.parent)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


@contextmanager
def locked(path: Path, *, shared: bool = False, wait_s: float = 600.0, what: str = "") -> Iterator[None]:
    """Hold the advisory lock of the file `path`, made if absent, or of a folder that is there.

    The system lets go of it however a process ends.

    Many may hold it `shared`, one alone otherwise. Raises Conflict after `wait_s` seconds (0: at once), saying
    `what` the other is likely to be doing.
    """
    with storing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR | os.O_CREAT, 0o666)
    try:
        give_up = time.monotonic() + wait_s
        while True:
            try:
                fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= give_up:
                    raise Conflict(
                        f"another process {what or 'works on this'}", where=path, remedy="wait for it, then try again"
                    ) from None
            time.sleep(0.01)
        yield
    finally:
        os.close(handle)


def discard(path: Path) -> None:
    """Delete a folder that nobody shall read any more; it disappears in one rename. Raises StorageError."""
    aside = _aside(path)
    with storing(path):
        path.rename(aside)
    _remove(aside)


def remove_leftovers(folder: Path, pattern: str = f"{TEMPORARY_PREFIX}*") -> int:
    """Delete what killed writers left in `folder`; returns how many. What living processes write stays."""
    removed = 0
    for path in folder.glob(pattern):
        owner = path.name.removeprefix(TEMPORARY_PREFIX).split("-")[0]
        if not (owner.isdigit() and _is_alive(int(owner))):
            _remove(path)
            removed += 1
    return removed


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
