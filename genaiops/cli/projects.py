"""demo, new, doctor, config show: a project as a whole."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from genaiops.cli.commands import Registry
from genaiops.cli.output import FlowFolder, Json, Set, leave, print_json, say

config = typer.Typer(rich_markup_mode=None, add_completion=False, help="The settings in force.", no_args_is_help=True)


def register(app: Registry) -> None:
    for command in (demo, new, doctor):
        app.command()(command)


def demo(
    folder: Annotated[
        Path | None, typer.Option("--dir", help="Where a copy of the bundled project goes, outside a checkout.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Run the whole loop on the bundled flow.

    Offline: build, evaluate the prompt variants, gate, release, promote through every environment, ask.
    """
    from genaiops.cli.demo import run_demo

    leave(run_demo(folder, as_json=as_json))


def new(
    name: Annotated[str, typer.Argument(help="Name of the flow: a-z, 0-9, '.', '_', '-'.")],
    as_json: Json = False,
) -> None:
    """Scaffold a flow of your own.

    With documents, prompt, gate and golden set that build and evaluate at once.
    """
    from genaiops.delivery.scaffold import scaffold
    from genaiops.project import Project

    root = Project.find().root
    written = [Path(os.path.relpath(root / path)) for path in scaffold(name, root)]
    if as_json:
        print_json({"name": name, "files": [str(path) for path in written]})
        return
    for path in written:
        say(f"wrote {path}")
    flow = written[0].parent
    say(f"next: genaiops build {flow}, then genaiops evaluate {flow}")


def doctor(as_json: Json = False) -> None:
    """Check this machine and project.

    Exit 2 when something must be mended, with what to do.
    """
    from genaiops.delivery.doctor import examine

    checks = examine()
    sound = all(check.ok for check in checks)
    if as_json:
        print_json({"ok": sound, "checks": checks})
    else:
        for check in checks:
            mark = "note" if check.note else "ok  " if check.ok else "FAIL"
            say(f"{mark} {check.what}: {check.found}")
            if check.note or not check.ok:
                say(f"       {check.remedy}")
    leave(0 if sound else 2)


@config.callback()
def _group() -> None:
    """The settings in force."""


@config.command()
def show(flow: FlowFolder, settings: Set = None, as_json: Json = False) -> None:
    """Show every setting and its origin."""
    from genaiops.configuration import leaves
    from genaiops.flow import Flow
    from genaiops.flow.settings import origin_of
    from genaiops.records import as_json as plain

    opened = Flow.load(flow, overrides=settings or ())
    values = leaves(plain(opened.settings))

    def place(key: str) -> str:
        return origin_of(tuple(key.split(".")), opened.origins) or "default"

    rows = [{"key": key, "value": value, "from": place(key)} for key, value in values]
    project = {"root": str(opened.project.root), "home": str(opened.project.home), **plain(opened.project.settings)}
    project["registry"] = _masked(opened.project.registry_url)
    project["tracking"] = _masked(str(project["tracking"]))
    if as_json:
        print_json({"settings": rows, "project": project})
        return
    for row in rows:
        say(f"{row['key']} = {row['value']}   ({row['from']})")
    for key, value in project.items():
        say(f"project.{key} = {value}")


def _masked(url: str) -> str:
    """A URL without its password."""
    import re

    return re.sub(r"(?<=://)([^:/@]*):[^@/]*@", r"\1:***@", url)
