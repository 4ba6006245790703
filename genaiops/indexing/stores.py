"""Where the vectors of a snapshot are searched: in its own file, or in a database that was filled from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from genaiops.embedding import Vectors
from genaiops.files import sha256_of_file
from genaiops.indexing.kinds import build_vectors
from genaiops.indexing.manifest import VECTORS_FILE, Manifest
from genaiops.indexing.vectors import EXACT, VectorSearch, VectorStore
from genaiops.records import Metadata


def write_vectors(vectors: Vectors, folder: Path, index_id: str, settings: Metadata) -> dict[str, Any]:
    """Write the vectors of a snapshot that is being made in `folder`, and tell what they became (see build_vectors).

    `settings` is the `index` part of its inputs; the file of chunks must be there already. With `store: pgvector` the
    file holds the exact vectors, and the database is filled before the snapshot is published, so that a published
    one can be searched at once. What is left in a database by a build that was killed then is found by the next one.
    """
    kind = str(settings.get("kind", "auto"))
    if settings.get("store", "faiss") != "pgvector":
        return build_vectors(vectors, kind, folder / VECTORS_FILE)
    from genaiops.indexing.pgvector import load_store
    from genaiops.indexing.postgres import store_url

    url = store_url()
    build_vectors(vectors, EXACT, folder / VECTORS_FILE)
    return load_store(url, index_id, folder, sha256_of_file(folder / VECTORS_FILE), kind).facts


def open_vectors(folder: Path, manifest: Manifest) -> VectorStore:
    """The vectors of a snapshot whose files were checked. A database that lacks them is filled from the snapshot.

    Raises StoreUnavailable or ConfigurationError for a database that cannot be used.
    """
    settings = manifest.inputs["index"]
    if settings.get("store", "faiss") != "pgvector":
        return VectorSearch(folder / VECTORS_FILE)
    from genaiops.indexing.pgvector import PgVectorSearch, load_store
    from genaiops.indexing.postgres import store_url

    url, digest = store_url(), manifest.files[VECTORS_FILE]
    try:
        return PgVectorSearch(url, manifest.id, digest)
    except KeyError:
        load_store(url, manifest.id, folder, digest, str(settings.get("kind", "auto")))
        return PgVectorSearch(url, manifest.id, digest)
