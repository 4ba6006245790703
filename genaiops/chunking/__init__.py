"""Documents become chunks: `chunker_for(settings).chunk(document)`."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from genaiops.chunking.chunkers import CHUNKERS, chunker_for
    from genaiops.chunking.enrichment import ENRICHERS, Entry
    from genaiops.chunking.settings import ChunkingSettings
    from genaiops.chunking.texts import GeneratedTexts, forget_generated
    from genaiops.chunking.tools import Chunker, Tools

# A question needs the settings alone, so everything is imported when it is first asked for.
_PLACES = {
    "CHUNKERS": "genaiops.chunking.chunkers",
    "chunker_for": "genaiops.chunking.chunkers",
    "ENRICHERS": "genaiops.chunking.enrichment",
    "Entry": "genaiops.chunking.enrichment",
    "ChunkingSettings": "genaiops.chunking.settings",
    "GeneratedTexts": "genaiops.chunking.texts",
    "forget_generated": "genaiops.chunking.texts",
    "Chunker": "genaiops.chunking.tools",
    "Tools": "genaiops.chunking.tools",
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


def __getattr__(name: str) -> object:
    if name in _PLACES:
        return getattr(import_module(_PLACES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
