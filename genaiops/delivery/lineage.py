"""Where an answer comes from: chunk, characters, document, source, settings, code, time, index and release."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from genaiops.delivery.forgetting import Receipt, erased_before
from genaiops.delivery.forgetting.runs import ERASED
from genaiops.delivery.history import PREFIX, index_folders
from genaiops.delivery.index_facts import IndexFacts, facts_of
from genaiops.delivery.reissued import Reissue, lead_to_successor, reissue_of
from genaiops.delivery.snapshots import read_chunks
from genaiops.delivery.sources_now import SourceNow, Sources
from genaiops.errors import ConfigurationError, GenaiopsError, IntegrityError, NotFound
from genaiops.evaluation.runs import find_run, list_runs
from genaiops.indexing import read_manifest, verify_files
from genaiops.project import Project
from genaiops.records import Answer, Chunk, Document, Edit, Metadata, Origin, as_json

LONGEST_ANSWER = 50_000_000  # bytes of a file


@dataclass(frozen=True, slots=True)
class ChunkLineage:
    """A chunk, where it lies in the clean document and in the text that was loaded, and where that came from.

    `confirmed` says whether the index holds this very text at this place; `cited` whether the answer cites it.
    `original` are the offsets in the loaded text, which differ from `start` and `end` where cleaning changed it;
    `edits` are the changes within the chunk. `origin` tells of the build, `now` of what lies there today (None where
    the source is no local file). `problem` says what could not be found. Of an `erased` document no text is given,
    whatever the answer that was handed in still holds of it.
    """

    chunk: str
    document: str
    start: int
    end: int
    text: str
    original: tuple[int, int] | None = None
    edits: tuple[Edit, ...] = ()
    document_digest: str = ""
    origin: Origin | None = None
    index: str = ""
    cited: bool = False
    confirmed: bool = False
    problem: str = ""
    now: SourceNow | None = None
    erased: bool = False


@dataclass(frozen=True, slots=True)
class AnswerFacts:
    """What is known of the answer itself; empty for a chunk alone. `run` and `case` name its record."""

    question: str = ""
    text: str = ""
    model: str = ""
    prompt: str = ""
    release: str = ""
    run: str = ""
    case: str = ""
    settings: Metadata | None = None  # of retrieval, prompt and generation, where a record or release holds them


@dataclass(frozen=True, slots=True)
class Lineage:
    """An answer (or a chunk) with every passage behind it and every index they lie in.

    `reissued` tells what stands in the place of the answer's index and release since a document was erased from them.
    """

    answer: AnswerFacts | None
    chunks: tuple[ChunkLineage, ...]
    indexes: tuple[IndexFacts, ...]
    reissued: tuple[Reissue, ...] = ()


def lineage_of(project: Project, what: str, *, case: str = "", read: Callable[[], str] | None = None) -> Lineage:
    """The lineage of a chunk (id or prefix), a file with an answer, `-` (what `read` gives), or RUN with a case.

    Raises NotFound that says where was looked, ConfigurationError for what is no answer.
    """
    if case:
        return _of_case(project, what, case)
    if what == "-" and read is not None:
        return _of_text(project, read(), "standard input")
    path = Path(what)
    if path.is_file():
        if path.stat().st_size > LONGEST_ANSWER:
            raise ConfigurationError(f"the file is larger than {LONGEST_ANSWER:,} bytes", where=path)
        return _of_text(project, path.read_text(encoding="utf-8", errors="replace"), str(path))
    if PREFIX.fullmatch(what) and len(what) <= 32:
        return _of_chunk(project, what)
    if any(folder.name == what for folder in list_runs(project.runs)):
        first = find_run(project.runs, what).results[0].case.id
        raise ConfigurationError(
            f"run {what} has many answers", remedy=f"name one: genaiops lineage {what} --case {shlex.quote(first)}"
        )
    _lead_on(project, what)
    raise NotFound(
        f"{what[:80]!r} is no chunk id, no file with an answer and no run",
        where=project.home,
        remedy="genaiops ask FLOW QUESTION --json > answer.json; genaiops lineage answer.json",
    )


def answer_lineage(project: Project, answer: Answer | Mapping[str, Any], facts: AnswerFacts | None = None) -> Lineage:
    """The lineage of an answer, also of one as `ask --json` prints it. ConfigurationError when a part is missing."""
    if isinstance(answer, Answer):
        return answer_lineage(project, as_json(answer), facts)
    try:
        index, release = str(answer["index"]), str(answer.get("release", ""))
        cited = {str(citation["chunk_id"]) for citation in answer["citations"]}
        hits = [Chunk(**hit["chunk"]) for hit in answer["hits"]]
        told = facts or AnswerFacts()
        told = replace(
            told, question=str(answer["query"]["text"]), text=str(answer["text"]), model=str(answer["model"]),
            prompt=str(answer["prompt"]), release=release,
        )  # fmt: skip
    except (KeyError, TypeError, AttributeError) as error:
        raise ConfigurationError(
            f"this is no answer of ours ({type(error).__name__}: {error})", remedy="give what ask --json printed"
        ) from None
    if told.settings is None and told.release:
        told = replace(told, settings=_served(project, told.release))
    held = _Documents(project)
    past = [reissue_of(project, name, (store,)) for store, name in (("index", index), ("release", release)) if name]
    now = past[0].after if past and past[0] is not None and past[0].after else index
    chunks = tuple(replace(_traced(held, now, hit), cited=hit.id in cited) for hit in hits)
    ordered = sorted(chunks, key=lambda item: not item.cited)
    if any(chunk.erased and (chunk.cited or not cited) for chunk in chunks):
        told = replace(told, text=ERASED)
    return Lineage(told, tuple(ordered), facts_of(project, [now]), tuple(one for one in past if one is not None))


# --- what was named ---------------------------------------------------------------


def _of_text(project: Project, text: str, where: str) -> Lineage:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise ConfigurationError("this is not JSON", where=where, remedy="give what ask --json printed") from None
    if not isinstance(data, dict):
        raise ConfigurationError("this is no answer of ours", where=where, remedy="give what ask --json printed")
    return answer_lineage(project, data)


def _of_case(project: Project, run_id: str, case: str) -> Lineage:
    try:
        run = find_run(project.runs, run_id)
    except NotFound:
        again = f"genaiops lineage {{}} --case {shlex.quote(case)}"
        lead_to_successor(project, run_id, again, stores=("run",))
        raise
    result = next((result for result in run.results if result.case.id == case), None)
    if result is None:
        shown = ", ".join(result.case.id for result in run.results[:5])
        raise NotFound(f"run {run.id} has no case {case!r}", where=project.runs / run.id, remedy=f"it has {shown}, …")
    if result.answer is None:
        raise NotFound(f"case {case!r} of run {run.id} got no answer: {result.error}")
    facts = AnswerFacts(run=run.id, case=case, settings=run.subject.settings)
    return answer_lineage(project, as_json(result.answer), facts)


def _lead_on(project: Project, what: str) -> None:
    """Raise NotFound for the id of an index, a release or a run that is one, or was one before an erasure."""
    if not PREFIX.fullmatch(what) and not what[:1].isdigit():
        return
    lead_to_successor(project, what, "{} stands in its place; a lineage begins at an answer, a chunk or a run's case")
    if PREFIX.fullmatch(what) and any(folder.name.startswith(what) for folder in index_folders(project)):
        raise NotFound(
            f"{what[:12]} is an index, and a lineage begins at an answer or a chunk",
            where=project.indexes,
            remedy="genaiops indexes tells of the index, genaiops chunks FLOW lists the chunks of a flow's",
        )


def _of_chunk(project: Project, prefix: str) -> Lineage:
    """A chunk in every index that holds it; those look the same but for the index."""
    found: dict[str, list[tuple[str, Chunk]]] = {}
    for folder in index_folders(project):
        for chunk in _chunks(folder) or ():
            if chunk.id.startswith(prefix):
                found.setdefault(chunk.id, []).append((folder.name, chunk))
    if not found:
        _lead_on(project, prefix)
        raise NotFound(
            f"no index holds a chunk {prefix}",
            where=project.indexes,
            remedy=f"looked in {len(index_folders(project))} indexes; genaiops chunks FLOW lists ids. A passage that "
            "retrieval.expand widened has an id of its own: give the answer that holds it",
        )
    if len(found) > 1:
        raise ConfigurationError(f"{len(found)} chunks start with {prefix}", remedy="give more digits")
    places = next(iter(found.values()))
    held = _Documents(project)
    chunks = tuple(_traced(held, index, chunk) for index, chunk in places)
    return Lineage(None, chunks, facts_of(project, [index for index, _ in places]))


# --- tracing ----------------------------------------------------------------------


def _traced(held: _Documents, index: str, chunk: Chunk) -> ChunkLineage:
    """From a chunk to its document and source, each step checked against what the index holds."""
    known = ChunkLineage(chunk.id, chunk.document_id, chunk.start, chunk.end, chunk.text, index=index)
    try:
        document = held.of(index).get(chunk.document_id)
    except GenaiopsError as error:
        return _without(held, known, f"index {index[:12]}: {error.what} (looked in {error.where})")
    if document is None:
        return _without(held, known, f"index {index[:12]} holds no document {chunk.document_id!r}")
    edits = tuple(edit for edit in document.edits if edit.start < chunk.end and edit.end > chunk.start)
    same = document.text[chunk.start : chunk.end] == chunk.text
    return replace(
        known,
        original=original_span(document.edits, chunk.start, chunk.end),
        edits=edits,
        document_digest=document.digest,
        origin=document.origin,
        confirmed=same,
        problem="" if same else "the document has another text at this place",
        now=held.sources.now(index, document.id, document.origin) if document.origin else None,
    )


def _without(held: _Documents, known: ChunkLineage, problem: str) -> ChunkLineage:
    """What is left to say of a chunk whose document is not there; of an erased one not even its text."""
    past = held.erased(known.document)
    if past is None:
        return replace(known, problem=problem)
    return replace(known, text=ERASED, erased=True, problem=f"its document was erased (receipt {past.sequence})")


def original_span(edits: Sequence[Edit], start: int, end: int) -> tuple[int, int]:
    """Where `[start, end)` of a clean text lies in the text that was loaded; an edit it touches counts whole."""
    return _original(edits, start, last=False), _original(edits, end, last=True)


def _original(edits: Sequence[Edit], position: int, *, last: bool) -> int:
    """Between edits both texts run alike, so an offset is that of the nearest edit before it."""
    found = position
    for edit in edits:
        if edit.start > position or (edit.start == position and last):
            break
        inside = position < edit.end
        if inside:
            return edit.original_end if last else edit.original_start
        found = edit.original_end + position - edit.end
    return found


class _Documents:
    """The documents of indexes by id, each index read once for one lineage."""

    def __init__(self, project: Project) -> None:
        self.sources = Sources(project)
        self._project = project
        self._read: dict[str, Mapping[str, Document]] = {}

    def erased(self, document: str) -> Receipt | None:
        """The receipt of an erased document that has not come back."""
        return erased_before(self._project, document=document)

    def of(self, index: str) -> Mapping[str, Document]:
        """Raises NotBuilt or IntegrityError."""
        from genaiops.indexing.snapshot import read_documents_of

        if index not in self._read:
            documents = read_documents_of(self._project.indexes / index)
            self._read[index] = {document.id: document for document in documents}
        return self._read[index]


def _chunks(folder: Path) -> Iterable[Chunk] | None:
    try:
        verify_files(folder, read_manifest(folder).files)
        return read_chunks(folder)
    except (GenaiopsError, OSError):
        return None


def _served(project: Project, release: str) -> Metadata | None:
    from genaiops.promotion import load_release

    try:
        return load_release(project.releases, release).served
    except (NotFound, IntegrityError):
        return None
