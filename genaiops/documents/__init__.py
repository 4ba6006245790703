"""Files, pages and rows become clean documents: `read_documents(settings, base)`."""

from typing import TYPE_CHECKING

from genaiops.lazy import lazily

if TYPE_CHECKING:
    from genaiops.documents.cache import forget_parsed as forget_parsed
    from genaiops.documents.loading import Clean as Clean
    from genaiops.documents.loading import Corpus as Corpus
    from genaiops.documents.loading import Limits as Limits
    from genaiops.documents.loading import Loader as Loader
    from genaiops.documents.loading import Quarantined as Quarantined
    from genaiops.documents.reading import LOADERS as LOADERS
    from genaiops.documents.reading import iter_documents as iter_documents
    from genaiops.documents.reading import read_documents as read_documents
    from genaiops.documents.settings import DocumentSettings as DocumentSettings
    from genaiops.documents.settings import SourceSettings as SourceSettings

# A question needs the settings alone, so everything is imported when it is first asked for.
__getattr__, __all__ = lazily(
    __name__,
    {
        "cache": "forget_parsed",
        "loading": "Clean Corpus Limits Loader Quarantined",
        "reading": "LOADERS iter_documents read_documents",
        "settings": "DocumentSettings SourceSettings",
    },
)
