"""Documents become chunks: `chunker_for(settings).chunk(document)`."""

from typing import TYPE_CHECKING

from genaiops.lazy import lazily

if TYPE_CHECKING:
    from genaiops.chunking.chunkers import CHUNKERS as CHUNKERS
    from genaiops.chunking.chunkers import chunker_for as chunker_for
    from genaiops.chunking.enrichment import ENRICHERS as ENRICHERS
    from genaiops.chunking.enrichment import Entry as Entry
    from genaiops.chunking.settings import ChunkingSettings as ChunkingSettings
    from genaiops.chunking.texts import GeneratedTexts as GeneratedTexts
    from genaiops.chunking.tools import Chunker as Chunker
    from genaiops.chunking.tools import Tools as Tools

# A question needs the settings alone, so everything is imported when it is first asked for.
__getattr__, __all__ = lazily(
    __name__,
    {
        "chunkers": "CHUNKERS chunker_for",
        "enrichment": "ENRICHERS Entry",
        "settings": "ChunkingSettings",
        "texts": "GeneratedTexts",
        "tools": "Chunker Tools",
    },
)
