"""A hostile index under an honest manifest: whatever a file says, opening and asking ends in an error or an answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.build_children import LONG, context, run
from tests.faults.hostile_children import SIZES, attack, write_seed

SEEDS = {"flat": 90, "hnsw": 90, "ivfpq": 20}
if LONG:
    SEEDS = {"flat": 40_000, "hnsw": 40_000, "ivfpq": 20_000}


@pytest.mark.parametrize("kind", sorted(SIZES))
def test_f06_no_mutated_file_crashes_or_fills_the_memory(tmp_path: Path, kind: str) -> None:
    folder, seeds = write_seed(tmp_path, kind), SEEDS[kind]
    code = run(context().Process(target=attack, args=(str(folder), 0, seeds)), seconds=7200 if LONG else 120)
    unsound = tmp_path / "unsound"
    assert not unsound.exists(), unsound.read_text(encoding="utf-8")
    done, refused = map(int, (tmp_path / "progress").read_text(encoding="utf-8").split())
    assert (code, done) == (0, seeds)  # a crash would be a negative code, at the seed that stands there
    assert refused >= seeds // 5  # the rest changed numbers, not the shape, and was searched
