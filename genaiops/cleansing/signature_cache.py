"""Signatures of texts that were compared before, in the project's cache file. A cache is never a reason to fail."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from genaiops.cache_file import with_cache

_T = TypeVar("_T")
VERSION = 1  # raise it when the same text would get another signature
_LOOKUP = 500
_PREPARE = ("CREATE TABLE IF NOT EXISTS text_signatures (key BLOB PRIMARY KEY, data BLOB) WITHOUT ROWID",)
_SEAL, _EXACT, _SKETCH = 16, 16, 1024  # bytes

Signature = tuple[bytes, bytes]  # digest of the normalised text, sketch


def signature_key(text: str) -> bytes:
    """What a signature is kept under (32 bytes): the text and the version of the method."""
    return hashlib.sha256(b"%d:" % VERSION + text.encode("utf-8", "surrogatepass")).digest()


class SignatureCache:
    """A table of the cache file. Holds hashes only, under the digest of the text."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    key = staticmethod(signature_key)

    def get(self, keys: Sequence[bytes]) -> dict[bytes, Signature]:
        """The signatures among `keys` that are known and undamaged."""

        def read(db: sqlite3.Connection) -> dict[bytes, Signature]:
            found: dict[bytes, Signature] = {}
            for at in range(0, len(keys), _LOOKUP):
                part = keys[at : at + _LOOKUP]
                marks = ",".join("?" * len(part))
                for key, data in db.execute(f"SELECT key, data FROM text_signatures WHERE key IN ({marks})", part):
                    signature = _unsealed(key, data)
                    if signature is not None:
                        found[key] = signature
            return found

        return self._run(read, {})

    def put(self, signatures: Mapping[bytes, Signature]) -> None:
        if signatures:
            rows = [(key, _sealed(key, signature)) for key, signature in signatures.items()]
            self._run(lambda db: db.executemany("INSERT OR REPLACE INTO text_signatures VALUES (?, ?)", rows), None)

    def forget(self, text: str) -> int:
        """Remove what is kept of a text; returns how many rows there were."""
        key = signature_key(text)
        return self._run(lambda db: db.execute("DELETE FROM text_signatures WHERE key = ?", (key,)).rowcount, 0)

    def _run(self, work: Callable[[sqlite3.Connection], object], otherwise: _T) -> _T:
        return with_cache(self._path, work, otherwise, prepare=_PREPARE)


def _sealed(key: bytes, signature: Signature) -> bytes:
    """A signature with a digest of it and its key: SQLite would hand out flipped bits without a word."""
    data = signature[0] + signature[1]
    return hashlib.blake2b(key + data, digest_size=_SEAL).digest() + data


def _unsealed(key: bytes, data: object) -> Signature | None:
    if not isinstance(data, bytes) or len(data) != _SEAL + _EXACT + _SKETCH:
        return None
    signature = data[_SEAL : _SEAL + _EXACT], data[_SEAL + _EXACT :]
    return signature if _sealed(key, signature) == data else None
