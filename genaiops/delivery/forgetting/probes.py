"""Looking for an erased document in every store: by its id, by passages of its text, and by its vectors."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from genaiops.delivery.caches import has_table, mark_used, told
from genaiops.delivery.forgetting.artefacts import LOG_FILE
from genaiops.delivery.forgetting.erasure import JOURNAL_FILE, Erasure, encodings
from genaiops.delivery.forgetting.finding import goes, mentions
from genaiops.delivery.forgetting.golden import cases_in, golden_files, golden_leftovers
from genaiops.delivery.forgetting.removing import needles
from genaiops.delivery.forgetting.runs import redacted
from genaiops.delivery.history import index_folders
from genaiops.delivery.receipts import Artefact, Probe
from genaiops.delivery.snapshots import read_chunks, vectors_in
from genaiops.errors import GenaiopsError
from genaiops.evaluation.records import Run
from genaiops.evaluation.runs import list_runs
from genaiops.files import TEMPORARY_PREFIX
from genaiops.flow.history import HISTORY_FILE
from genaiops.indexing import read_manifest
from genaiops.project import Project
from genaiops.promotion import load_release
from genaiops.records import as_json

if TYPE_CHECKING:
    from genaiops.embedding import Vectors

SAME = 0.9999  # cosine from which two vectors are of the same text; rounding moves it by less than 1e-5
_BLOCK = 1 << 24  # bytes of a file looked at at once


def probe_all(project: Project, erasure: Erasure, artefacts: Iterable[Artefact] = ()) -> tuple[Probe, ...]:
    """Every probe of every store. Nothing is changed. `artefacts` tell which indexes may be in no database."""
    gone = frozenset(item.before for item in artefacts if item.store == "index" and item.before != item.after)
    return (
        *_databases_by_id(gone),
        _indexes_by_id(project, erasure),
        _runs_by_id(project, erasure),
        _golden_by_id(project, erasure),
        _files_by_text(project, erasure),
        _golden_by_text(project, erasure),
        _indexes_by_vector(project, erasure),
        _cache_by_vector(project, erasure),
    )


# --- by id ------------------------------------------------------------------------


def _indexes_by_id(project: Project, erasure: Erasure) -> Probe:
    from genaiops.indexing.snapshot import read_documents_of

    def held(folder: Path) -> bool:
        documents = read_documents_of(folder)
        facts = read_manifest(folder).facts
        ids = {document.id for document in documents if goes(erasure, folder, document)}
        if str(facts.get("flow", "")) == erasure.flow:
            ids |= {chunk.document_id for chunk in read_chunks(folder)} & {erasure.document}
        return bool(ids) or mentions(facts, set(erasure.texts))

    return _probe("id", "indexes", index_folders(project), held)


def _databases_by_id(gone: frozenset[str]) -> tuple[Probe, ...]:
    """The replaced indexes in the database of vectors, where one is set."""
    from genaiops.indexing.postgres import URL_VARIABLE, store_url

    if not os.environ.get(URL_VARIABLE):
        return ()
    from genaiops.indexing.pgvector import stored_indexes

    held = stored_indexes(store_url())
    return (Probe("id", "indexes of the database", len(held), tuple(sorted(gone.intersection(held)))),)


def _runs_by_id(project: Project, erasure: Erasure) -> Probe:
    def held(folder: Path) -> bool:
        run = Run.load(folder)
        return redacted(erasure, run) is not run

    return _probe("id", "runs", list_runs(project.runs), held)


def _golden_by_id(project: Project, erasure: Erasure) -> Probe:
    files = golden_files(project)

    def held(path: Path) -> bool:
        mine = files[path] in erasure.flows
        cases = cases_in(path).values() if path.read_bytes().strip() else ()
        named = [item.document for case in cases for item in case.evidence]
        return mine and erasure.document in named

    return _probe("id", "golden sets", files, held)


# --- by text ----------------------------------------------------------------------


def _files_by_text(project: Project, erasure: Erasure) -> Probe:
    """Every byte of every file of the state folder, free pages of databases among them."""
    sought = needles(erasure)
    files = list(_files(project))
    found = [path.relative_to(project.home).as_posix() for path in files if _contains(path, sought)]
    others = {folder.name for folder in index_folders(project)} if found else set()
    # Another flow may have another document of the same id, and settings name sources: no trace of this one.
    hits = [name for name in found if not _is_anothers(project, erasure, name, others)]
    return Probe("text", "files of the state folder", len(files), tuple(hits))


def _golden_by_text(project: Project, erasure: Erasure) -> Probe:
    sought = tuple(form for text in erasure.samples() for form in encodings(text))
    files = (*golden_files(project), *golden_leftovers(project))
    return _probe("text", "golden sets", files, lambda path: _contains(path, sought))


def _is_anothers(project: Project, erasure: Erasure, name: str, indexes: set[str]) -> bool:
    path = project.home / name
    texts = tuple(form for text in erasure.samples() for form in encodings(text))
    parts = Path(name).parts
    half_done = any(part.startswith(TEMPORARY_PREFIX) for part in parts)  # nobody can say whose it is
    if half_done or _contains(path, texts):
        return False
    if parts[0] == "flows" and parts[-1] == HISTORY_FILE:
        return True  # it keeps flow.yaml as it was, which names files and pages, to read or to leave out
    if parts[0] == "indexes" and parts[1] in indexes:
        return str(read_manifest(project.indexes / parts[1]).facts.get("flow", "")) != erasure.flow
    if parts[0] == "runs":
        return Run.load(project.runs / parts[1]).subject.flow != erasure.flow
    if parts[0] == "releases":
        # What it serves was measured so: another filter would be another release, which nobody measured.
        release = as_json(load_release(project.releases, path.stem))
        return not mentions({**release, "served": {}}, set(erasure.texts))
    return False


def _files(project: Project) -> Iterator[Path]:
    for path in sorted(project.home.rglob("*")):
        if path.name not in (JOURNAL_FILE, LOG_FILE) and path.is_file() and not path.is_symlink():
            yield path


def _contains(path: Path, sought: tuple[bytes, ...]) -> bool:
    """Whether one of the byte strings is in a file, read in blocks that overlap by the longest of them."""
    overlap = max(map(len, sought), default=1)
    try:
        with path.open("rb") as stream:
            tail = b""
            while block := stream.read(_BLOCK):
                data = tail + block
                if any(needle in data for needle in sought):
                    return True
                tail = data[-overlap:]
    except FileNotFoundError:
        pass
    return False


# --- by vector --------------------------------------------------------------------


def _indexes_by_vector(project: Project, erasure: Erasure) -> Probe:
    """The nearest neighbours of the erased chunks, exactly. One of them that quotes a text which stays is no hit."""

    def held(folder: Path) -> bool:
        gone = erasure.vectors.get(read_manifest(folder).embedder)
        stored = vectors_in(folder) if gone is not None else None
        if gone is None or stored is None:
            return False
        near = _near(stored, gone)
        chunks = read_chunks(folder) if near else ()
        return any(erasure.is_of(chunks[at].document_id, chunks[at].text) for at in near)

    return _probe("vector", "indexes", index_folders(project), held)


def _cache_by_vector(project: Project, erasure: Erasure) -> Probe:
    """The nearest neighbours among the cached vectors that no snapshot holds."""
    import numpy as np

    if not project.cache.is_file():
        return Probe("vector", "cache", 0, ())
    reading = f"file:{project.cache}?mode=ro"
    with told(project.cache), closing(sqlite3.connect(reading, uri=True, timeout=30)) as db:
        if not has_table(db, "vectors"):
            return Probe("vector", "cache", 0, ())
        looked = int(db.execute("SELECT COUNT(*) FROM vectors").fetchone()[0])
        mark_used(db, index_folders(project))
        unused = db.execute("SELECT vector FROM vectors WHERE key NOT IN (SELECT key FROM used)").fetchall()
    hits = []
    for gone in erasure.vectors.values():
        size = 4 * gone.shape[1]
        rows = [np.frombuffer(blob[-size:], dtype=np.float32) for (blob,) in unused if len(blob) >= size]
        if rows and _near(np.stack(rows), gone):
            hits.append("vectors")
    return Probe("vector", "cache", looked, tuple(hits))


def _near(stored: Vectors, gone: Vectors) -> list[int]:
    """Positions of the stored vectors that lie within rounding of one that is gone."""
    import numpy as np

    if not len(stored) or stored.shape[1] != gone.shape[1]:
        return []
    found: list[int] = []
    for start in range(0, len(stored), 8192):  # blocks bound the memory
        best = (stored[start : start + 8192] @ gone.T).max(axis=1)
        found += [start + int(at) for at in np.nonzero(best >= SAME)[0]]
    return found


def _probe(by: str, store: str, items: Iterable[Path], held: Callable[[Path], bool]) -> Probe:
    """What cannot be read counts as a hit: nobody can say that it is clean."""
    hits, looked = [], 0
    for item in items:
        looked += 1
        try:
            if held(item):
                hits.append(item.name)
        except (GenaiopsError, OSError, ValueError) as error:
            hits.append(f"{item.name}: {type(error).__name__}")
    return Probe(by, store, looked, tuple(hits))
