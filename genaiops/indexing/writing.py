"""The write side of a snapshot: filled block by block, so that no corpus has to fit in memory."""

from __future__ import annotations

import hashlib
import json
import os
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from genaiops.embedding import Vectors
from genaiops.files import published_folder, sha256_of_file
from genaiops.indexing.full_text import write_languages
from genaiops.indexing.languages import line_language, words_in
from genaiops.indexing.manifest import (
    CHUNKS_FILE,
    DOCUMENTS_FILE,
    FORMAT,
    FULL_TEXT_FOLDER,
    MANIFEST_FILE,
    PROVENANCE_FILE,
    Manifest,
    index_id,
)
from genaiops.indexing.reuse import KeptChunks
from genaiops.indexing.stores import write_vectors
from genaiops.indexing.word_counts import WordCounts
from genaiops.records import Chunk, Document, Metadata, as_json, canonical_json

EMBEDDED_TOGETHER = 8192  # texts handed to the embedder at once, which sorts them by length
_RAW_VECTORS = "vectors.tmp"


def document_line(document: Document) -> bytes:
    """A document as one line of a snapshot. The sha256 of the line, less its end, is the document's digest."""
    return canonical_json({"id": document.id, "text": document.text, "metadata": document.metadata}).encode() + b"\n"


def provenance_line(document: Document) -> bytes:
    """Facts of one reading, apart from the text: `Manifest.content` is the same on every machine."""
    return canonical_json({"id": document.id, "origin": document.origin, "edits": document.edits}).encode() + b"\n"


@dataclass(frozen=True, slots=True)
class ChunkBlock:
    """Chunks of whole documents, ready to be written: their lines, and the texts that are searched."""

    lines: tuple[bytes, ...]
    texts: tuple[str, ...]
    lengths: tuple[int, ...]  # of the chunks' own texts, in characters

    @classmethod
    def of(cls, chunks: Iterable[Chunk]) -> ChunkBlock:
        rows = list(chunks)
        return cls(
            tuple(canonical_json(_plain(chunk)).encode() + b"\n" for chunk in rows),
            tuple(chunk.indexed_text for chunk in rows),
            tuple(len(chunk.text) for chunk in rows),
        )


def _plain(chunk: Chunk) -> dict[str, Any]:
    """As `as_json`, which looks at every field of every record, but quickly: builds make many chunks."""
    return {
        "document_id": chunk.document_id,
        "start": chunk.start,
        "end": chunk.end,
        "text": chunk.text,
        "settings": chunk.settings,
        "indexed_text": chunk.indexed_text,
        "metadata": as_json(chunk.metadata),
    }


class _Lines:
    """A file of lines whose digest is known when it is closed."""

    def __init__(self, path: Path) -> None:
        self._stream = path.open("wb")
        self._digest = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes | memoryview) -> None:
        self._stream.write(data)
        self._digest.update(data)
        self.size += len(data)

    def flush(self) -> None:
        self._stream.flush()

    def close(self) -> str:
        self._stream.close()
        return self._digest.hexdigest()


