"""Builds of a small project with any embedder, and what can be seen of them on disk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from genaiops.embedding import CorpusEmbedder
from genaiops.embedding.protocol import silent
from genaiops.flow.building import BuildReport, build_index, current_index
from genaiops.flow.settings import read_flow
from genaiops.indexing.snapshot import Index, load_index
from genaiops.project import Project
from tests.small_project import SmallProject


def build(
    project: SmallProject,
    embedder: CorpusEmbedder,
    *,
    overrides: Sequence[str] = (),
    full: bool = False,
    strict: bool = False,
) -> BuildReport:
    return build_index(
        Project.find(project.root),
        read_flow(project.flow, overrides).settings,
        project.flow,
        embedder,
        full=full,
        strict=strict,
        progress=silent,
    )


def current(project: SmallProject) -> Path:
    """The folder of the index that is current for the flow as it stands."""
    found = Project.find(project.root)
    return found.indexes / current_index(found, read_flow(project.flow).settings, project.flow)


def opened(project: SmallProject, embedder: CorpusEmbedder) -> Index:
    return load_index(current(project), embedder=embedder.fingerprint)


def leftovers(project: SmallProject) -> list[Path]:
    """What unfinished writes left anywhere in the state folder."""
    return [path for path in project.home.rglob(".tmp-*") if ".tmp-" not in str(path.parent)]


def files_of(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())
