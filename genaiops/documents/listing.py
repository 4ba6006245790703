"""Which files a source has: found by name, never opened."""

from __future__ import annotations

import os
import re
import stat
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from genaiops.documents.loading import Quarantined

_KINDS: tuple[tuple[Callable[[int], bool], str], ...] = (
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


@dataclass(frozen=True, slots=True)
class Found:
    """A regular file: the id its document will have, and the path to open (links resolved)."""

    document_id: str
    path: Path


@dataclass(frozen=True, slots=True)
class _Folder:
    path: Path
    relative: str  # "" or "a/b/"
    linked: bool  # whether a link led here


def files_of(source: Path, *, wanted: Callable[[str], bool]) -> Iterator[Found | Quarantined]:
    """The files under a folder whose relative path is `wanted`; each is asked for once.

    Names that start with a dot are skipped, as are folders below them. A link to a file or folder inside
    the source is followed (a folder link not within another); one that leaves it is quarantined.
    """
    root = source.resolve()
    waiting = [_Folder(root, "", linked=False)]
    while waiting:
        folder = waiting.pop()
        try:
            with os.scandir(folder.path) as entries:
                listed = [entry for entry in entries if not entry.name.startswith(".")]
        except OSError as error:
            yield Quarantined(folder.relative.rstrip("/") or ".", f"folder cannot be listed: {error.strerror}")
            continue
        for entry in listed:
            relative = folder.relative + entry.name
            if entry.is_symlink():
                yield from _linked(entry, folder, root, waiting, wanted)
            elif entry.is_dir(follow_symlinks=False):
                waiting.append(_Folder(Path(entry.path), f"{relative}/", folder.linked))
            elif wanted(relative):
                yield checked(relative, Path(entry.path), is_file=entry.is_file(follow_symlinks=False))


def _linked(
    entry: os.DirEntry[str], folder: _Folder, root: Path, waiting: list[_Folder], wanted: Callable[[str], bool]
) -> Iterator[Found | Quarantined]:
    relative = folder.relative + entry.name
    try:
        target = Path(entry.path).resolve(strict=True)
        is_folder = target.is_dir()
    except (OSError, RuntimeError):
        if wanted(relative):
            yield Quarantined(shown(relative), "symbolic link to nothing")
        return
    if not (is_folder or wanted(relative)):
        return
    if not target.is_relative_to(root):
        yield Quarantined(shown(relative), "symbolic link leaves its source; list its target as a source of its own")
    elif not is_folder:
        yield checked(relative, target, is_file=target.is_file())
    elif folder.path.is_relative_to(target):
        yield Quarantined(shown(relative), "symbolic link to a folder that holds it")
    elif folder.linked:
        # Links within links could name one file in more ways than there are files.
        yield Quarantined(shown(relative), "symbolic link within a linked folder")
    else:
        waiting.append(_Folder(target, f"{relative}/", linked=True))


def name_problem(relative: str) -> str:
    """Why a relative path cannot be an id, "" if it can: object storage takes any text for a name."""
    if not relative.isprintable():
        return "its name holds control characters or is not UTF-8; rename it"
    if any(part in ("", ".", "..") for part in relative.split("/")):
        return "its name is no plain path: a part of it is empty, '.' or '..'; rename it"
    return ""


def checked(relative: str, path: Path, *, is_file: bool) -> Found | Quarantined:
    name = shown(relative)
    if problem := name_problem(relative):
        return Quarantined(name, problem)
    if is_file:
        return Found(name, path)
    try:
        mode = path.stat().st_mode
    except OSError as error:
        return Quarantined(name, f"cannot be read: {error.strerror}")
    kind = next((name for test, name in _KINDS if test(mode)), "something else")
    return Quarantined(name, f"not a regular file but {kind}")


def shown(relative: str) -> str:
    """A relative path as an id: Unicode NFC, so that a file has one id whichever system stored its name."""
    name = unicodedata.normalize("NFC", relative)
    return name if name.isprintable() else name.encode("unicode_escape", "replace").decode("ascii", "replace")


def suffix_of(name: str) -> str:
    """`.md` of `Guide.MD`; empty when there is none."""
    return os.path.splitext(name)[1].lower()


def matcher(include: Sequence[str], exclude: Sequence[str]) -> Callable[[str], bool]:
    """Whether a relative path matches some glob of `include` and none of `exclude`."""
    included = [re.compile(_pattern(glob)) for glob in include]
    excluded = [re.compile(_pattern(glob)) for glob in exclude]

    def wanted(relative: str) -> bool:
        return any(p.fullmatch(relative) for p in included) and not any(p.fullmatch(relative) for p in excluded)

    return wanted


def _pattern(glob: str) -> str:
    """`*` and `?` stay within a name; `**` stands for any folders, none too, and at the end for all below."""
    parts = glob.removeprefix("./").strip("/").split("/")
    parts = [part for part, before in zip(parts, ["", *parts], strict=False) if not part == before == "**"]
    pattern = ""
    for position, part in enumerate(parts, 1):
        last = position == len(parts)
        if part == "**":
            pattern += ".*" if last else "(?:[^/]+/)*"
        else:
            pattern += "".join("[^/]*" if c == "*" else "[^/]" if c == "?" else re.escape(c) for c in part)
            pattern += "" if last else "/"
    return f"(?s:{pattern})"