class SnapshotWriter:
    """Fills `folder` with the files of a snapshot: documents and chunks first, then vectors, then the manifest.

    Documents come sorted by id, chunks in the order of their documents.
    """

    def __init__(self, folder: Path, language: str = "auto") -> None:
        """`language` is the setting `index.language`."""
        self._folder = folder
        self._language = language
        self._languages: set[str] = set()  # in which texts were stemmed
        self._files = {name: _Lines(folder / name) for name in (CHUNKS_FILE, DOCUMENTS_FILE, PROVENANCE_FILE)}
        self._counts = WordCounts(folder / FULL_TEXT_FOLDER)
        self._fresh = array("Q")  # row and offset in the file of chunks, one pair for each chunk that has no vector
        self._kept: list[tuple[int, KeptChunks]] = []
        self.documents = self.chunks = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of the files, finished or not."""
        for lines in self._files.values():
            lines.close()
        self._counts.close()

    def add_document(self, line: bytes, provenance: bytes) -> None:
        self._files[DOCUMENTS_FILE].write(line)
        self._files[PROVENANCE_FILE].write(provenance)
        self.documents += 1

    def add_chunks(self, block: ChunkBlock) -> None:
        """The next chunks, of new documents."""
        lines = self._files[CHUNKS_FILE]
        languages = [line_language(line, self._language) for line in block.lines]
        self._languages.update(languages)
        for line in block.lines:
            self._fresh.extend((self.chunks, lines.size))
            lines.write(line)
            self.chunks += 1
        self._counts.add(words_in(text, language) for text, language in zip(block.texts, languages, strict=True))

    def add_kept(self, kept: KeptChunks) -> None:
        """The next chunks, as an older snapshot holds them."""
        lines = self._files[CHUNKS_FILE]
        at = lines.size
        lines.write(kept.lines)
        if kept.count:  # of one document, so all of one language
            self._languages.add(line_language(bytes(kept.lines).split(b"\n", 1)[0], self._language))
        self._counts.add_counted(kept.counts)
        if kept.vectors is not None:
            self._kept.append((self.chunks, kept))
        else:
            for row, line in enumerate(bytes(kept.lines).split(b"\n")[:-1], start=self.chunks):
                self._fresh.extend((row, at))
                at += len(line) + 1
        self.chunks += kept.count

    @property
    def without_vector(self) -> int:
        """How many chunks the embedder will be asked for."""
        return len(self._fresh) // 2

    def add_vectors(self, embed: Callable[[Sequence[str]], Vectors], dimension: int) -> None:
        """Give every chunk its vector: kept ones as they were, the others from `embed`, block by block."""
        self._files[CHUNKS_FILE].flush()
        vectors = _reserved(self._folder / _RAW_VECTORS, self.chunks, dimension)
        for row, kept in self._kept:
            vectors[row : row + kept.count] = kept.vectors
        self._kept.clear()
        with (self._folder / CHUNKS_FILE).open("rb") as stream:
            for at in range(0, len(self._fresh), 2 * EMBEDDED_TOGETHER):
                block = self._fresh[at : at + 2 * EMBEDDED_TOGETHER]
                vectors[np.array(block[::2])] = embed(list(_texts(stream, block[1::2])))
        self._vectors = vectors

    def finish(self, inputs: Metadata, facts: Metadata) -> Manifest:
        """Write what is made of all chunks together, and the manifest."""
        files = {name: lines.close() for name, lines in self._files.items()}
        of_vectors = write_vectors(self._vectors, self._folder, index_id(inputs), inputs["index"])
        dimension = int(self._vectors.shape[1])
        del self._vectors
        (self._folder / _RAW_VECTORS).unlink()
        self._counts.finish()
        write_languages(self._languages, self._folder / FULL_TEXT_FOLDER)
        for path in sorted(self._folder.rglob("*")):
            name = path.relative_to(self._folder).as_posix()
            if path.is_file() and name not in files:
                files[name] = sha256_of_file(path)
        manifest = Manifest(
            id=index_id(inputs),
            format=FORMAT,
            inputs=inputs,
            counts={"documents": self.documents, "chunks": self.chunks, "dimension": dimension},
            files=files,
            facts={**facts, **of_vectors},
        )
        (self._folder / MANIFEST_FILE).write_bytes(manifest.text.encode())
        return manifest


def _reserved(path: Path, rows: int, dimension: int) -> Vectors:
    """A float32 array `[rows, dimension]` in a file. Its room is taken now: a full disk is an error, not a crash."""
    with path.open("wb") as stream:
        if not rows:
            return np.empty((0, dimension), dtype=np.float32)
        os.posix_fallocate(stream.fileno(), 0, 4 * rows * dimension)
    return np.memmap(path, dtype=np.float32, mode="r+", shape=(rows, dimension))


def _texts(stream: Any, offsets: Iterable[int]) -> Iterator[str]:
    for offset in offsets:
        stream.seek(offset)
        yield json.loads(stream.readline())["indexed_text"]


def write_index(
    folder: Path,
    inputs: Metadata,
    documents: Sequence[Document],
    chunks: Sequence[Chunk],
    vectors: Vectors,
    facts: Metadata,
) -> Manifest:
    """Publish a snapshot under `folder/<id>` in one rename and return its manifest.

    `vectors` is float32 `[len(chunks), dimension]`. Nothing is visible before every file is on disk.
    """
    language = str(inputs["index"].get("language", "auto"))
    with published_folder(folder / index_id(inputs)) as aside, SnapshotWriter(aside, language) as writer:
        for document in sorted(documents, key=lambda document: document.id):
            writer.add_document(document_line(document), provenance_line(document))
        writer.add_chunks(ChunkBlock.of(chunks))
        done = 0

        def next_rows(texts: Sequence[str]) -> Vectors:
            nonlocal done
            done += len(texts)
            return vectors[done - len(texts) : done]

        writer.add_vectors(next_rows, int(vectors.shape[1]))
        return writer.finish(inputs, facts)
