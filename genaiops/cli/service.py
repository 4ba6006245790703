"""serve, keys: the release of an environment answers over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from genaiops.cli.commands import Registry
from genaiops.cli.output import Json, note, print_json, say

if TYPE_CHECKING:
    from genaiops.flow import Pipeline
    from genaiops.project import Project
    from genaiops.serving import KeyStore

keys = typer.Typer(rich_markup_mode=None, add_completion=False, help="API keys of the service.", no_args_is_help=True)


def register(app: Registry) -> None:
    app.command()(serve)


def serve(
    env: Annotated[str, typer.Option("--env", metavar="ENV", help="Environment whose releases answer.")],
    host: Annotated[str, typer.Option("--host", help="Beyond loopback at least one API key must exist.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0: any free port.")] = 8080,
    allow_host: Annotated[
        list[str] | None,
        typer.Option("--allow-host", help="Host header to accept besides this machine's (a proxy's name). Repeatable."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Serve an environment over HTTP.

    OpenAI-compatible; promotions and rollbacks are picked up while it runs.
    """
    from genaiops.delivery import open_release
    from genaiops.project import Project
    from genaiops.promotion import Registry
    from genaiops.serving import ReleaseWatcher, ServiceSettings
    from genaiops.serving import serve as run_service

    project = Project.here()
    project.environment(env)
    registry = Registry.of(project)

    def current() -> dict[str, str]:
        """Model id → release digest, as the registry has it now."""
        pointers = (p for p in registry.status() if p.environment == env and p.release)
        return {f"genaiops/{p.flow}@{env}": str(p.release) for p in pointers}

    if not current():
        note(f"{env} serves nothing yet; promote a release: genaiops promote RELEASE --to {env}")

    def load(digest: str) -> Pipeline:
        """A release that answers its first question as fast as any other: it is swapped in when it is warm."""
        _, pipeline = open_release(project, digest)
        pipeline.warm()
        return pipeline

    watcher = ReleaseWatcher(load, current)

    def started(address: str) -> None:
        if as_json:
            print_json({"url": address, "environment": env, "models": sorted(current())})
        else:
            say(f"serving {env} on {address} (models: {', '.join(sorted(current())) or 'none'}); stop with Ctrl-C")

    hosts = (*allow_host, "localhost", "127.0.0.1", "::1", host) if allow_host else None
    limits = ServiceSettings(allowed_hosts=hosts)
    run_service(watcher, _store(project), host=host, port=port, settings=limits, started=started)


@keys.callback()
def _group() -> None:
    """API keys of the service."""


@keys.command()
def create(
    name: Annotated[str, typer.Argument(help="Who or what will use it.")],
    access: Annotated[
        list[str] | None,
        typer.Option("--access", metavar="LABEL", help="A label of documents it may find. Repeatable."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Make an API key, shown once.

    Only its hash is kept. Documents with access labels are found by a key that holds one of them.
    """
    from genaiops.project import Project

    key = _store(Project.here()).create(name, access or ())
    if as_json:
        print_json({"name": name, "key": key, "access": sorted(set(access or ()))})
        return
    say(key)
    note("keep it now: it cannot be shown again")


@keys.command(name="list")
def list_(as_json: Json = False) -> None:
    """List the names of the keys."""
    from genaiops.project import Project
    from genaiops.records import as_json as plain

    found = _store(Project.here()).list()
    if as_json:
        print_json({"keys": plain(found)})
        return
    for key in found:
        labels = f"  may find {', '.join(key.access)}" if key.access else ""
        say(f"{key.name}  {key.created_at}{labels}{'  revoked ' + key.revoked_at if key.revoked_at else ''}")


@keys.command()
def revoke(name: str, as_json: Json = False) -> None:
    """Take a key back.

    A running service refuses it from the next request on.
    """
    from genaiops.project import Project

    _store(Project.here()).revoke(name)
    print_json({"name": name, "revoked": True}) if as_json else say(f"{name} is revoked")


def _store(project: Project) -> KeyStore:
    from genaiops.serving import KeyStore

    return KeyStore(project.home / "keys.json")
