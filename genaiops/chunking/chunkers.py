"""The strategies, and how to get a chunker."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from genaiops.chunking.enrichment import Enriched, Entry, enrichers_for
from genaiops.chunking.fixed import Fixed
from genaiops.chunking.langchain import LangChainSplitter
from genaiops.chunking.markdown import Markdown
from genaiops.chunking.page import Pages
from genaiops.chunking.parent_child import ParentChild
from genaiops.chunking.recursive import Recursive
from genaiops.chunking.semantic import Semantic
from genaiops.chunking.sentence import Sentences
from genaiops.chunking.settings import ChunkingSettings
from genaiops.chunking.tools import Chunker, Strategy, Tools
from genaiops.records import Chunk, Document

CHUNKERS: Mapping[str, Callable[[ChunkingSettings, Tools], Strategy]] = {
    "markdown": Markdown,
    "recursive": Recursive,
    "sentence": Sentences,
    "fixed": Fixed,
    "page": Pages,
    "parent_child": ParentChild,
    "semantic": Semantic,
    "langchain": LangChainSplitter,
}

_NONE = Tools()
# What every chunk takes over from its document's metadata: filters and labels must hold for each part of it.
CARRIED = ("sensitivity", "access", "language", "flags")


class _SpanChunker:
    def __init__(self, strategy: Strategy, settings: str) -> None:
        self._strategy, self._settings = strategy, settings

    def chunk(self, document: Document) -> list[Chunk]:
        carried = {name: document.metadata[name] for name in CARRIED if name in document.metadata}
        return [
            Chunk(document.id, start, end, text, self._settings, text, {**metadata, **carried})
            for start, end, metadata in self._strategy.pieces(document.text)
            if (text := document.text[start:end])
        ]


def chunker_for(settings: ChunkingSettings, enrichment: Sequence[Entry] = (), tools: Tools = _NONE) -> Chunker:
    """The chunker of these settings, whose chunks every enricher named adds to, in that order.

    ConfigurationError for an enricher that is unknown, given twice or with wrong options, and for a strategy or an
    enricher that needs a tool that `tools` does not hold.
    """
    chunker = _SpanChunker(CHUNKERS[settings.strategy](settings, tools), settings.digest)
    enrichers = enrichers_for(enrichment, tools)
    return Enriched(chunker, enrichers) if enrichers else chunker
