"""Texts become unit vectors. Loading a model is put off until a text needs one."""

from typing import TYPE_CHECKING

from genaiops.embedding.protocol import CorpusEmbedder, Embedder, Progress, TokenEmbedder, Vectors
from genaiops.embedding.settings import DEFAULT_MODEL, EmbeddingSettings
from genaiops.lazy import lazily

if TYPE_CHECKING:
    from genaiops.embedding.loading import default_embedder, embedder_for, load_embedder

__all__ = [
    "DEFAULT_MODEL",
    "CorpusEmbedder",
    "Embedder",
    "EmbeddingSettings",
    "Progress",
    "TokenEmbedder",
    "Vectors",
    "default_embedder",
    "embedder_for",
    "load_embedder",
]
# numpy and the model's code are imported when an embedder is first asked for.
__getattr__, _ = lazily(__name__, {"loading": "default_embedder embedder_for load_embedder"})
