"""A small cross-encoder, made for the tests: real files, real arithmetic, of little wit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from genaiops.embedding import Embedder, Progress, Vectors
from genaiops.embedding.loading import LocalEmbedder
from genaiops.embedding.protocol import silent
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
