"""The commands by name, each built when it is called.

Reading all their signatures takes longer than the rest of `genaiops --help` together.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import typer
import typer.core

from genaiops.cli.remedies import of_flow
from genaiops.errors import GateRefused, GenaiopsError

Source = Callable[..., None] | typer.Typer  # a command's function, or a group of commands


class Registry(Mapping[str, Any]):
    """What the modules of this room register with, and the root's commands: looking one up builds it, once."""

    def __init__(self) -> None:
        self._sources: dict[str, Source] = {}
        self._built: dict[str, Any] = {}  # typer keeps the type of its commands to itself

    def command(self) -> Callable[[Callable[..., None]], Callable[..., None]]:
        """A decorator, as typer's own: the function's name is the command's, its docstring the help."""

        def register(function: Callable[..., None]) -> Callable[..., None]:
            self._sources[function.__name__.replace("_", "-")] = function
            return function

        return register

    def add_typer(self, group: typer.Typer, *, name: str) -> None:
        self._sources[name] = group

    def help(self, name: str) -> str:
        """The help of a command, read without building it."""
        source = self._sources[name]
        return str(source.info.help) if isinstance(source, typer.Typer) else inspect.getdoc(source) or ""

    def __getitem__(self, name: str) -> Any:
        if name not in self._built:
            self._built[name] = _built(name, self._sources[name])
        return self._built[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._sources)

    def __len__(self) -> int:
        return len(self._sources)


def _built(name: str, source: Source) -> Any:
    if isinstance(source, typer.Typer):
        made = typer.main.get_command(source)
    else:
        single = typer.Typer(rich_markup_mode=None, add_completion=False)
        single.command(name)(source)
        made = typer.main.get_command(single)
    made.name = name
    _name_what_was_given(made)
    return made


def _name_what_was_given(command: Any) -> None:
    """Let remedies name the flow that the command was given, so that they can be pasted."""
    for inner in getattr(command, "commands", {}).values():
        _name_what_was_given(inner)
    if any(parameter.name == "flow" for parameter in command.params):
        command.callback = _naming(command.callback)


def _naming(call: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(call)
    def named(**given: Any) -> Any:
        try:
            return call(**given)
        except GenaiopsError as error:
            flow, settings = given["flow"], given.get("settings")
            error.remedy = of_flow(error.remedy, flow, settings)
            if isinstance(error, GateRefused):  # the reasons of a gate hold their remedies
                error.what = of_flow(error.what, flow, settings)
            raise

    return named


class LazyGroup(typer.core.TyperGroup):
    """The root of the command line; its commands are those of `registry`."""

    registry = Registry()

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = self.registry  # type: ignore[assignment]  # nothing is added later

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """The list of commands in the root's help, as typer's own prints it."""
        limit = formatter.width - 6 - max(map(len, self.registry))
        short = {name: typer.core.TyperCommand(name=name, help=self.registry.help(name)) for name in self.registry}
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.get_short_help_str(limit)) for name, command in short.items()])
