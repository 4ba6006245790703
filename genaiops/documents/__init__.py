"""Files, pages and rows become clean documents: `read_documents(settings, base)`."""

from genaiops.documents.cache import forget_parsed
from genaiops.documents.labels import SENSITIVITIES
from genaiops.documents.loading import Clean, Corpus, Limits, Loader, Quarantined
from genaiops.documents.reading import LOADERS, iter_documents, read_documents
from genaiops.documents.settings import DocumentSettings, SourceSettings

__all__ = [
    "LOADERS",
    "SENSITIVITIES",
    "Clean",
    "Corpus",
    "DocumentSettings",
    "Limits",
    "Loader",
    "Quarantined",
    "SourceSettings",
    "forget_parsed",
    "iter_documents",
    "read_documents",
]
