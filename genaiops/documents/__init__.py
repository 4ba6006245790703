"""Files, pages and rows become clean documents: `read_documents(settings, base)`."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from genaiops.documents.cache import forget_parsed
    from genaiops.documents.labels import SENSITIVITIES
    from genaiops.documents.loading import Clean, Corpus, Limits, Loader, Quarantined
    from genaiops.documents.reading import LOADERS, iter_documents, read_documents
    from genaiops.documents.settings import DocumentSettings, SourceSettings

# A question needs the settings alone, so everything is imported when it is first asked for.
_PLACES = {
    "forget_parsed": "genaiops.documents.cache",
    "SENSITIVITIES": "genaiops.documents.labels",
    "Clean": "genaiops.documents.loading",
    "Corpus": "genaiops.documents.loading",
    "Limits": "genaiops.documents.loading",
    "Loader": "genaiops.documents.loading",
    "Quarantined": "genaiops.documents.loading",
    "LOADERS": "genaiops.documents.reading",
    "iter_documents": "genaiops.documents.reading",
    "read_documents": "genaiops.documents.reading",
    "DocumentSettings": "genaiops.documents.settings",
    "SourceSettings": "genaiops.documents.settings",
}
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


def __getattr__(name: str) -> object:
    if name in _PLACES:
        return getattr(import_module(_PLACES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
