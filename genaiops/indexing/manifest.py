"""What an index was made of, and the digest of every file that came out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from genaiops.errors import IntegrityError, NotBuilt
from genaiops.records import Document, Metadata, Settings, as_json, digest_of

FORMAT = 1  # of the folder; raised when an older reader could misread it
MANIFEST_FILE = "manifest.json"


class IndexSettings(Settings):
    """The `index:` part of flow.yaml."""

    store: Literal["faiss"] = "faiss"
    kind: Literal["auto", "flat", "hnsw"] = "auto"  # auto: by the number of chunks


@dataclass(frozen=True, slots=True)
class Manifest:
    """The first file of a snapshot.

    `inputs` is everything the id is the digest of; `files` maps each file (relative
    path) to its sha256; `facts` are of this one build (precision, processor, versions)
    and take no part in the id.
    """

    id: str
    format: int
    inputs: Metadata
    counts: Mapping[str, int]
    files: Mapping[str, str]
    facts: Metadata = field(default_factory=dict)

    @property
    def embedder(self) -> str:
        """Fingerprint of the embedder whose vectors are stored."""
        return str(self.inputs["embedding"])

    @property
    def text(self) -> str:
        """The one content of its file; `digest` in it covers all the rest."""
        return json.dumps({**as_json(self), "digest": digest_of(self)}, indent=1, sort_keys=True)


def index_inputs(documents: Sequence[Document], settings: Metadata, embedder: str) -> dict[str, Any]:
    """Everything that decides an index, as JSON: the same on every machine, in any folder, in any file order.

    `settings` holds the chunking, enrichment and index settings.
    """
    listed = sorted([document.id, document.digest] for document in documents)
    return {"format": FORMAT, "documents": digest_of(listed), "embedding": embedder, **as_json(settings)}


def index_id(inputs: Metadata) -> str:
    """sha256 (64 hex digits) over `index_inputs`."""
    return digest_of(inputs)


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a snapshot, checked against its own digest and the folder's name.

    Raises NotBuilt when there is no folder, IntegrityError when the manifest is missing, was altered or is
    of a newer format.
    """
    path = folder / MANIFEST_FILE
    if not folder.is_dir():
        raise NotBuilt("there is no index here", where=folder, remedy="build it: genaiops build FLOW")
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise _damaged(path, "the manifest is missing") from None
    except OSError as error:
        raise _damaged(path, f"the manifest cannot be read ({error.strerror})") from None
    try:
        data = json.loads(content)
        told = data.pop("digest")
        if digest_of(data) != told:
            raise ValueError("its digest is another")
        if data["format"] > FORMAT:
            raise IntegrityError(
                f"the index has format {data['format']}, this version reads up to {FORMAT}",
                where=path,
                remedy="upgrade genaiops",
            )
        manifest = Manifest(**data)
        if content != manifest.text.encode():
            raise ValueError("it was written anew")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise _damaged(path, f"the manifest is damaged: {error}") from None
    if manifest.id != folder.name or index_id(manifest.inputs) != manifest.id:
        raise _damaged(path, "the manifest does not belong to this index")
    return manifest


def _damaged(path: Path, what: str) -> IntegrityError:
    return IntegrityError(what, where=path, remedy="rebuild it: genaiops build FLOW --full")
