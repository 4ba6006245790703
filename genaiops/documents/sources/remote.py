"""Files on object storage, or on any other file system that fsspec knows by its URL."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from genaiops.documents.items import Item, Raw, utc
from genaiops.documents.listing import name_problem, shown, suffix_of
from genaiops.documents.loading import Quarantined
from genaiops.documents.settings import SourceSettings
from genaiops.documents.sources.reach import Reach, from_environment, secrets_of, too_large, without
from genaiops.errors import ConfigurationError, DocumentError, SourceError

# What file systems call the digest or version of a file, and the time it was last changed.
_TAGS = ("ETag", "etag", "md5Hash", "content_md5", "versionId", "generation")
_TIMES = ("LastModified", "last_modified", "updated", "mtime", "modified", "created")


class _Files:
    """One file system and what may be said of its failures."""

    def __init__(self, source: SourceSettings, url: str) -> None:
        self._source = source
        self._secrets: tuple[str, ...] = ()
        options = from_environment(dict(source.options), "options")
        self._secrets = secrets_of(source.options, options)
        try:
            import fsspec
            from fsspec.core import url_to_fs
        except ImportError:
            raise ConfigurationError(
                f"source {source.path!r} needs fsspec", remedy="pip install fsspec, and s3fs for s3://"
            ) from None
        try:
            # A listing of an earlier reading in this process would hide what has changed since.
            fs, self.root = url_to_fs(url, use_listings_cache=False, skip_instance_cache=True, **options)
        except (ImportError, ValueError, TypeError) as error:
            raise ConfigurationError(
                f"source {source.path!r} cannot be opened: {self.told(error)}",
                remedy=f"fsspec {fsspec.__version__} names file systems by protocol; check options and packages",
            ) from None
        except Exception as error:
            raise self.unreachable(error) from None
        self.fs: Any = fs

    def told(self, error: Exception) -> str:
        """What an error says, in one line, without any option that may be a credential."""
        return without(self._secrets, " ".join(str(error).split()) or type(error).__name__)[:300]

    def unreachable(self, error: Exception) -> SourceError:
        return SourceError(
            f"source {self._source.path!r} cannot be read: {self.told(error)}",
            remedy="check the address, the network and the credentials in the environment, then try again",
        )


def files_of_url(
    source: SourceSettings, url: str, reach: Reach, wanted: Callable[[str], bool]
) -> Iterator[Item | Quarantined]:
    """The files at or below a URL whose relative path is `wanted`; the one at the URL if its suffix is known.

    Names that start with a dot are skipped, as is everything below them. SourceError when it cannot be listed.
    """
    files = _Files(source, url)
    root = files.root.rstrip("/")
    try:
        found: Mapping[str, Any] = files.fs.find(root, detail=True)
    except FileNotFoundError:
        found = {}
    except Exception as error:  # each file system fails in its own way
        raise files.unreachable(error) from None
    if not found:
        raise ConfigurationError(f"source {source.path!r} does not exist or is empty", remedy="check documents.sources")
    for path, info in found.items():
        alone = path.rstrip("/") == root
        relative = root.rpartition("/")[2] if alone else path.removeprefix(root).removeprefix("/")
        if any(part.startswith(".") and part.strip(".") for part in relative.split("/")):
            continue
        if suffix_of(relative) not in reach.suffixes if alone else not wanted(relative):
            continue
        if problem := name_problem(relative):
            yield Quarantined(shown(relative), problem)
        elif info.get("type", "file") != "file":
            yield Quarantined(shown(relative), f"not a regular file but {info['type']}")
        else:
            yield _item(files, path, shown(relative), info, reach.max_bytes)


def _item(files: _Files, path: str, document_id: str, info: Mapping[str, Any], max_bytes: int) -> Item:
    suffix = suffix_of(document_id)
    modified = next((utc(info[name]) for name in _TIMES if info.get(name)), "")
    tag = next((str(info[name]) for name in _TAGS if info.get(name)), "")
    size = info.get("size")

    def read() -> Raw:
        if isinstance(size, int) and size > max_bytes:
            raise too_large(document_id, size, max_bytes)
        try:
            with files.fs.open(path, "rb") as stream:
                content = bytes(stream.read(max_bytes + 1))
        except Exception as error:
            raise DocumentError(f"cannot be read: {files.told(error)}", where=document_id) from None
        if len(content) > max_bytes:
            raise too_large(document_id, len(content), max_bytes)
        return Raw(content, suffix, modified)

    return Item(document_id, path, suffix, read, f"{path} {tag} {size}" if tag else "", modified)
