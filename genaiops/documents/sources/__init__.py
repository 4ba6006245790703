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


SOURCES: Mapping[str, Listing] = {"path": items_of_path}


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
