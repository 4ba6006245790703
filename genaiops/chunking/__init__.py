"""Documents become chunks: `chunker_for(settings).chunk(document)`."""

from typing import TYPE_CHECKING

from genaiops.lazy import lazily

if TYPE_CHECKING:
    from genaiops.chunking.chunkers import CHUNKERS, chunker_for
    from genaiops.chunking.enrichment import ENRICHERS, Entry
    from genaiops.chunking.settings import ChunkingSettings
    from genaiops.chunking.texts import GeneratedTexts, forget_generated
    from genaiops.chunking.tools import Chunker, Tools

# A question needs the settings alone, so everything is imported when it is first asked for.
_HOMES = {
    "CHUNKERS": "chunkers",
    "chunker_for": "chunkers",
    "ENRICHERS": "enrichment",
    "Entry": "enrichment",
    "ChunkingSettings": "settings",
    "GeneratedTexts": "texts",
    "forget_generated": "texts",
    "Chunker": "tools",
    "Tools": "tools",
}
__all__ = [
    "CHUNKERS",
    "ENRICHERS",
    "Chunker",
    "ChunkingSettings",
    "Entry",
    "GeneratedTexts",
    "Tools",
    "chunker_for",
    "forget_generated",
]
__getattr__ = lazily(__name__, _HOMES)
