"""What commands print: results to stdout, progress to stderr and only on a terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from genaiops.display import clean

LOG_WIDTH = 140  # columns

FlowFolder = Annotated[Path, typer.Argument(metavar="FLOW", help="Folder that holds flow.yaml.")]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Override a setting, for example retrieval.top_k=8. Repeatable."),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON value and nothing else.")]


def print_json(value: object) -> None:
    """One JSON value on stdout; records are turned into plain data."""
    from genaiops.records import as_json

    print(json.dumps(as_json(value), ensure_ascii=False))


def say(text: str) -> None:
    """A line for people on stdout (no markup is read from data)."""
    print(clean(text))


def show(*blocks: Any) -> None:
    """Tables for people on stdout. A log is as wide as they need: only a terminal's width cuts them."""
    from rich.console import Console

    console = Console()
    if not console.is_terminal:
        console = Console(width=max(console.width, LOG_WIDTH))
    for block in blocks:
        console.print(block)


def note(text: str) -> None:
    """A line for people on stderr."""
    print(clean(text), file=sys.stderr)


def leave(code: int) -> NoReturn:
    raise typer.Exit(code)


@contextmanager
def progress(label: str, unit: str = "") -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr with rate (`unit` each second) and time left; silent when stderr is no terminal."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            # The mean since the start: blocks are reported as they end, which makes any shorter window jump.
            speed = task.completed / task.elapsed if task.elapsed and task.completed else 0.0
            return Text(f"{speed:,.0f} {unit}/s".replace(" /s", "/s") if speed else "")

    columns: list[Any] = [TextColumn(label), BarColumn(), MofNCompleteColumn(), Rate(), TimeRemainingColumn()]
    # A window of a minute: texts are embedded longest first, so the last ones are faster than the mean.
    with Progress(*columns, console=Console(stderr=True), transient=True, speed_estimate_period=60) as bar:
        task = bar.add_task(label, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@contextmanager
def stages(label: str) -> Iterator[Callable[[str, int, int], None]]:
    """A bar for work of several stages, each with a total of its own."""
    with progress(label) as shown:
        yield lambda what, done, total: shown(done, total)
