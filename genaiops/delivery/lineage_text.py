"""A lineage in lines, for people."""

from __future__ import annotations

import json
from functools import partial

from genaiops.delivery.lineage import ChunkLineage, Lineage
from genaiops.display import one_line
from genaiops.records import as_json

_one_line = partial(one_line, limit=160)


def tree(found: Lineage) -> str:
    """The lineage as lines of text, each step under the one it leads from."""
    lines = []
    if found.answer is not None:
        answer = found.answer
        of = f" of run {answer.run}, case {answer.case}" if answer.run else ""
        lines.append(f"answer{of}: {_one_line(answer.text)}")
        lines.append(f"  question: {_one_line(answer.question)}")
        lines.append(f"  model {answer.model}, prompt {answer.prompt}, release {answer.release[:12] or 'none'}")
    lines += [f"  {one}" for one in found.reissued]
    for item in found.chunks:
        lines += _lines_of(item)
    for index in found.indexes:
        lines.append(f"index {index.id} of {index.flow or 'unknown'}")
        lines.append(f"  built {index.built_at or 'at an unknown time'} by genaiops {index.code or 'unknown'}")
        lines += [f"  {key}: {_one_line(json.dumps(as_json(value)))}" for key, value in sorted(index.settings.items())]
        lines += [f"  {key}: {_one_line(json.dumps(as_json(value)))}" for key, value in sorted(index.facts.items())]
        lines.append(f"  served by {', '.join(name[:12] for name in index.releases) or 'no release'}")
    return "\n".join(lines)


def _lines_of(item: ChunkLineage) -> list[str]:
    lines = [f"{'cited ' if item.cited else ''}chunk {item.chunk}: {_one_line(item.text)}"]
    lines.append(
        f"  characters {item.start}-{item.end} of {item.document}, document {item.document_digest[:12] or '?'}"
    )
    if item.original is not None and item.original != (item.start, item.end):
        kinds = ", ".join(sorted({edit.kind for edit in item.edits})) or "before it"
        lines.append(f"  characters {item.original[0]}-{item.original[1]} of what was loaded (edits: {kinds})")
    if item.origin is not None:
        origin = item.origin
        changed = f", then dated {origin.modified}" if origin.modified else ""
        lines.append(f"  read from {origin.source} by {origin.loader}, content {origin.content[:12]}{changed}")
    if item.now is not None:
        lines.append(f"  now: {item.now}")
    lines.append(f"  in index {item.index[:12]}: {'confirmed' if item.confirmed else item.problem}")
    return lines
