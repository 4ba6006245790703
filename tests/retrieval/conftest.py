"""An index of the kettle pages, and a small cross-encoder: real files, real arithmetic, of little wit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from genaiops.chunking import ChunkingSettings, chunker_for
from genaiops.embedding import Embedder, Progress, Vectors
from genaiops.embedding.loading import LocalEmbedder
from genaiops.embedding.protocol import silent
from genaiops.indexing import index_inputs
from genaiops.indexing.snapshot import Index, load_index, write_index
from genaiops.records import Chunk, Document
from genaiops.words import words
from tests.small_project import DOCUMENTS


class Remembering:
    """The real embedder, asked once for each text: the contract asks the same questions of every retriever."""

    def __init__(self, behind: Embedder) -> None:
        self._behind = behind
        self._known: dict[str, Vectors] = {}
        self.fingerprint, self.dimension = behind.fingerprint, behind.dimension

    def embed(self, texts: Sequence[str], progress: Progress = silent) -> Vectors:
        new = [text for text in texts if text not in self._known]
        self._known.update(zip(new, self._behind.embed(new), strict=True))
        return np.stack([self._known[text] for text in texts])


@pytest.fixture(scope="session")
def embedder(embedder: LocalEmbedder) -> Remembering:
    return Remembering(embedder)


# The same page under five names: equal scores, that position has to decide.
PAGES = {**DOCUMENTS, **{f"copy{number}.md": DOCUMENTS["warranty.md"] for number in range(5)}}
LEFT = ("returns.md", "cleaning.md", "copy1.md", "copy2.md")  # by their metadata on the left shelf
FOR_STAFF = ("copy3.md", "returns.md")


@pytest.fixture(scope="session")
def kettle_index(embedder: Remembering, tmp_path_factory: pytest.TempPathFactory) -> Index:
    folder: Path = tmp_path_factory.mktemp("retrieval")
    documents = [Document(name, text) for name, text in sorted(PAGES.items())]
    chunker = chunker_for(ChunkingSettings(size=120, overlap=0), ("heading_path",))
    chunks = [_labelled(document, chunk) for document in documents for chunk in chunker.chunk(document)]
    settings = {"chunking": {}, "enrichment": [], "index": {"store": "faiss", "kind": "flat"}}
    inputs = index_inputs(documents, settings, embedder.fingerprint)
    manifest = write_index(folder, inputs, documents, chunks, embedder.embed([c.indexed_text for c in chunks]), {})
    return load_index(folder / manifest.id, embedder=embedder.fingerprint)


def _labelled(document: Document, chunk: Chunk) -> Chunk:
    """With a shelf, labels for some, and the whole document as the parent of each of its chunks."""
    metadata = {**chunk.metadata, "shelf": "left" if document.id in LEFT else "right"}
    metadata["parent"] = [0, len(document.text)]
    if document.id in FOR_STAFF:
        metadata["access"] = ["staff"]
    return replace(chunk, metadata=metadata)


@pytest.fixture(scope="session")
def cross_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a BERT of two layers (random, seeded) and one score, saved as safetensors."""
    return make_cross_encoder(tmp_path_factory.mktemp("reranker"))


def make_cross_encoder(folder: Path, *, labels: int = 1, seed: int = 7) -> Path:
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

    known = sorted({word for text in DOCUMENTS.values() for word in words(text)})
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *known]
    (folder / "vocab.txt").write_text("\n".join(vocabulary), encoding="utf-8")
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=len(vocabulary), hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=64, num_labels=labels, max_position_embeddings=256,
    )  # fmt: skip
    BertForSequenceClassification(config).save_pretrained(folder, safe_serialization=True)
    BertTokenizerFast(vocab_file=str(folder / "vocab.txt"), model_max_length=256).save_pretrained(folder)
    return folder
