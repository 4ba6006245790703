"""Memory of a build does not grow with the corpus: measured in a child process over corpora of one and four sizes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.build_children import LONG
from tests.small_project import write_small_project

DOCUMENTS = 4_000 if LONG else 200  # of the smaller corpus
CHUNKS_EACH = 5
MOST_PER_CHUNK = 6_000  # bytes more for each chunk more; its texts, vector and words take about twice as much

CHILD = """
import json, resource, sys
from pathlib import Path
import genaiops.flow.gathering as gathering
import genaiops.indexing.writing as writing
gathering.SPILLED_FROM = 1 << 20
writing.EMBEDDED_TOGETHER = 512
from tests.builds import build
from tests.small_project import SmallProject
from tests.words_embedder import WordsEmbedder
report = build(SmallProject(Path(sys.argv[1])), WordsEmbedder(dimension=384), overrides=("chunking.size=800",))
print(json.dumps({"chunks": report.chunks, "peak": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}))
"""


# The pages are nearly alike, so none may be left out.
PLAIN = "cleansing: {duplicates: keep, language: false}\n"
BOILERPLATE = "cleansing: {duplicates: keep, language: false, boilerplate: {min_documents: 3, min_share: 0.5}}\n"


def measured(root: Path, documents: int, cleansing: str) -> dict[str, int]:
    project = write_small_project(root)
    (project.flow / "flow.yaml").write_text((project.flow / "flow.yaml").read_text() + cleansing)
    for number in range(documents):
        words = [f"word{(number * 31 + n * n) % 5000}" for n in range(110)]
        text = "".join(f"## Part {part}\n\n{' '.join(words)} {part}.\n\n" for part in range(CHUNKS_EACH))
        (project.documents / f"page{number}.md").write_text(f"# Page {number}\n\n{text}")
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(root)], capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, int] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("cleansing", [PLAIN, *([BOILERPLATE] if LONG else [])])
def test_four_times_the_corpus_needs_little_more_memory(tmp_path: Path, cleansing: str) -> None:
    small = measured(tmp_path / "small", DOCUMENTS, cleansing)
    large = measured(tmp_path / "large", 4 * DOCUMENTS, cleansing)
    assert large["chunks"] > 3.9 * small["chunks"]
    grown = (large["peak"] - small["peak"]) / (large["chunks"] - small["chunks"])
    print(f"peak {small['peak'] >> 20} and {large['peak'] >> 20} MiB: {grown:.0f} bytes for each chunk more")
    assert grown < MOST_PER_CHUNK
    assert large["peak"] < 2 * small["peak"]  # four times, if it grew with the corpus
