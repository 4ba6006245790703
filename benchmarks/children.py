"""Child processes whose time is taken: a figure about a whole process is measured on a whole process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.places import REPOSITORY

# The console script without the script: the same call, wherever the package is installed. It tells on its last
# line of stderr which modules it had loaded by the end.
_COMMAND = """
import json, sys
from genaiops.cli import main
sys.argv[0] = "genaiops"
try:
    main()
finally:
    print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})), file=sys.stderr)
"""


@dataclass(frozen=True, slots=True)
class Finished:
    """A child that ended well: wall-clock seconds of the whole process, and what it printed."""

    seconds: float
    stdout: str
    stderr: str

    @property
    def result(self) -> Any:
        """The JSON on its standard output."""
        return json.loads(self.stdout)

    @property
    def modules(self) -> frozenset[str]:
        """Top-level modules it had imported (children made by `genaiops` only)."""
        return frozenset(json.loads(self.stderr.splitlines()[-1]))


def python(*arguments: str, environment: Mapping[str, str] | None = None) -> Finished:
    """Run this Python with `arguments` from the repository. Raises RuntimeError with its stderr when it fails."""
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=REPOSITORY,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - start
    if done.returncode != 0:
        raise RuntimeError(f"python {' '.join(arguments)[:200]} exited {done.returncode}:\n{done.stderr[-2000:]}")
    return Finished(seconds, done.stdout, done.stderr)


def genaiops(*arguments: str, home: Path | None = None) -> Finished:
    """Run one command of ours in a process of its own; `home` is its GENAIOPS_HOME."""
    return python("-c", _COMMAND, *arguments, environment={"GENAIOPS_HOME": str(home)} if home else None)


def in_turn(sides: Sequence[Callable[[], Finished]], runs: int) -> list[list[Finished]]:
    """Every side `runs` times, in turn, so that whatever else the machine does falls on all of them alike."""
    results: list[list[Finished]] = [[] for _ in sides]
    for _ in range(runs):
        for side, kept in zip(sides, results, strict=True):
            kept.append(side())
    return results
