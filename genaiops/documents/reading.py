"""Sources become a corpus: every readable document, and a reason for each of the others."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Self

from genaiops.documents.cache import ParsedCache, cache_key
from genaiops.documents.items import Item, Raw, Ready
from genaiops.documents.json_files import JsonLoader
from genaiops.documents.json_lines import JsonLinesLoader
from genaiops.documents.labels import labelled
from genaiops.documents.limited import DocxLoader, HtmlLoader, InChild, MailLoader, PdfLoader, PptxLoader, XlsxLoader
from genaiops.documents.loading import Clean, Corpus, LimitExceeded, Limits, Loader, Quarantined, quarantined
from genaiops.documents.settings import DocumentSettings, SourceSettings
from genaiops.documents.sources import Reach, items_of
from genaiops.documents.tables import CsvLoader
from genaiops.documents.text_files import MarkdownLoader, TextLoader
from genaiops.errors import ConfigurationError, DocumentError
from genaiops.records import Document, Origin, digest_of

LOADERS: Mapping[str, Callable[[Limits], Loader]] = {
    ".md": MarkdownLoader,
    ".markdown": MarkdownLoader,
    ".txt": TextLoader,
    ".html": HtmlLoader,
    ".htm": HtmlLoader,
    ".pdf": PdfLoader,
    ".csv": CsvLoader,
    ".json": JsonLoader,
    ".jsonl": JsonLinesLoader,
    ".docx": DocxLoader,
    ".pptx": PptxLoader,
    ".xlsx": XlsxLoader,
    ".eml": MailLoader,
}


def read_documents(
    settings: DocumentSettings,
    base: Path,
    *,
    cache: Path | None = None,
    strict: bool = False,
    clean: Clean | None = None,
) -> Corpus:
    """Read every document of the sources, which are relative to `base`, and clean it with `clean`.

    What cannot be read, or may not be kept, is quarantined with its reason; with `strict` it raises one
    DocumentError that lists all of it. `cache` is an SQLite file of documents as read and cleaned, made if absent.
    The outcome depends on names and contents only, but for `Origin.modified`. ConfigurationError: a source that
    is missing or has no file to read, two documents with one id. SourceError: a source that cannot be reached.
    """
    documents: list[Document] = []
    left_out: list[Quarantined] = []
    for outcome in iter_documents(settings, base, cache=cache, clean=clean):
        if isinstance(outcome, Quarantined):
            left_out.append(outcome)
        else:
            documents.append(outcome)
    left_out.sort(key=lambda item: (item.document_id, item.reason))
    if strict and left_out:
        listed = "\n  ".join(f"{item.document_id}: {item.reason}" for item in left_out)
        raise DocumentError(f"{len(left_out)} document(s) cannot be read", remedy=listed)
    return Corpus(tuple(sorted(documents, key=lambda document: document.id)), tuple(left_out))


def iter_documents(
    settings: DocumentSettings,
    base: Path,
    *,
    cache: Path | None = None,
    clean: Clean | None = None,
    uncached: Callable[[Document], bool] | None = None,
    unread: Counter[str] | None = None,
) -> Iterator[Document | Quarantined]:
    """What `read_documents` gathers, one by one: source by source, files in the order of their names.

    A document for which `uncached` is true is read anew each time: nothing of it is written to the cache.
    `unread` counts, by their suffix, the files below a source that no loader reads.
    """
    places: dict[str, str] = {}
    with _Reader(settings, ParsedCache(cache, uncached), clean) as reader:
        reach = Reach(
            base,
            settings.max_bytes,
            settings.include,
            settings.exclude,
            tuple(LOADERS),
            Counter() if unread is None else unread,
        )
        for source in settings.sources:
            for item in items_of(source, reach):
                if isinstance(item, Quarantined):
                    yield item
                    continue
                outcome = reader.read(item, source)
                for document in outcome.documents:
                    if document.id in places:
                        raise _same_id(document.id, places[document.id], item.place)
                    places[document.id] = item.place
                    yield document
                yield from outcome.quarantined


def _same_id(document_id: str, first: str, second: str) -> ConfigurationError:
    return ConfigurationError(
        f"two documents have the id {document_id!r}: {first} and {second}",
        remedy="rename one of them, or leave one out with documents.exclude",
    )


class _Reader:
    """Reads item after item with one loader of each kind; a block ends with its children and cache closed."""

    def __init__(self, settings: DocumentSettings, cache: ParsedCache, clean: Clean | None) -> None:
        limits = Limits(settings.parse_timeout_s, settings.parse_memory_mb, settings.max_bytes)
        kinds = {kind: kind(limits) for kind in set(LOADERS.values())}
        self._loaders = {suffix: kinds[kind] for suffix, kind in LOADERS.items()}
        self._cache = cache
        self._clean = clean
        self._clean_version = clean.version if clean else ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._cache.close()
        for loader in self._loaders.values():
            if isinstance(loader, InChild):
                loader.close()

    def read(self, item: Item | Ready, source: SourceSettings) -> Corpus:
        """The documents of one item, cleaned and labelled; one that cannot be read is a corpus of its own reason."""
        if isinstance(item, Ready):
            outcome = self._ready(item)
        else:
            try:
                # Pages have no common source but the list; each is named by its URL.
                outcome = self._file(item, item.place if source.kind == "web" else str(source))
            except DocumentError as error:
                return Corpus((), (quarantined(error, item.document_id),))
        return _sorted_out(
            [labelled(document, source.sensitivity, source.access) for document in outcome.documents],
            outcome.quarantined,
        )

    def _ready(self, item: Ready) -> Corpus:
        document, origin = item.document, item.document.origin
        if self._clean is None or origin is None:
            return Corpus((document,)) if self._clean is None else self._cleaned(Corpus((document,)))
        known = digest_of([document.digest, origin.content])
        key = cache_key(known, document.id, suffix="", version=origin.loader, clean=self._clean_version)
        outcome = self._cache.get(key)
        if outcome is None:
            outcome = self._cleaned(Corpus((document,)))
            self._cache.put(key, document.id, outcome)
        return _from(outcome, origin)

    def _file(self, item: Item, source: str) -> Corpus:
        """From the cache by the source's tag or by the content; else loaded and cleaned."""
        key = ""
        if item.tag:
            key = self._key(item.tag, item.document_id, item.suffix)
            if known := self._cache.get(key):
                return _from(known, Origin(source, "", "", item.modified))
        raw = item.read()
        loader = self._loaders[raw.suffix]
        digest = hashlib.sha256(raw.content).hexdigest()
        origin = Origin(source, f"{loader.name} {loader.version}", digest, raw.modified)
        if not (loader.cached or self._clean or key):
            return _from(loader.load(raw.content, item.document_id), origin)
        key = key or self._key(digest, item.document_id, raw.suffix)
        outcome = None if item.tag else self._cache.get(key)
        if outcome is None:
            outcome = self._load(loader, raw, item.document_id, origin)
            self._cache.put(key, item.document_id, outcome)
        return _from(outcome, origin)

    def _key(self, content: str, document_id: str, suffix: str) -> str:
        version = self._loaders[suffix].version
        return cache_key(content, document_id, suffix=suffix, version=version, clean=self._clean_version)

    def _load(self, loader: Loader, raw: Raw, document_id: str, origin: Origin) -> Corpus:
        try:
            return self._cleaned(_from(loader.load(raw.content, document_id), origin))
        except LimitExceeded:
            raise
        except DocumentError as error:
            return Corpus((), (quarantined(error, document_id),))

    def _cleaned(self, loaded: Corpus) -> Corpus:
        if self._clean is None:
            return loaded
        return _sorted_out([self._clean.clean(document) for document in loaded.documents], loaded.quarantined)


def _sorted_out(outcomes: list[Document | Quarantined], left_out: tuple[Quarantined, ...]) -> Corpus:
    documents = tuple(item for item in outcomes if isinstance(item, Document))
    return Corpus(documents, left_out + tuple(item for item in outcomes if isinstance(item, Quarantined)))


def _from(outcome: Corpus, origin: Origin) -> Corpus:
    """`outcome` with this origin; where the content was not read again, the digest and loader stay those known."""
    documents = []
    for document in outcome.documents:
        before = document.origin
        if not origin.content and before is not None:
            given = replace(before, source=origin.source, modified=origin.modified)
        else:
            given = origin
        documents.append(replace(document, origin=given))
    return Corpus(tuple(documents), outcome.quarantined)
