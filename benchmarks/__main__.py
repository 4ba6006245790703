"""Every figure, as one Markdown page.

python -m benchmarks                      print all
python -m benchmarks startup digests      only these
python -m benchmarks --write              also write docs/benchmarks.md (or the file given)
"""

from __future__ import annotations

import argparse
import datetime
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks import (
    ask_overhead,
    build_peers,
    build_rate,
    chunkers,
    cleansing,
    digests,
    fast_start,
    growth,
    incremental,
    pii,
    reevaluation,
    scifact,
    second_build,
    spans,
    startup,
    well_architected,
)
from benchmarks import statistics as simulations
from benchmarks.judges import completeness, groundedness, harness, relevance
from benchmarks.places import REPOSITORY, DataAbsent
from benchmarks.reporting import Report, machine_facts, markdown
from genaiops.files import write_durably

# Those that time something come first, while the machine is quiet.
BENCHMARKS: Mapping[str, Callable[[], Report]] = {
    "startup": startup.measure,
    "fast_start": fast_start.measure,
    "ask_overhead": ask_overhead.measure,
    "cleansing": cleansing.measure,
    "build_rate": build_rate.measure,
    "second_build": second_build.measure,
    "incremental": incremental.measure,
    "build_peers": build_peers.measure,
    "reevaluation": reevaluation.measure,
    "harness": harness.measure,
    "groundedness": groundedness.measure,
    "growth": growth.measure,
    "digests": digests.measure,
    "well_architected": well_architected.measure,
    "scifact": scifact.measure,
    "spans": spans.measure,
    "chunkers": chunkers.measure,
    "pii": pii.measure,
    "relevance": relevance.measure,
    "completeness": completeness.measure,
    "statistics": simulations.measure,
}
PAGE = REPOSITORY / "docs" / "benchmarks.md"


def page(names: Sequence[str]) -> str:
    """The page of these benchmarks, each printed as soon as it is measured."""
    opening = (
        "# Benchmarks\n\n"
        f"Measured on {datetime.datetime.now(datetime.UTC):%Y-%m-%d} on {machine_facts()} "
        "Speeds are ratios of things measured in turn in one run. `make bench` measures again.\n"
    )
    print(opening)
    sections = [opening]
    for name in names:
        print(f"{name} …", file=sys.stderr)
        start = time.perf_counter()
        try:
            section = markdown(BENCHMARKS[name]())
        except DataAbsent as error:
            section = f"## {name}\n\nNot measured: {error}.\n"
        print(section, flush=True)
        print(f"{name}: {time.perf_counter() - start:.0f} s", file=sys.stderr)
        sections.append(section)
    return "\n".join(sections)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure the figures we publish.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)} (default: all)")
    parser.add_argument("--write", nargs="?", type=Path, const=PAGE, metavar="FILE", help="also write the page")
    given = parser.parse_args()
    if unknown := [name for name in given.names if name not in BENCHMARKS]:
        parser.error(f"no benchmark {unknown[0]!r}; there is {', '.join(BENCHMARKS)}")
    content = page(given.names or list(BENCHMARKS))
    if given.write:
        write_durably(given.write, content)


if __name__ == "__main__":
    main()
