"""What a build would index now: read, cleaned, without what was erased, and held against each other."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import weakref
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO

from genaiops.cleansing import Compared, NearDuplicate, QualityCounter, cleaner_for
from genaiops.documents import Corpus, Quarantined, forget_parsed
from genaiops.documents.reading import iter_documents
from genaiops.errors import DocumentError, StorageError
from genaiops.flow.settings import FlowSettings
from genaiops.flow.tombstones import blocked
from genaiops.on_demand import OnDemand
from genaiops.project import Project
from genaiops.records import Document, canonical_json

SPILLED_FROM = 64 << 20  # bytes of documents that are held in memory; more go to a temporary file


@dataclass(frozen=True, slots=True)
class Entry:
    """Where one document lies in a store, and its digest (64 hex digits)."""

    id: str
    digest: str
    offset: int
    line: int  # bytes
    provenance: int  # bytes


class DocumentStore(OnDemand[Document]):
    """Documents as the lines of a snapshot; in memory as long as they are few, else in a temporary file."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._stream: IO[bytes] = SpooledTemporaryFile(max_size=SPILLED_FROM)  # noqa: SIM115  as long as the store
        weakref.finalize(self, self._stream.close)
        self._held: list[Document] | None = []
        self._size = 0

    def add(self, document: Document) -> None:
        # The digest of a document is that of its line: what is read again need not be computed again.
        line = canonical_json({"id": document.id, "text": document.text, "metadata": document.metadata}).encode()
        facts = canonical_json({"id": document.id, "origin": document.origin, "edits": document.edits}).encode()
        digest = hashlib.sha256(line).hexdigest()
        self.entries.append(Entry(document.id, digest, self._size, len(line) + 1, len(facts) + 1))
        self._stream.write(b"%b\n%b\n" % (line, facts))
        self._size += len(line) + len(facts) + 2
        if self._held is not None:
            self._held.append(document)
            if self._size > SPILLED_FROM:
                self._held = None

    def arrange(self, left_out: Collection[str]) -> None:
        """Sort by id and leave some documents out."""
        order = sorted(
            (n for n, entry in enumerate(self.entries) if entry.id not in left_out), key=lambda n: self.entries[n].id
        )
        self.entries = [self.entries[n] for n in order]
        if self._held is not None:
            self._held = [self._held[n] for n in order]

    def lines(self, position: int) -> tuple[bytes, bytes]:
        """The document's line and that of its provenance, each with its end."""
        entry = self.entries[position]
        self._stream.seek(entry.offset)
        return self._stream.read(entry.line), self._stream.read(entry.provenance)

    def __len__(self) -> int:
        return len(self.entries)

    def item(self, position: int) -> Document:
        if self._held is not None:
            return self._held[position]
        line, facts = self.lines(position)
        return Document.from_json({**json.loads(facts), **json.loads(line)})


@dataclass(frozen=True, slots=True)
class Gathered:
    """The documents of a build sorted by id, what was left out sorted by id, and pairs that are nearly the same.

    `erased` counts documents that were there and are blocked from coming back; `unread` the files that no loader
    reads, by suffix.
    """

    documents: DocumentStore
    quarantined: tuple[Quarantined, ...]
    near: tuple[NearDuplicate, ...] = ()
    erased: int = 0
    unread: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, corpus: Corpus) -> Gathered:
        """A corpus that is taken as it stands."""
        store = DocumentStore()
        for document in corpus.documents:
            store.add(document)
        store.arrange(frozenset())
        return cls(store, corpus.quarantined)

    @property
    def listed(self) -> list[list[str]]:
        """Id and digest of every document."""
        return [[entry.id, entry.digest] for entry in self.documents.entries]

    def counter(self) -> QualityCounter:
        """The quality of these documents, to which their chunks can be added."""
        counter = QualityCounter()
        for document in self.documents:
            counter.add_document(document)
        counter.add_quarantined(self.quarantined)
        counter.add_near(self.near)
        return counter


def gather(
    project: Project, settings: FlowSettings, base: Path, *, cache: Path | None, strict: bool = False
) -> Gathered:
    """Read, clean and compare the documents of a flow. `cache` is the SQLite file of what was read before.

    Raises DocumentError when nothing is left, or with `strict` when anything cannot be read or kept.
    """
    cleaner = cleaner_for(settings.cleansing, settings.documents.redact, cache=cache)
    is_erased = blocked(project)
    store, left_out, erased, unread = DocumentStore(), list[Quarantined](), 0, Counter[str]()
    for outcome in iter_documents(
        settings.documents, base, cache=cache, clean=cleaner, uncached=is_erased, unread=unread
    ):
        if isinstance(outcome, Quarantined):
            # Not even the name of an erased document goes into the facts of an index.
            if is_erased(Document(outcome.document_id, "")):
                erased += 1
            else:
                left_out.append(outcome)
        elif is_erased(outcome):
            erased += 1
        else:
            store.add(outcome)
    if strict and left_out:
        raise DocumentError(f"{len(left_out)} document(s) cannot be read", remedy=_reasons(left_out))
    compared: Compared = cleaner.compare(store)
    left_out += compared.quarantined
    if settings.cleansing.boilerplate is None:
        store.arrange(compared.duplicates.keys())
    else:  # then the comparison has rewritten texts
        store, more = _rewritten(compared.documents, is_erased, cache)
        erased += more
    if not store:  # an index of nothing must not take the place of one of something
        raise DocumentError(f"none of {len(left_out) + erased} document(s) can be read", remedy=_reasons(left_out))
    left_out.sort(key=lambda item: (item.document_id, item.reason))
    return Gathered(store, tuple(left_out), compared.near, erased, dict(sorted(unread.items())))


def _rewritten(
    documents: Sequence[Document], is_erased: Callable[[Document], bool], cache: Path | None
) -> tuple[DocumentStore, int]:
    """The documents without those that, less the lines of their frame, are what was erased; how many these were."""
    store, erased = DocumentStore(), 0
    for document in documents:
        if is_erased(document):
            erased += 1
            _forget_read(cache, document.id)
        else:
            store.add(document)
    return store, erased


def _forget_read(cache: Path | None, document_id: str) -> None:
    """Take a document out of the cache again. StorageError where that is not possible: it may not stay there."""
    try:
        if cache is not None:
            forget_parsed(cache, document_id)
    except (sqlite3.Error, OSError) as error:
        raise StorageError(
            f"an erased document cannot be taken out of the cache: {error}", where=cache, remedy="delete the file"
        ) from None


def _reasons(items: Sequence[Quarantined]) -> str:
    return "\n  ".join(sorted(f"{item.document_id}: {item.reason}" for item in items))
