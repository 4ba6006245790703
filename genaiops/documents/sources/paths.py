"""Files and folders, on this machine or on a file system that a URL names."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import unquote

from genaiops.documents.items import Item, Raw, utc
from genaiops.documents.listing import Found, checked, files_of, matcher, suffix_of
from genaiops.documents.loading import Quarantined
from genaiops.documents.settings import URL, SourceSettings
from genaiops.documents.sources.reach import Reach, too_large
from genaiops.errors import ConfigurationError, DocumentError

_LOCAL = ("file://", "local://")


def items_of_path(source: SourceSettings, reach: Reach) -> Iterator[Item | Quarantined]:
    """The files at a path or URL, sorted by id; those below a folder that `documents` includes."""
    where, glob = _split(source.path)
    wanted = reach.reads(matcher([glob] if glob else reach.include, reach.exclude))
    if URL.match(source.path) and not where.lower().startswith(_LOCAL):
        from genaiops.documents.sources.remote import files_of_url

        found: list[Item | Quarantined] = list(files_of_url(source, where, reach, wanted))
    else:
        place = Path(unquote(where.partition("://")[2])) if URL.match(where) else Path(where)
        found = [_item(file, reach) for file in _files(reach.base / place, source.path, reach, wanted)]
    if not found:
        shown = glob or list(reach.include)
        raise ConfigurationError(
            f"no document in source {source.path!r}",
            where=where if URL.match(where) else reach.base / where,
            remedy=f"documents end in {', '.join(reach.suffixes)} and match documents.include={shown}",
        )
    yield from sorted(found, key=lambda item: item.document_id)


def _split(path: str) -> tuple[str, str]:
    """The fixed part of a path or URL, and the glob below it; "" without one."""
    scheme = URL.match(path)
    start = scheme.end() if scheme else 0
    star = path.find("*", start)
    if star < 0:
        return path, ""
    slash = path.rfind("/", start, star)
    return (path[:slash] or "/", path[slash + 1 :]) if slash >= start else (path[:start] or ".", path[start:])


def _files(place: Path, name: str, reach: Reach, wanted: Callable[[str], bool]) -> Iterator[Found | Quarantined]:
    if place.is_dir():
        yield from files_of(place, wanted=wanted)
        return
    if not place.exists():
        raise ConfigurationError(f"source {name!r} does not exist", where=place, remedy="check documents.sources")
    if suffix_of(place.name) not in reach.suffixes:
        raise ConfigurationError(
            f"source {name!r} is of no kind that can be read", where=place, remedy=f"known: {', '.join(reach.suffixes)}"
        )
    yield checked(place.name, place.resolve(), is_file=place.is_file())


def _item(file: Found | Quarantined, reach: Reach) -> Item | Quarantined:
    if isinstance(file, Quarantined):
        return file
    suffix = suffix_of(file.document_id)
    return Item(file.document_id, str(file.path), suffix, lambda: _read(file, suffix, reach.max_bytes))


def _read(file: Found, suffix: str, max_bytes: int) -> Raw:
    """The bytes of a regular file of at most `max_bytes`; DocumentError otherwise."""
    try:
        # A regular file when listed; should it be a link or a pipe by now, we neither follow nor wait.
        handle = os.open(file.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as stream:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode):
                raise DocumentError("not a regular file any longer", where=file.document_id)
            content = b"" if status.st_size > max_bytes else stream.read(max_bytes + 1)
    except OSError as error:
        raise DocumentError(f"cannot be read: {error.strerror}", where=file.document_id) from None
    size = max(status.st_size, len(content))
    if size > max_bytes:
        raise too_large(file.document_id, size, max_bytes)
    return Raw(content, suffix, utc(status.st_mtime))
