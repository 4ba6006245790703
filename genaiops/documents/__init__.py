"""Files, pages and rows become clean documents: `read_documents(settings, base)`."""

from typing import TYPE_CHECKING

from genaiops.lazy import lazily

if TYPE_CHECKING:
    from genaiops.documents.cache import forget_parsed
    from genaiops.documents.loading import Clean, Corpus, Limits, Loader, Quarantined
    from genaiops.documents.reading import LOADERS, iter_documents, read_documents
    from genaiops.documents.settings import DocumentSettings, SourceSettings

# A question needs the settings alone, so everything is imported when it is first asked for.
_HOMES = {
    "forget_parsed": "cache",
    "Clean": "loading",
    "Corpus": "loading",
    "Limits": "loading",
    "Loader": "loading",
    "Quarantined": "loading",
    "LOADERS": "reading",
    "iter_documents": "reading",
    "read_documents": "reading",
    "DocumentSettings": "settings",
    "SourceSettings": "settings",
}
__all__ = [
    "LOADERS",
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
__getattr__ = lazily(__name__, _HOMES)
