"""A query becomes ranked hits. `retrieval.retrievers` does it (and imports numpy); the settings are light."""

from genaiops.retrieval.settings import RetrievalSettings, Retriever

__all__ = ["RetrievalSettings", "Retriever"]
