"""Why an index does not hold a quote: no source has it, or loading and cleansing lost it."""

from __future__ import annotations

import html
import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from genaiops.cleansing import cleaner_for
from genaiops.documents.items import Item, Raw
from genaiops.documents.listing import matcher
from genaiops.documents.loading import Limits
from genaiops.documents.reading import LOADERS
from genaiops.documents.settings import URL
from genaiops.documents.sources import Reach, items_of
from genaiops.errors import GenaiopsError
from genaiops.evaluation.records import Failure
from genaiops.flow import FlowSettings
from genaiops.flow.tombstones import blocked
from genaiops.project import Project
from genaiops.records import Document, Evidence

_KNOBS = {  # what an edit says it is → the setting that asked for it
    "redacted": "documents.redact",
    "boilerplate": "cleansing.boilerplate",
    "encoding": "cleansing.encoding",
    "whitespace": "cleansing.whitespace",
    "invisible": "cleansing.invisible",
}
_REFUSED = {  # how the reason of a quarantine begins → what to do about it
    "holds a secret": "the document: take the secret out",
    "speaks to a model": "cleansing.injections",
    "says the same": "cleansing.duplicates",
    "took longer": "documents.parse_timeout_s",
}
_TAG = re.compile(r"<[^>]*>")
_OPAQUE = (".pdf",)  # whose bytes do not spell their text


def lost_before_the_index(
    evidence: Evidence,
    *,
    project: Project,
    settings: FlowSettings,
    base: Path,
    indexed: bool,
    quarantined: Mapping[str, str],
) -> Failure:
    """`corpus` when no source holds the quote (any more), `parser` when loading or cleansing lost it.

    `indexed`: the index has the document, without the quote. `quarantined` are the reasons of what the build left
    out. Only files of this machine are read; of other sources it is said that nobody looked.
    """
    name = evidence.document
    file = name.partition("#")[0]
    if reason := quarantined.get(name) or quarantined.get(file):
        knob = next((knob for begin, knob in _REFUSED.items() if reason.startswith(begin)), "the document")
        return Failure("parser", f"{name} was left out by the build: {reason}", knob)
    if blocked(project)(Document(name, "")):
        return Failure("corpus", f"{name} was erased and may not come back", "genaiops forget")
    item = _local_item(file, settings, base)
    if item is None:
        return _in_no_source(name, settings, base, indexed=indexed)
    try:
        return _lost_in(item.read(), evidence, settings)
    except GenaiopsError as error:
        return Failure("parser", f"{name} cannot be read: {error.what}", "the document")


def _lost_in(raw: Raw, evidence: Evidence, settings: FlowSettings) -> Failure:
    """What became of the quote between the bytes of its file and the index."""
    name = evidence.document
    loaded = _loaded(raw, name.partition("#")[0], settings).get(name)
    if loaded is not None and evidence.quote in loaded.text:
        return _cleansed_away(evidence.quote, loaded, settings)
    loader = f"the document (loader of {raw.suffix})"
    if _flat(evidence.quote) in _flat(_raw_text(raw, settings.documents.max_bytes)):
        return Failure("parser", f"the file of {name} holds it, the text read from it does not", loader)
    if raw.suffix in _OPAQUE:
        told = f"the text read from {name} does not hold it; whether its pages show it cannot be told"
        return Failure("parser", told, loader)
    return Failure("corpus", f"the file of {name} does not hold the quote", "documents.sources, or the golden case")


def _cleansed_away(quote: str, loaded: Document, settings: FlowSettings) -> Failure:
    outcome = cleaner_for(settings.cleansing, settings.documents.redact).clean(loaded)
    if not isinstance(outcome, Document):
        knob = next((knob for begin, knob in _REFUSED.items() if outcome.reason.startswith(begin)), "cleansing")
        return Failure("parser", f"cleansing refuses {loaded.id}: {outcome.reason}", knob)
    if quote not in outcome.text:
        start = loaded.text.find(quote)
        touched = [e.kind for e in outcome.edits if e.original_start < start + len(quote) and e.original_end > start]
        kinds = list(dict.fromkeys(touched))
        knobs = dict.fromkeys(_KNOBS.get(kind.partition(":")[0], "cleansing") for kind in kinds)
        told = f"cleansing changed it in {loaded.id} ({', '.join(kinds) or 'nobody noted how'})"
        return Failure("parser", told, ", ".join(knobs) or "cleansing")
    if settings.cleansing.boilerplate is not None:
        told = f"{loaded.id} holds it until lines that many documents share are taken out"
        return Failure("parser", told, "cleansing.boilerplate")
    return Failure("corpus", f"{loaded.id} holds it now; the index was built before", "genaiops build")


def _in_no_source(name: str, settings: FlowSettings, base: Path, *, indexed: bool) -> Failure:
    others = [str(source) for source in settings.documents.sources if not _is_local(source.kind, source.path)]
    for source in settings.documents.sources:
        if _is_local(source.kind, source.path) and (base / source.path / name.partition("#")[0]).is_file():
            wanted = matcher(settings.documents.include, ())(name)
            knob = "documents.exclude" if wanted else "documents.include"
            return Failure("corpus", f"the file of {name} is there, but {knob} leaves it out", knob)
    held = f"the indexed document {name} does not hold it" if indexed else f"no source has a document {name}"
    if others:
        held += f" ({', '.join(others)}: not read again, so its parser may have lost it too)"
    return Failure("corpus", held, "documents.sources")


def _local_item(file: str, settings: FlowSettings, base: Path) -> Item | None:
    documents = settings.documents
    reach = Reach(base, documents.max_bytes, documents.include, documents.exclude, tuple(LOADERS))
    for source in documents.sources:
        if not _is_local(source.kind, source.path):
            continue
        try:
            for item in items_of(source, reach):
                if isinstance(item, Item) and item.document_id == file:
                    return item
        except GenaiopsError:  # a source that is gone holds nothing
            continue
    return None


def _is_local(kind: str, path: str) -> bool:
    return kind == "path" and (not URL.match(path) or path.lower().startswith(("file://", "local://")))


def _loaded(raw: Raw, file: str, settings: FlowSettings) -> dict[str, Document]:
    """The documents of one file as its loader gives them, before anything is cleaned."""
    from genaiops.documents.limited import InChild

    documents = settings.documents
    loader = LOADERS[raw.suffix](Limits(documents.parse_timeout_s, documents.parse_memory_mb, documents.max_bytes))
    try:
        return {document.id: document for document in loader.load(raw.content, file).documents}
    finally:
        if isinstance(loader, InChild):
            loader.close()


def _raw_text(raw: Raw, most: int) -> str:
    """The text that a file's bytes spell, marks and all: of an office file, that of its XML parts."""
    if zipfile.is_zipfile(io.BytesIO(raw.content)):
        return " ".join(_xml_parts(raw.content, most))
    return raw.content.decode("utf-8", errors="replace")


def _xml_parts(content: bytes, most: int) -> Iterator[str]:
    """The XML parts of an office file, `most` bytes in all: a small file may hold gigabytes."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for part in archive.infolist():
                if part.filename.endswith(".xml") and most > 0:
                    with archive.open(part) as stream:
                        data = stream.read(most)
                    most -= len(data)
                    yield data.decode("utf-8", errors="replace")
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError):
        return


def _flat(text: str) -> str:
    """Without tags, entities and white space, in which a source and its text differ."""
    return "".join(html.unescape(_TAG.sub("", text)).split())
