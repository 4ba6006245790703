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
    """The manifest of a snapshot, checked against the folder's own name.

    Raises NotBuilt when there is none, IntegrityError when it was altered or is of a newer format.
    """
    path = folder / MANIFEST_FILE
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        manifest = Manifest(**data)
    except FileNotFoundError:
        raise NotBuilt("there is no index here", where=folder, remedy="build it: genaiops build FLOW") from None
    except (ValueError, TypeError, UnicodeDecodeError) as error:
        raise _damaged(path, f"the manifest is damaged ({error})") from None
    if manifest.format > FORMAT:
        raise IntegrityError(
            f"the index has format {manifest.format}, this version reads up to {FORMAT}",
            where=path,
            remedy="upgrade genaiops",
        )
    if manifest.id != folder.name or index_id(manifest.inputs) != manifest.id:
        raise _damaged(path, "the manifest does not belong to this index")
    return manifest


def _damaged(path: Path, what: str) -> IntegrityError:
    return IntegrityError(what, where=path, remedy="rebuild it: genaiops build FLOW --full")
