"""Writing so that nothing half-done is ever visible, and names that are safe to write."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import secrets
import shutil
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from genaiops.errors import ConfigurationError, Conflict, StorageError

NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?")
TEMPORARY_PREFIX = ".tmp-"
_DESCRIPTORS = ("/proc/self/fd", "/proc/thread-self/fd", "/dev/fd")


def check_name(name: str, what: str) -> str:
    """Return `name` if it is safe as a file name and in a URL, else raise ConfigurationError."""
    if not NAME.fullmatch(name):
        raise ConfigurationError(
            f"{what} {name[:80]!r} is not a valid name",
            remedy="use 1 to 64 of a-z, 0-9, '.', '_' and '-', starting and ending with a letter or digit",
        )
    return name


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


def _descriptor(path: Path) -> int | None:
    """N where a path leads to /dev/fd/N: what this process has open, as /dev/stdout is; None for any other."""
    for _ in range(40):  # links, which is as far as the system follows
        try:
            if re.fullmatch("[0-9]{1,6}", path.name):
                folder = os.path.realpath(path.parent)
                if folder in {os.path.realpath(known) for known in _DESCRIPTORS}:
                    return int(path.name)
            path = path.parent / path.readlink()
        except OSError:
            return None
    return None


def _is_stream(path: Path) -> bool:
    """Whether a path names a device, a pipe, a socket, or what another process has open."""
    try:
        if path.is_symlink() and str(path.readlink()).startswith("/proc/"):
            return True
        mode = path.stat().st_mode
    except OSError:
        return False
    return stat.S_ISCHR(mode) or stat.S_ISBLK(mode) or stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


def _opened(path: Path) -> int | None:
    """A descriptor that writes at the end of what a path names, if that is no file of its own. Raises OSError."""
    number = _descriptor(path)
    if number is None:
        return os.open(path, os.O_WRONLY | os.O_APPEND) if _is_stream(path) else None
    for printed in (sys.stdout, sys.stderr):
        if printed is not None:
            printed.flush()
    # Opened anew it would have a place of its own in the file, and what is printed later would go over it.
    return os.dup(number)


def add_to(path: Path, content: str) -> None:
    """Write at the end of a file, made with its folders if absent, or into a stream. Raises StorageError."""
    with storing(path, so_far="what it held is still there"):
        handle = _opened(path)
        if handle is None:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        with os.fdopen(handle, "wb") as stream:
            stream.write(content.encode())


def fsync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_durably(path: Path, content: str | bytes, *, mode: int = 0o666) -> None:
    """Replace `path` by `content` in one rename: readers see the old file or the new, never a part.

    It never has more permissions than `mode` (less the umask), not even before the rename. What is no file of its
    own (a device, a pipe, /dev/stdout, /dev/fd/N) is written into, after what it holds and what was printed: a rename
    would put a file in its place. Raises StorageError.
    """
    with storing(path, so_far="what it held is still there"):
        if (handle := _opened(path)) is not None:
            with os.fdopen(handle, "wb") as stream:
                stream.write(content.encode() if isinstance(content, str) else content)
            return
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
    """Hold the advisory lock of a folder or of a file, made if absent. The system lets go however a process ends.

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
    except PermissionError:  # somebody else's
        pass
    return True
