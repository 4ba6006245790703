"""Where documents come from: `items_of(source, reach)` lists what a source holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from genaiops.documents.items import Item, Ready
from genaiops.documents.loading import Quarantined
from genaiops.documents.settings import SourceSettings
from genaiops.documents.sources.paths import items_of_path
from genaiops.documents.sources.reach import Reach
from genaiops.errors import ConfigurationError

Listing = Callable[[SourceSettings, Reach], Iterator[Item | Ready | Quarantined]]


def _web(source: SourceSettings, reach: Reach) -> Iterator[Item | Ready | Quarantined]:
    from genaiops.documents.sources.web import pages_of

    return pages_of(source, reach)


def _sql(source: SourceSettings, reach: Reach) -> Iterator[Item | Ready | Quarantined]:
    from genaiops.documents.sources.sql import rows_of

    return rows_of(source, reach)


def _langchain(source: SourceSettings, reach: Reach) -> Iterator[Item | Ready | Quarantined]:
    from genaiops.documents.sources.langchain import documents_of

    return documents_of(source, reach)


# Each is imported when a flow uses it.
SOURCES: Mapping[str, Listing] = {"path": items_of_path, "web": _web, "sql": _sql, "langchain": _langchain}


def items_of(source: SourceSettings, reach: Reach) -> Iterator[Item | Ready | Quarantined]:
    """Everything a source holds that can be a document.

    ConfigurationError when it is missing or holds nothing, SourceError when it cannot be reached.
    """
    empty = True
    for item in SOURCES[source.kind](source, reach):
        empty = False
        yield item
    if empty:
        raise ConfigurationError(f"no document in source {str(source)!r}", remedy="check documents.sources")


__all__ = ["SOURCES", "Reach", "items_of"]
