"""JSON lines of a snapshot, mapped and parsed one at a time: opening an index does not parse what nobody asks for."""

from __future__ import annotations

import json
import mmap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from genaiops.errors import IntegrityError, NotFound
from genaiops.on_demand import OnDemand
from genaiops.records import Chunk

_SCANNED = 1 << 24  # bytes looked through for line ends at once


@contextmanager
def parsing(folder: Path) -> Iterator[None]:
    """Files whose digests are right and which are no index all the same: somebody wrote both."""
    try:
        yield
    except (
        ValueError, TypeError, KeyError, IndexError, AttributeError, RuntimeError, OSError, EOFError, MemoryError,
    ) as error:  # fmt: skip
        raise IntegrityError(
            f"the index cannot be read ({type(error).__name__}: {error})",
            where=folder,
            remedy="rebuild it: genaiops build FLOW --full",
        ) from None


class Lines(OnDemand[bytes]):
    """The lines of a file, without their ends. The map stays readable when the folder is removed meanwhile."""

    def __init__(self, path: Path) -> None:
        """ValueError when the last line has no end."""
        with path.open("rb") as stream:
            size = stream.seek(0, 2)
            self._data = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) if size else b""
        ends = [
            np.flatnonzero(np.frombuffer(self._data[start : start + _SCANNED], dtype=np.uint8) == ord("\n")) + start
            for start in range(0, size, _SCANNED)
        ]
        self._ends = np.concatenate([np.array([-1]), *ends])
        if self._ends[-1] != size - 1:
            raise ValueError(f"{path.name} ends in the middle of a line")

    def __len__(self) -> int:
        return len(self._ends) - 1

    def contain(self, what: bytes) -> bool:
        """Whether these bytes stand anywhere in the file."""
        return self._data.find(what) >= 0

    def item(self, position: int) -> bytes:
        return bytes(self._data[self._ends[position] + 1 : self._ends[position + 1]])


class StoredChunks(OnDemand[Chunk]):
    """The chunks of an index by position, parsed when they are asked for; the same object each time."""

    def __init__(self, path: Path) -> None:
        self._folder = path.parent
        self._lines = Lines(path)
        self._parsed: dict[int, Chunk] = {}
        self._keys: dict[str, bool] = {}

    def __len__(self) -> int:
        return len(self._lines)

    def item(self, position: int) -> Chunk:
        """IntegrityError when the line is no chunk."""
        chunk = self._parsed.get(position)
        if chunk is None:
            with parsing(self._folder):
                # Of two threads the first one's chunk is everybody's.
                chunk = self._parsed.setdefault(position, _chunk(json.loads(self._lines[position])))
        return chunk

    def has_key(self, key: str) -> bool:
        """Whether the metadata of any chunk may have this key; True also where it is deeper in. Parses nothing."""
        if key not in self._keys:
            # A quotation mark inside of a text is escaped, so that this is never one.
            self._keys[key] = self._lines.contain(f'"{key}":'.encode())
        return self._keys[key]

    def labels(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Document id and metadata of every chunk, in order; chunks of the same metadata share one mapping.

        The texts, most of each line, are not parsed: a canonical line has the metadata between two fixed marks.
        """
        known: dict[bytes, Mapping[str, Any]] = {}
        with parsing(self._folder):
            for at, line in enumerate(self._lines):
                start, end = line.find(b',"metadata":{'), line.rfind(b',"settings":"')
                document = line.find(b'","end":')
                if not (line.startswith(b'{"document_id":"') and 0 < document < start < end):
                    chunk = self[at]
                    yield chunk.document_id, chunk.metadata
                    continue
                raw = line[start + len(b',"metadata":') : end]
                if raw not in known:
                    known[raw] = json.loads(raw)
                yield json.loads(line[len(b'{"document_id":') : document + 1]), known[raw]


def _chunk(data: Any) -> Chunk:
    chunk = Chunk(**data)
    texts = (chunk.document_id, chunk.text, chunk.settings, chunk.indexed_text)
    numbers = (chunk.start, chunk.end)
    if not (
        all(isinstance(text, str) for text in texts)
        and all(type(number) is int for number in numbers)
        and isinstance(chunk.metadata, dict)
    ):
        raise ValueError("a line is no chunk")
    return chunk


class StoredTexts:
    """The texts of an index's documents by id, one parsed at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines: Lines | None = None
        self._at: dict[str, int] = {}

    def __getitem__(self, document_id: str) -> str:
        """NotFound when the index has no such document."""
        with parsing(self._path.parent):
            if self._lines is None:
                lines = Lines(self._path)
                decoder = json.JSONDecoder()
                # A canonical line starts with the id.
                self._at = {decoder.raw_decode(line[6:].decode())[0]: at for at, line in enumerate(lines)}
                self._lines = lines
            if document_id in self._at:
                text = json.loads(self._lines[self._at[document_id]])["text"]
                if isinstance(text, str):
                    return text
                raise ValueError("a text is none")
        raise NotFound(f"the index has no document {document_id!r}", where=self._path.parent)
