"""Sources become a corpus: every readable document, and a reason for each of the others."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Self

from pydantic import Field, field_validator

from genaiops.documents.cache import ParsedCache, cache_key
from genaiops.documents.json_lines import JsonLinesLoader
from genaiops.documents.limited import HtmlLoader, InChild, PdfLoader
from genaiops.documents.listing import Found, checked, files_of, matcher, suffix_of
from genaiops.documents.loading import Corpus, LimitExceeded, Limits, Loader, Quarantined
from genaiops.documents.tables import CsvLoader
from genaiops.documents.text_files import MarkdownLoader, TextLoader
from genaiops.errors import ConfigurationError, DocumentError
from genaiops.records import Document, Settings

LOADERS: Mapping[str, Callable[[Limits], Loader]] = {
    ".md": MarkdownLoader,
    ".markdown": MarkdownLoader,
    ".txt": TextLoader,
    ".html": HtmlLoader,
    ".htm": HtmlLoader,
    ".pdf": PdfLoader,
    ".csv": CsvLoader,
    ".jsonl": JsonLinesLoader,
}


class DocumentSettings(Settings):
    """`documents` of flow.yaml: where documents are, and what one of them may cost.

    `sources` are files or folders, relative to the flow's folder; `include` and `exclude` are globs over
    paths relative to a source folder. Sizes are in bytes, times in seconds of wall clock, memory in MiB.
    """

    sources: tuple[str, ...] = Field(min_length=1)
    include: tuple[str, ...] = ("**/*",)
    exclude: tuple[str, ...] = ()
    max_bytes: int = Field(default=100_000_000, ge=1)
    parse_timeout_s: float = Field(default=30.0, gt=0, le=3600)
    parse_memory_mb: int = Field(default=512, ge=128)

    @field_validator("sources", "include", "exclude")
    @classmethod
    def _not_blank(cls, items: tuple[str, ...]) -> tuple[str, ...]:
        if any(not item.strip() or "\0" in item for item in items):
            raise ValueError("must not hold an empty text")
        return items


def read_documents(
    settings: DocumentSettings, base: Path, *, cache: Path | None = None, strict: bool = False
) -> Corpus:
    """Read every document of the sources, which are relative to `base`.

    What cannot be read is quarantined with its reason; with `strict` it raises one DocumentError that lists
    all of it. `cache` is an SQLite file of parsed documents, made if absent. The outcome depends on names
    and contents only. ConfigurationError: a source that is missing or has no file to read, two files with one id.
    """
    found, quarantined = _listed(settings, base)
    documents: dict[str, tuple[Document, Path]] = {}
    with _Reader(settings, cache) as reader:
        for file in found:
            outcome = reader.read(file)
            quarantined += outcome.quarantined
            for document in outcome.documents:
                if document.id in documents:
                    raise _same_id(document.id, documents[document.id][1], file.path)
                documents[document.id] = document, file.path
    quarantined.sort(key=lambda item: (item.document_id, item.reason))
    if strict and quarantined:
        listed = "\n  ".join(f"{item.document_id}: {item.reason}" for item in quarantined)
        raise DocumentError(f"{len(quarantined)} document(s) cannot be read", remedy=listed)
    return Corpus(tuple(documents[key][0] for key in sorted(documents)), tuple(quarantined))


def _listed(settings: DocumentSettings, base: Path) -> tuple[list[Found], list[Quarantined]]:
    """All files to read, sorted by id, and what is no file to read."""
    wanted = matcher(settings.include, settings.exclude)
    found: list[Found] = []
    quarantined: list[Quarantined] = []
    for name in settings.sources:
        items = list(_of_source(base / name, name, wanted))
        if not items:
            raise ConfigurationError(
                f"no document in source {name!r}",
                where=base / name,
                remedy=f"documents end in {', '.join(LOADERS)} and match documents.include={list(settings.include)}",
            )
        found += (item for item in items if isinstance(item, Found))
        quarantined += (item for item in items if isinstance(item, Quarantined))
    found.sort(key=lambda item: (item.document_id, item.path))
    for first, second in pairwise(found):
        if first.document_id == second.document_id:
            raise _same_id(first.document_id, first.path, second.path)
    return found, quarantined


def _of_source(source: Path, name: str, wanted: Callable[[str], bool]) -> Iterator[Found | Quarantined]:
    if source.is_dir():
        return files_of(source, wanted=wanted, suffixes=LOADERS.keys())
    if not source.exists():
        raise ConfigurationError(f"source {name!r} does not exist", where=source, remedy="check documents.sources")
    if suffix_of(source.name) not in LOADERS:
        raise ConfigurationError(
            f"source {name!r} is of no kind that can be read", where=source, remedy=f"known: {', '.join(LOADERS)}"
        )
    return iter([checked(source.name, source.resolve(), is_file=source.is_file())])


def _same_id(document_id: str, first: Path, second: Path) -> ConfigurationError:
    return ConfigurationError(
        f"two documents have the id {document_id!r}: {first} and {second}",
        remedy="rename one of them, or leave one out with documents.exclude",
    )


class _Reader:
    """Reads file after file with one loader of each kind; a block ends with its children and cache closed."""

    def __init__(self, settings: DocumentSettings, cache: Path | None) -> None:
        self._max_bytes = settings.max_bytes
        limits = Limits(settings.parse_timeout_s, settings.parse_memory_mb, settings.max_bytes)
        kinds = {kind: kind(limits) for kind in set(LOADERS.values())}
        self._loaders = {suffix: kinds[kind] for suffix, kind in LOADERS.items()}
        self._cache = ParsedCache(cache)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._cache.close()
        for loader in self._loaders.values():
            if isinstance(loader, InChild):
                loader.close()

    def read(self, file: Found) -> Corpus:
        """The documents of one file; a file that cannot be read is a corpus of its own reason."""
        suffix = suffix_of(file.document_id)
        loader = self._loaders[suffix]
        try:
            content = self._content(file)
            if not loader.cached:
                return loader.load(content, file.document_id)
            key = cache_key(content, file.document_id, suffix=suffix, version=loader.version)
            return self._cache.get(key) or self._load_and_keep(loader, content, file.document_id, key)
        except DocumentError as error:
            return _refused(error, file.document_id)

    def _load_and_keep(self, loader: Loader, content: bytes, document_id: str, key: str) -> Corpus:
        try:
            outcome = loader.load(content, document_id)
        except LimitExceeded:
            raise
        except DocumentError as error:
            outcome = _refused(error, document_id)
        self._cache.put(key, outcome)
        return outcome

    def _content(self, file: Found) -> bytes:
        """The bytes of a regular file of at most `max_bytes`; DocumentError otherwise."""
        try:
            # A regular file when listed; should it be a link or a pipe by now, we neither follow nor wait.
            handle = os.open(file.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            with os.fdopen(handle, "rb") as stream:
                status = os.fstat(handle)
                if not stat.S_ISREG(status.st_mode):
                    raise DocumentError("not a regular file any longer", where=file.document_id)
                if status.st_size > self._max_bytes:
                    raise self._too_large(file, status.st_size)
                content = stream.read(self._max_bytes + 1)
        except OSError as error:
            raise DocumentError(f"cannot be read: {error.strerror}", where=file.document_id) from None
        if len(content) > self._max_bytes:
            raise self._too_large(file, len(content))
        return content

    def _too_large(self, file: Found, size: int) -> DocumentError:
        return DocumentError(
            f"is larger than documents.max_bytes={self._max_bytes} ({size} bytes)", where=file.document_id
        )


def _refused(error: DocumentError, document_id: str) -> Corpus:
    line = error.where.removeprefix(f"{document_id}:")
    reason = error.what if line == error.where else f"line {line}: {error.what}"
    return Corpus((), (Quarantined(document_id, f"{reason}; {error.remedy}" if error.remedy else reason),))
