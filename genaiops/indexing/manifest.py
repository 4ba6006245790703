"""What an index was made of, and the digest of every file that came out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationInfo, field_validator

from genaiops.configuration import Settings
from genaiops.errors import IntegrityError, NotBuilt
from genaiops.files import sha256_of_file
from genaiops.indexing.languages import LANGUAGES, STEMMERS
from genaiops.records import Document, Metadata, as_json, digest_of

FORMAT = 2  # of the folder; raised when an older reader could misread it
MANIFEST_FILE = "manifest.json"
FULL_TEXT_VERSION = 2  # raised when the same chunks would be counted into other words
CHUNKS_FILE, DOCUMENTS_FILE = "chunks.jsonl", "documents.jsonl"
VECTORS_FILE, FULL_TEXT_FOLDER = "vectors.faiss", "full_text"
PROVENANCE_FILE = "provenance.jsonl"  # origin and edits of each document, in the order of DOCUMENTS_FILE


class IndexSettings(Settings):
    """The `index:` part of flow.yaml."""

    store: Literal["faiss", "pgvector"] = "faiss"
    kind: Literal["auto", "flat", "hnsw", "ivfpq"] = "auto"  # auto: by the number of chunks, and by what is measured
    language: str = "auto"  # of the full text: a name or code; auto: as the documents are tagged, else english

    @field_validator("kind")
    @classmethod
    def _possible(cls, value: str, info: ValidationInfo) -> str:
        if value == "ivfpq" and info.data.get("store") == "pgvector":
            raise ValueError("pgvector has no ivfpq; use auto, flat or hnsw, or store: faiss")
        return value

    @field_validator("language")
    @classmethod
    def _known(cls, value: str) -> str:
        """One name for each language, so that `de` and `german` are one index."""
        name = value.strip().lower()
        if name == "auto" or name in LANGUAGES:
            return name
        if name in STEMMERS:
            return STEMMERS[name]
        known = ", ".join(sorted(LANGUAGES))
        raise ValueError(f"{value!r} is no language that can be stemmed; there is auto, {known}")


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
    def content(self) -> str:
        """Digest of the chunks and documents: the same on every machine, as vectors are not (processors round)."""
        return digest_of([self.files.get(CHUNKS_FILE), self.files.get(DOCUMENTS_FILE)])

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
    return inputs_of([[document.id, document.digest] for document in documents], settings, embedder)


def inputs_of(listed: Sequence[Sequence[str]], settings: Metadata, embedder: str) -> dict[str, Any]:
    """The same from the id and digest of each document."""
    versions = {"format": FORMAT, "full_text": FULL_TEXT_VERSION}
    documents = digest_of(sorted(map(list, listed)))
    return {**versions, "documents": documents, "embedding": embedder, **as_json(settings)}


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


def verify_files(folder: Path, files: Mapping[str, str]) -> None:
    """Raise IntegrityError naming the first file that is missing, added or not the one that was written."""
    present = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()} - {MANIFEST_FILE}
    for name in sorted(present | set(files)):
        path = folder / name
        try:
            if name not in present:
                problem = "is missing"
            elif name not in files:
                problem = "does not belong to the index"
            elif sha256_of_file(path) != files[name]:
                problem = "was changed after the index was built"
            else:
                continue
        except OSError as error:
            problem = f"cannot be read ({error.strerror})"
        raise _damaged(path, f"the file {problem}")


def _damaged(path: Path, what: str) -> IntegrityError:
    return IntegrityError(what, where=path, remedy="rebuild it: genaiops build FLOW --full")
