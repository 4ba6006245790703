"""Any LangChain document loader, named in flow.yaml. It runs in this process, with all that this process may do."""

from __future__ import annotations

import importlib
import importlib.metadata
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from genaiops.documents.items import Item, Ready, utc
from genaiops.documents.listing import shown
from genaiops.documents.loading import Quarantined, plain, unix_lines
from genaiops.documents.settings import SourceSettings
from genaiops.documents.sources.reach import Reach, from_environment, hidden_of, masked, secrets_of, without
from genaiops.errors import ConfigurationError, SourceError
from genaiops.records import Document, Origin, digest_of

_IN_FLOW = "flow:"
_LONGEST_ID = 1024
_USER = re.compile(r"(?<=:)//[^/?#@\s]*@")


def documents_of(source: SourceSettings, reach: Reach) -> Iterator[Item | Ready | Quarantined]:
    """The documents that a loader yields, with the id `<metadata source>#<its own id, or its position there>`.

    An argument `flow:PATH` is that path in the flow's folder, an absolute one. ConfigurationError when the class
    is no loader or refuses its arguments, SourceError when it fails while loading.
    """
    given = _in_flow(source.arguments, reach.base)
    arguments = from_environment(given, "arguments")
    taken = secrets_of(given, arguments)
    hidden = hidden_of(taken)
    secrets = (*taken, *hidden)
    kind = _class(source.langchain)
    try:
        loader = kind(**arguments)
    except Exception as error:  # whatever a stranger's constructor raises
        raise ConfigurationError(
            f"{source.langchain} cannot be made: {_told(error, secrets)}", remedy="check its arguments"
        ) from None
    name = f"langchain {source.langchain} {_version(source.langchain)}".rstrip()
    positions: Counter[str] = Counter()
    loaded = iter(loader.lazy_load())
    while True:
        try:
            item = next(loaded)
        except StopIteration:
            return
        except Exception as error:
            raise SourceError(
                f"{source.langchain} broke off after {positions.total()} document(s): {_told(error, secrets)}",
                remedy="check its arguments and what it reads, then try again",
            ) from None
        place = _place(item, source, reach.base, hidden)
        positions[place] += 1
        key = without(hidden, str(getattr(item, "id", None) or positions[place]))
        yield _outcome(item, source, (place, key), name, reach.max_bytes, hidden)


def _class(full_name: str) -> Any:
    from langchain_core.document_loaders import BaseLoader

    module_name, _, class_name = full_name.rpartition(".")
    try:
        found = getattr(importlib.import_module(module_name), class_name, None)
    except ImportError as error:
        raise ConfigurationError(
            f"{full_name} cannot be imported: {error}", remedy="install its package, or put its folder on PYTHONPATH"
        ) from None
    if not (isinstance(found, type) and issubclass(found, BaseLoader)):
        raise ConfigurationError(
            f"{full_name} is no LangChain document loader",
            remedy="name a subclass of langchain_core.document_loaders.BaseLoader",
        )
    return found


def _in_flow(value: Any, base: Path) -> Any:
    if isinstance(value, dict):
        return {key: _in_flow(item, base) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_in_flow(item, base) for item in value]
    if isinstance(value, str) and value.startswith(_IN_FLOW):
        return str((base / value.removeprefix(_IN_FLOW)).resolve())
    return value


def _place(item: Any, source: SourceSettings, base: Path, hidden: tuple[str, ...]) -> str:
    """The `source` of a document's metadata, a path in the flow's folder relative to it; else the loader's name."""
    told = str(getattr(item, "metadata", {}).get("source") or "")
    place = _USER.sub("//", without(hidden, told)) if "://" in told else told
    if place and Path(place).is_absolute() and Path(place).resolve().is_relative_to(base.resolve()):
        place = Path(place).resolve().relative_to(base.resolve()).as_posix()
    return without(hidden, place) or source.name or source.langchain.rpartition(".")[2]


def _outcome(
    item: Any, source: SourceSettings, named: tuple[str, str], loader: str, max_bytes: int, hidden: tuple[str, ...]
) -> Ready | Quarantined:
    place, key = named
    document_id = f"{source.name}/{place}#{key}" if source.name and place != source.name else f"{place}#{key}"
    if not document_id.isprintable() or len(document_id) > _LONGEST_ID:
        return Quarantined(shown(document_id)[:_LONGEST_ID], f"its id must be 1 to {_LONGEST_ID} printable characters")
    document_id = shown(document_id)
    content = getattr(item, "page_content", None)
    if not isinstance(content, str):
        return Quarantined(document_id, f"its text must be a string, got {type(content).__name__}")
    text = unix_lines(content.replace("\0", ""))
    if not text or text.isspace():
        return Quarantined(document_id, "is empty", "empty")
    if len(text) > max_bytes:
        return Quarantined(document_id, f"is larger than documents.max_bytes={max_bytes} ({len(text)} characters)")
    try:
        text.encode()
        metadata = masked(hidden, plain({**item.metadata, **({"source": place} if "source" in item.metadata else {})}))
    except (ValueError, RecursionError) as error:
        return Quarantined(document_id, f"its metadata cannot be kept: {error}")
    modified = next((utc(metadata[key]) for key in ("modified", "last_modified") if metadata.get(key)), "")
    origin = Origin(source.langchain, loader, digest_of([text, metadata]), modified)
    return Ready(Document(document_id, text, metadata, origin), f"{source.langchain}, {place}")


def _version(full_name: str) -> str:
    """The version of the package that brings the loader, "" for a module of one's own."""
    package = full_name.partition(".")[0]
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _told(error: Exception, secrets: tuple[str, ...]) -> str:
    return without(secrets, f"{type(error).__name__}: {' '.join(str(error).split())}")[:300]
