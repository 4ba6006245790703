"""Documents become chunks: `chunker_for(settings).chunk(document)`."""

from genaiops.chunking.chunkers import CHUNKERS, Chunker, ChunkingSettings, chunker_for
from genaiops.chunking.enrichment import ENRICHERS

__all__ = ["CHUNKERS", "ENRICHERS", "Chunker", "ChunkingSettings", "chunker_for"]
