"""Documents become chunks: `chunker_for(settings).chunk(document)`."""

from genaiops.chunking.chunkers import CHUNKERS, chunker_for
from genaiops.chunking.enrichment import ENRICHERS, Entry
from genaiops.chunking.settings import ChunkingSettings
from genaiops.chunking.texts import GeneratedTexts, forget_generated
from genaiops.chunking.tools import Chunker, Tools

__all__ = [
    "CHUNKERS", "ENRICHERS", "Chunker", "ChunkingSettings", "Entry", "GeneratedTexts", "Tools", "chunker_for",
    "forget_generated",
]  # fmt: skip
