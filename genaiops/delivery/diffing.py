"""What differs between two indexes: documents, chunks, settings, and what is found for the same questions."""

from __future__ import annotations

import difflib
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from genaiops.configuration import leaves
from genaiops.delivery.reissued import reissue_of
from genaiops.errors import ConfigurationError, NotFound
from genaiops.golden_sets.json_lines import read_each
from genaiops.indexing import Manifest, read_manifest, verify_files
from genaiops.indexing.manifest import CHUNKS_FILE
from genaiops.project import Project
from genaiops.promotion import Change
from genaiops.records import as_json

if TYPE_CHECKING:
    from genaiops.flow import Flow
    from genaiops.records import Hit

_NOT_SETTINGS = ("documents", "full_text", "format")


@dataclass(frozen=True, slots=True)
class ChunkChange:
    """A chunk of one index, by document and span. In a pair, `before` and `after` are where and what it was and is."""

    document: str
    before: tuple[int, int, str] | None  # start, end, text
    after: tuple[int, int, str] | None


@dataclass(frozen=True, slots=True)
class QuestionChange:
    """A question whose best k hits differ. `gone` and `new` are the hits (document, start, end) of one side only.

    Two hits are the same when they lie in one document and share at least half of the shorter span.
    """

    question: str
    gone: tuple[tuple[str, int, int], ...]
    new: tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True)
class IndexDiff:
    """`moved` counts the chunks whose text is the same at another place. `questions` is None where none were asked.

    `asked` says how many were; `not_asked` why they could not be.
    """

    before: str
    after: str
    documents_added: tuple[str, ...]
    documents_changed: tuple[str, ...]
    documents_gone: tuple[str, ...]
    chunks_added: tuple[ChunkChange, ...]
    chunks_changed: tuple[ChunkChange, ...]
    chunks_gone: tuple[ChunkChange, ...]
    moved: int
    settings: tuple[Change, ...]
    asked: int = 0
    not_asked: str = ""
    questions: tuple[QuestionChange, ...] | None = None

    @property
    def same(self) -> bool:
        """Whether both hold the same chunks of the same documents, made by the same settings."""
        return not (
            self.documents_added or self.documents_changed or self.documents_gone or self.chunks_added
            or self.chunks_changed or self.chunks_gone or self.moved or self.settings
        )  # fmt: skip


def diff_indexes(
    project: Project, before: str, after: str, *, flow: Flow | None = None, questions: Sequence[str] = ()
) -> IndexDiff:
    """Compare two indexes (full ids). `questions` are put to both with the retrieval settings of `flow`.

    Raises NotBuilt or IntegrityError when one cannot be read, NotFound for one that an erasure issued again: its
    successor is named.
    """
    from genaiops.indexing.snapshot import read_documents_of

    _lead_to_successors(project, before, after)
    folders = project.indexes / before, project.indexes / after
    manifests = read_manifest(folders[0]), read_manifest(folders[1])
    old, new = ({document.id: document.digest for document in read_documents_of(folder)} for folder in folders)
    added, changed, gone, moved = _compared(_chunks_of(folders[0], manifests[0]), _chunks_of(folders[1], manifests[1]))
    asked, why, answers = _asked(flow, manifests, questions)
    return IndexDiff(
        before,
        after,
        tuple(sorted(new.keys() - old.keys())),
        tuple(sorted(name for name in new.keys() & old.keys() if new[name] != old[name])),
        tuple(sorted(old.keys() - new.keys())),
        added,
        changed,
        gone,
        moved,
        _settings_changes(*manifests),
        asked,
        why,
        answers,
    )


def _lead_to_successors(project: Project, *names: str) -> None:
    gone = {name: reissue_of(project, name, ("index",)) for name in names if not (project.indexes / name).is_dir()}
    told = [one for one in gone.values() if one is not None]
    if not told:
        return
    now = [one.after if (one := gone.get(name)) is not None else name for name in names]
    if not all(now):
        remedy = "nothing is left in its place"
    elif now[0] == now[1]:
        remedy = f"both names lead to index {now[0][:12]} now, so nothing is left to compare"
    else:
        remedy = f"genaiops diff {' '.join(name[:12] for name in now)}"
    raise NotFound("; ".join(map(str, told)), where=project.indexes, remedy=remedy)


