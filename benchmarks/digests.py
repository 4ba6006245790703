"""Whether the same documents give the same index, file for file, in another folder, order and process.

python -m benchmarks.digests
"""

from __future__ import annotations

import os
import random
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from benchmarks.children import genaiops
from benchmarks.places import HANDBOOK, REPOSITORY, precision_here, sources
from benchmarks.reporting import Figure, Report, alone
from genaiops.indexing import read_manifest
from genaiops.indexing.manifest import PROVENANCE_FILE

BUILDS = 3


def measure() -> Report:
    """Build the handbook from copies of its files: other folder, other order of creation, other times, empty homes."""
    with tempfile.TemporaryDirectory(prefix="genaiops-bench-") as name:
        built = [_built(Path(name) / f"copy {seed}", seed) for seed in range(BUILDS)]
    ids = {identity for identity, _ in built}
    names = sorted(set(built[0][1]) - {PROVENANCE_FILE})
    differing = [file for file in names if len({files.get(file) for _, files in built}) > 1]
    return Report(
        "Same inputs, same digests",
        (
            Figure(f"different index ids among {BUILDS} builds", str(len(ids)), "1", len(ids) == 1),
            Figure(f"files that differ, of {len(names)}", ", ".join(differing) or "none", "none", not differing),
        ),
        notes=(
            "The index id must be the same on every machine. Left out is the file that says when each source was last "
            "changed, which differs here on purpose. All builds take one precision, which `auto` would choose by "
            "measuring, and could choose otherwise in each. The vectors' file need only be the same on one machine: "
            "processors round differently, and its digest is a fact of the build.",
        ),
    )


def _built(folder: Path, seed: int) -> tuple[str, Mapping[str, str]]:
    """Index id and file digests of a cold build from a copy whose files were made in a shuffled order."""
    documents = folder / "documents"
    documents.mkdir(parents=True)
    originals = sorted((REPOSITORY / "docs").glob("*.md"))
    random.Random(seed).shuffle(originals)
    for number, original in enumerate(originals):
        copy = shutil.copyfile(original, documents / original.name)
        os.utime(copy, (1e9 + 1000 * number, 1e9 + 1000 * number))
    home = folder / "home"
    settings = ["--set", sources(documents), "--set", f"embedding.precision={precision_here()}"]
    built = genaiops("build", str(HANDBOOK), "--json", *settings, home=home).result
    return built["index"], read_manifest(home / "indexes" / built["index"]).files


if __name__ == "__main__":
    alone(measure)
