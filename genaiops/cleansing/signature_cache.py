"""Signatures of texts that were compared before, in the project's cache file. A cache is never a reason to fail."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Mapping, Sequence

from genaiops.cache_file import CacheTable, looked_up, sealed, unsealed

VERSION = 1  # raise it when the same text would get another signature
_EXACT, _SKETCH = 16, 1024  # bytes

Signature = tuple[bytes, bytes]  # digest of the normalised text, sketch


def signature_key(text: str) -> bytes:
    """What a signature is kept under (32 bytes): the text and the version of the method."""
    return hashlib.sha256(b"%d:" % VERSION + text.encode("utf-8", "surrogatepass")).digest()


class SignatureCache(CacheTable):
    """A table of the cache file. Holds hashes only, under the digest of the text."""

    prepare = ("CREATE TABLE IF NOT EXISTS text_signatures (key BLOB PRIMARY KEY, data BLOB) WITHOUT ROWID",)

    def get(self, keys: Sequence[bytes]) -> dict[bytes, Signature]:
        """The signatures among `keys` that are known and undamaged."""

        def read(db: sqlite3.Connection) -> dict[bytes, Signature]:
            rows = looked_up(db, "SELECT key, data FROM text_signatures WHERE key IN", keys)
            read = ((key, unsealed(key, data)) for key, data in rows)
            whole = ((key, bytes(data)) for key, data in read if data is not None and len(data) == _EXACT + _SKETCH)
            return {key: (data[:_EXACT], data[_EXACT:]) for key, data in whole}

        return self._run(read, {})

    def put(self, signatures: Mapping[bytes, Signature]) -> None:
        if signatures:
            rows = [(key, sealed(key, b"".join(signature))) for key, signature in signatures.items()]
            self._run(lambda db: db.executemany("INSERT OR REPLACE INTO text_signatures VALUES (?, ?)", rows), None)