def read_questions(path: Path) -> tuple[str, ...]:
    """The questions of a JSON-lines file: `text` or `question` of each line. ConfigurationError names the line."""

    def read(data: dict[str, object]) -> str:
        text = data.get("text", data.get("question"))
        if not isinstance(text, str) or not text.strip():
            raise ValueError("text or question is needed, and must not be empty")
        return text

    found = read_each(path, "file of questions", ConfigurationError, read, only=("text", "question"))
    if not found:
        raise ConfigurationError("there is no question in this file", where=path)
    return tuple(found)


# --- chunks -----------------------------------------------------------------------

_Span = tuple[int, int, str]


def _chunks_of(folder: Path, manifest: Manifest) -> Mapping[str, list[_Span]]:
    verify_files(folder, manifest.files)
    found: dict[str, list[_Span]] = defaultdict(list)
    with (folder / CHUNKS_FILE).open(encoding="utf-8") as stream:
        for line in stream:
            row = json.loads(line)
            found[row["document_id"]].append((row["start"], row["end"], row["text"]))
    return found


def _compared(
    before: Mapping[str, list[_Span]], after: Mapping[str, list[_Span]]
) -> tuple[tuple[ChunkChange, ...], tuple[ChunkChange, ...], tuple[ChunkChange, ...], int]:
    """Added, changed and gone chunks, and how many only moved."""
    added: list[ChunkChange] = []
    changed: list[ChunkChange] = []
    gone: list[ChunkChange] = []
    moved = 0
    for document in sorted({*before, *after}):
        old, new = before.get(document, []), after.get(document, [])
        if old == new:
            continue
        matcher = difflib.SequenceMatcher(None, [c[2] for c in old], [c[2] for c in new], autojunk=False)
        for kind, i, j, k, m in matcher.get_opcodes():
            if kind == "equal":
                moved += sum(1 for a, b in zip(old[i:j], new[k:m], strict=True) if a != b)
                continue
            # What stands between the same two neighbours was changed; the rest of the longer side came or went.
            pairs = min(j - i, m - k)
            changed += [ChunkChange(document, old[i + n], new[k + n]) for n in range(pairs)]
            gone += [ChunkChange(document, chunk, None) for chunk in old[i + pairs : j]]
            added += [ChunkChange(document, None, chunk) for chunk in new[k + pairs : m]]
    return tuple(added), tuple(changed), tuple(gone), moved


def _settings_changes(before: Manifest, after: Manifest) -> tuple[Change, ...]:
    sides = [dict(leaves({**as_json(m.inputs), "model": m.facts.get("model")})) for m in (before, after)]
    keys = sorted({*sides[0], *sides[1]})
    differing = [key for key in keys if key not in _NOT_SETTINGS and sides[0].get(key) != sides[1].get(key)]
    return tuple(Change(key, sides[0].get(key), sides[1].get(key)) for key in differing)


# --- questions --------------------------------------------------------------------


def _asked(
    flow: Flow | None, manifests: tuple[Manifest, Manifest], questions: Sequence[str]
) -> tuple[int, str, tuple[QuestionChange, ...] | None]:
    if not questions:
        return 0, "", None
    if flow is None:
        raise ConfigurationError("questions need the flow that asks them", remedy="give --flow FLOW")
    ours = flow.embedder.fingerprint
    strange = [m.id[:12] for m in manifests if m.embedder != ours]
    if strange:
        return 0, f"index {' and '.join(strange)} was made with another embedder than flow {flow.name} uses", None
    first, second = (flow.pipeline_of(manifest.id) for manifest in manifests)
    changes = []
    for question in questions:
        old, new = first.search(question), second.search(question)
        gone, came = _unmatched(old, new), _unmatched(new, old)
        if gone or came:
            changes.append(QuestionChange(question, gone, came))
    return len(questions), "", tuple(changes)


def _unmatched(hits: Sequence[Hit], others: Sequence[Hit]) -> tuple[tuple[str, int, int], ...]:
    return tuple(
        (hit.chunk.document_id, hit.chunk.start, hit.chunk.end)
        for hit in hits
        if not any(_same_place(hit, other) for other in others)
    )


def _same_place(one: Hit, other: Hit) -> bool:
    if one.chunk.document_id != other.chunk.document_id:
        return False
    common = min(one.chunk.end, other.chunk.end) - max(one.chunk.start, other.chunk.start)
    return 2 * common >= max(1, min(one.chunk.end - one.chunk.start, other.chunk.end - other.chunk.start))
