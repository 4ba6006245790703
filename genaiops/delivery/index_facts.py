"""What is known of the index a chunk lies in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from genaiops.delivery.released import released
from genaiops.errors import GenaiopsError
from genaiops.flow.history import all_histories
from genaiops.indexing import Manifest, read_manifest
from genaiops.project import Project
from genaiops.records import Metadata


@dataclass(frozen=True, slots=True)
class IndexFacts:
    """The index a chunk lies in. `settings` decide its id, `facts` are of the build: model, precision, machine.

    `code` is the version of genaiops that built it, `built_at` ISO 8601 in UTC, `releases` those that serve it.
    """

    id: str
    flow: str
    built_at: str
    code: str
    settings: Metadata
    facts: Metadata
    releases: tuple[str, ...]


def facts_of(project: Project, indexes: Iterable[str]) -> tuple[IndexFacts, ...]:
    """Those of each index once, in order; of one that was removed what the history tells."""
    releases = released(project)
    found = []
    for index in dict.fromkeys(indexes):
        serving = tuple(item.digest for item in releases if item.index == index)
        try:
            manifest = read_manifest(project.indexes / index)
            found.append(_of_manifest(manifest, serving))
        except GenaiopsError:  # removed: the history may still tell
            built = next((item for item in reversed(all_histories(project)) if item.index == index), None)
            if built is not None:
                name = str(built.settings.get("name", ""))
                found.append(IndexFacts(index, name, built.built_at, "", built.inputs, {}, serving))
    return tuple(found)


def _of_manifest(manifest: Manifest, releases: tuple[str, ...]) -> IndexFacts:
    facts = dict(manifest.facts)
    flow, built_at, code = (str(facts.pop(key, "")) for key in ("flow", "built_at", "genaiops"))
    return IndexFacts(manifest.id, flow, built_at, code, manifest.inputs, facts, releases)
