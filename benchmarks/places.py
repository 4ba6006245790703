"""Where benchmarks read and write."""

from __future__ import annotations

import os
from pathlib import Path

from genaiops.project import Project, ProjectSettings

REPOSITORY = Path(__file__).resolve().parent.parent
FLOWS = Path(__file__).resolve().parent / "flows"
HANDBOOK = REPOSITORY / "flows" / "handbook"
WELL_ARCHITECTED = FLOWS / "well_architected"
VARIABLE = "GENAIOPS_DATA"


class DataAbsent(Exception):
    """A figure needs the public labelled sets and they are not there."""


def data(part: str) -> Path:
    """A folder or file below the one that GENAIOPS_DATA names. Raises DataAbsent."""
    given = os.environ.get(VARIABLE, "")
    if not given:
        raise DataAbsent(f"this figure needs public labelled sets: set {VARIABLE} to the folder that holds {part}")
    path = Path(given).resolve() / part
    if not path.exists():
        raise DataAbsent(f"there is no {part} in the folder that {VARIABLE} names ({given})")
    return path


def chosen_files(every: int) -> list[Path]:
    """Every so many of the Well-Architected files, by name; GENAIOPS_BENCH_EVERY says otherwise. Raises DataAbsent."""
    step = int(os.environ.get("GENAIOPS_BENCH_EVERY", every))
    return sorted(data("corpora/azure_well_architected").rglob("*.md"))[::step]


def project(home: Path | None = None) -> Project:
    """A project of the benchmarks' own, so that nothing they build mixes with the user's.

    Its default home, `.genaiops/bench`, keeps what costs time to compute again (vectors); it may be deleted.
    """
    return Project(REPOSITORY, ProjectSettings(tracking="none"), home or REPOSITORY / ".genaiops" / "bench")


def sources(*folders: Path) -> str:
    """The `--set` value that makes a flow read these folders or files."""
    return f"documents.sources={[str(folder) for folder in folders]}"


def precision_here() -> str:
    """fp32 or bf16, whichever `auto` takes on this machine; measured once and kept."""
    from genaiops.embedding import EmbeddingSettings, load_embedder

    return load_embedder(EmbeddingSettings(), cache_file=project().cache).precision
