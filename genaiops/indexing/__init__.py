"""Chunks and vectors become an immutable snapshot that remembers how it was built.

`indexing.snapshot` writes and opens it (and imports faiss and bm25s); `indexing.manifest` tells without opening.
"""

from genaiops.indexing.manifest import (
    FORMAT,
    IndexSettings,
    Manifest,
    index_id,
    index_inputs,
    read_manifest,
    verify_files,
)

__all__ = ["FORMAT", "IndexSettings", "Manifest", "index_id", "index_inputs", "read_manifest", "verify_files"]
