"""What a benchmark gives, and how it is printed."""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from benchmarks.places import DataAbsent

VERSIONS = ("genaiops", "torch", "sentence-transformers", "faiss-cpu", "bm25s", "numpy")


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value as text; `asked` is the limit and `holds` whether it is kept (None: no limit is set)."""

    what: str
    measured: str
    asked: str = "–"
    holds: bool | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """Values side by side, for a benchmark that compares settings."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Report:
    """What one benchmark found; `notes` say how it was measured."""

    title: str
    figures: tuple[Figure, ...]
    tables: tuple[Table, ...] = ()
    notes: tuple[str, ...] = ()


def markdown(report: Report) -> str:
    """The report as a Markdown section."""
    parts = [f"## {report.title}"]
    if report.figures:
        rows = [
            (f.what, f.measured, f.asked, {True: "yes", False: "**no**", None: "–"}[f.holds]) for f in report.figures
        ]
        parts.append(_table(("figure", "measured", "asked", "holds"), rows))
    for table in report.tables:
        parts += [table.caption, _table(table.head, table.rows)]
    parts += report.notes
    return "\n\n".join(parts) + "\n"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def at_most(what: str, value: float, limit: float, *, unit: str = "", digits: int = 2) -> Figure:
    """A value that must not be above `limit`."""
    return Figure(what, f"{value:.{digits}f}{unit}", f"≤ {limit:g}{unit}", value <= limit)


def at_least(what: str, value: float, limit: float, *, digits: int = 2) -> Figure:
    """A value that must not be below `limit`."""
    return Figure(what, f"{value:.{digits}f}", f"≥ {limit:g}", value >= limit)


def spread(values: Sequence[float], *, unit: str = "", digits: int = 2) -> str:
    """`median (least–most)`: how far apart the runs were."""
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:.{digits}f}{unit} ({low:.{digits}f}–{high:.{digits}f})"


def machine_facts() -> str:
    """Processor, cores, load, Python and the packages that decide speed; no host name, no path."""
    cores, load = os.cpu_count() or 1, os.getloadavg()[0]
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in VERSIONS)
    return (
        f"{_processor()}, {cores} cores (load {load:.1f} when this was written), {platform.system()} "
        f"{platform.machine()}; Python {platform.python_version()}, {versions}."
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or "unknown processor")


def alone(measure: Callable[[], Report]) -> None:
    """Run one benchmark that has no options and print its report."""
    argparse.ArgumentParser(description=_module_doc(measure)).parse_args()
    _print(measure)


def alone_with_runs(measure: Callable[[int], Report], *, default: int) -> None:
    """The same for a benchmark that repeats its measurement `--runs` times."""
    parser = argparse.ArgumentParser(description=_module_doc(measure))
    parser.add_argument("--runs", type=int, default=default, help="how often each side is measured (%(default)s)")
    runs = parser.parse_args().runs
    if runs < 1:
        parser.error(f"--runs must be at least 1, got {runs}")
    _print(lambda: measure(runs))


def _print(measure: Callable[[], Report]) -> None:
    try:
        print(markdown(measure()))
    except DataAbsent as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)  # as after a wrong configuration


def _module_doc(measure: Callable[..., Report]) -> str:
    return (measure.__globals__["__doc__"] or "").partition("\n")[0]
