"""A query becomes ranked hits. `retrieval.retrievers` does it (and imports numpy); the settings are light."""

from genaiops.retrieval.settings import RerankSettings, RetrievalSettings, Retriever

__all__ = ["RerankSettings", "RetrievalSettings", "Retriever"]
