"""Files become clean documents: `read_documents(settings, base)`."""

from genaiops.documents.loading import Corpus, Limits, Loader, Quarantined
from genaiops.documents.reading import LOADERS, DocumentSettings, read_documents

__all__ = ["LOADERS", "Corpus", "DocumentSettings", "Limits", "Loader", "Quarantined", "read_documents"]
