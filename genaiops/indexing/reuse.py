"""What a snapshot holds of documents that did not change, for the snapshot that follows it."""

from __future__ import annotations

import hashlib
import mmap
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genaiops.embedding import Vectors
from genaiops.errors import GenaiopsError
from genaiops.files import sha256_of_file
from genaiops.indexing.manifest import (
    CHUNKS_FILE,
    DOCUMENTS_FILE,
    FORMAT,
    FULL_TEXT_FOLDER,
    VECTORS_FILE,
    Manifest,
    read_manifest,
)
from genaiops.indexing.vectors import faiss
from genaiops.indexing.word_counts import COUNTS_FILE, Counts, KeptCounts
from genaiops.records import Metadata

# Lines are canonical JSON with sorted keys, so these stand at the same place in each of them.
_DOCUMENT_ID = re.compile(rb'\{"id":("(?:[^"\\]|\\.)*")')
_CHUNK_HEAD = re.compile(rb'\{"document_id":("(?:[^"\\]|\\.)*"),"end":(\d+),')
_CHUNK_START = b',"start":'  # a quotation mark within a text is escaped, so the last one is the key's


@dataclass(frozen=True, slots=True)
class KeptChunks:
    """The chunks of one document: their lines, word counts and vectors (None where the index rounds them)."""

    lines: memoryview
    count: int
    counts: Counts
    vectors: Vectors | None
    lengths: tuple[int, ...]  # of the chunks' texts, in characters


@dataclass(slots=True)
class _Run:
    """Where the chunks of one document lie: bytes `[start, end)` of the file, rows `[row, row + count)`."""

    start: int
    end: int
    row: int
    count: int
    lengths: list[int]


class Previous:
    """A snapshot whose documents may be taken over, found by their digest."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.manifest = manifest
        self._runs = _runs(folder / CHUNKS_FILE)
        self._documents = _documents(folder / DOCUMENTS_FILE)
        self._lines = memoryview(_mapped(folder / CHUNKS_FILE))
        self._counts = KeptCounts(folder / FULL_TEXT_FOLDER)
        self._vectors = _exact_vectors(folder / VECTORS_FILE)
        rows = sum(run.count for run in self._runs.values())
        if self._counts.texts != rows or (self._vectors is not None and self._vectors.ntotal != rows):
            raise ValueError("chunks, counts and vectors are not as many")

    @classmethod
    def open(cls, folder: Path, inputs: Metadata, precision: str) -> Previous | None:
        """The snapshot in `folder`, if all but its documents was made from the same `inputs` and every file that is
        taken over is as it was written; else None, and everything is made anew.
        """
        try:
            manifest = read_manifest(folder)
            if manifest.format != FORMAT or not _alike(manifest.inputs, inputs):
                return None
            if manifest.facts.get("precision") != precision:
                return None
            taken = [CHUNKS_FILE, DOCUMENTS_FILE, VECTORS_FILE]
            taken += [name for name in manifest.files if name.startswith(f"{FULL_TEXT_FOLDER}/") and _counted(name)]
            if any(sha256_of_file(folder / name) != manifest.files[name] for name in taken):
                return None
            return cls(folder, manifest)
        except (GenaiopsError, OSError, ValueError, KeyError, TypeError, RuntimeError):
            return None

    def has(self, digest: str) -> bool:
        """Whether a document with this digest is in the snapshot."""
        return bytes.fromhex(digest) in self._documents

    def chunks(self, digest: str) -> KeptChunks:
        """The chunks of the document with this digest. Raises KeyError when there is none."""
        run = self._runs.get(self._documents[bytes.fromhex(digest)]) or _Run(0, 0, 0, 0, [])
        vectors = None
        if self._vectors is not None and run.count:
            vectors = self._vectors.reconstruct_n(run.row, run.count)
        counts = self._counts.rows(run.row, run.row + run.count)
        return KeptChunks(self._lines[run.start : run.end], run.count, counts, vectors, tuple(run.lengths))


def _alike(before: Metadata, now: Metadata) -> bool:
    return {**before, "documents": ""} == {**now, "documents": ""}


def _counted(name: str) -> bool:
    return name.endswith((COUNTS_FILE, ".json"))


def _mapped(path: Path) -> Any:
    with path.open("rb") as stream:
        if not path.stat().st_size:
            return b""
        return mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)


def _documents(path: Path) -> Mapping[bytes, bytes]:
    """Digest of each document → its id as JSON."""
    found: dict[bytes, bytes] = {}
    with path.open("rb") as stream:
        for line in stream:
            head = _DOCUMENT_ID.match(line)
            if head is None:
                raise ValueError("not a document")
            found[hashlib.sha256(line.removesuffix(b"\n")).digest()] = head[1]
    return found


def _runs(path: Path) -> dict[bytes, _Run]:
    """Id of each document as JSON → where its chunks lie."""
    runs: dict[bytes, _Run] = {}
    at = 0
    with path.open("rb") as stream:
        for row, line in enumerate(stream):
            head = _CHUNK_HEAD.match(line)
            if head is None:
                raise ValueError("not a chunk")
            begins = line.rindex(_CHUNK_START) + len(_CHUNK_START)
            length = int(head[2]) - int(line[begins : line.index(b",", begins)])
            run = runs.setdefault(head[1], _Run(at, at, row, 0, []))
            if run.end != at:
                raise ValueError("the chunks of a document do not lie together")
            at += len(line)
            run.end, run.count = at, run.count + 1
            run.lengths.append(length)
    return runs


def _exact_vectors(path: Path) -> Any:
    """The FAISS index in `path`, mapped and not read, if it gives back its vectors as they were; else None."""
    index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
    stored = faiss.downcast_index(index.storage) if isinstance(index, faiss.IndexHNSWFlat) else index
    return index if isinstance(stored, faiss.IndexFlat) else None
