"""demo, new, doctor, config show: a project as a whole."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from genaiops.cli.output import FlowFolder, Json, Set, leave, print_json, say

config = typer.Typer(help="The settings in force.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    for command in (demo, new, doctor):
        app.command()(command)


def demo(
    folder: Annotated[
        Path | None, typer.Option("--dir", help="Where a copy of the bundled project goes, outside a checkout.")
    ] = None,
    as_json: Json = False,
) -> None:
    """The whole loop on the bundled flow, offline: build, evaluate, gate, release, promote, ask."""
    from genaiops.cli.demo import run_demo

    leave(run_demo(folder, as_json=as_json))


def new(
    name: Annotated[str, typer.Argument(help="Name of the flow: a-z, 0-9, '.', '_', '-'.")],
    as_json: Json = False,
) -> None:
    """Scaffold a flow with documents, prompt, gate and golden set that build and evaluate at once."""
    from genaiops.delivery.scaffold import scaffold

    written = scaffold(name, Path.cwd())
    if as_json:
        print_json({"name": name, "files": [str(path) for path in written]})
        return
    for path in written:
        say(f"wrote {path}")
    say(f"next: genaiops build flows/{name}, then genaiops evaluate flows/{name}")


def doctor(as_json: Json = False) -> None:
    """Check this machine and project; exit 2 when something must be mended, with what to do."""
    from genaiops.delivery.doctor import examine

    checks = examine()
    sound = all(check.ok for check in checks)
    if as_json:
        print_json({"ok": sound, "checks": checks})
    else:
        for check in checks:
            say(f"{'ok  ' if check.ok else 'FAIL'} {check.what}: {check.found}")
            if not check.ok:
                say(f"       {check.remedy}")
    leave(0 if sound else 2)


@config.callback()
def _group() -> None:
    """The settings in force."""


@config.command()
def show(flow: FlowFolder, settings: Set = None, as_json: Json = False) -> None:
    """Every effective setting of a flow and where its value came from."""
    from genaiops.flow import Flow
    from genaiops.records import as_json as plain

    opened = Flow.load(flow, overrides=settings or ())
    values = _leaves(plain(opened.settings), "")
    rows = [{"key": key, "value": value, "from": _origin(key, opened.origins)} for key, value in values]
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


def _leaves(value: object, key: str) -> list[tuple[str, object]]:
    if isinstance(value, dict) and value:
        return [leaf for name, item in value.items() for leaf in _leaves(item, f"{key}.{name}" if key else name)]
    return [(key, value)]


def _origin(key: str, origins: object) -> str:
    """The place of a value: its own, or that of the nearest key above that was given as a whole."""
    assert hasattr(origins, "get")
    parts = key.split(".")
    for length in range(len(parts), 0, -1):
        found = origins.get(".".join(parts[:length]))
        if found:
            return str(found)
    return "default"


def _masked(url: str) -> str:
    """A URL without its password."""
    import re

    return re.sub(r"(?<=://)([^:/@]*):[^@/]*@", r"\1:***@", url)
