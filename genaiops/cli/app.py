"""The command line: joins the commands, turns errors into messages and exit codes."""

from __future__ import annotations

import os
import sys
import traceback
from typing import Annotated, NoReturn

import typer

from genaiops.cli import (
    answering,
    building,
    comparing,
    environments,
    erasing,
    evaluating,
    explaining,
    golden,
    indexes,
    judging,
    projects,
    retrieval,
    scoring,
    service,
)
from genaiops.cli.commands import LazyGroup
from genaiops.cli.output import note
from genaiops.errors import GenaiopsError

# Codes of no verdict. Python would end a bug, and typer a broken pipe, with 1, which says that a gate failed.
BUG = 70  # EX_SOFTWARE of sysexits.h
NO_READER = 141  # 128 + SIGPIPE


def _tell_version(asked: bool) -> None:
    if asked:
        from genaiops import __version__

        print(f"genaiops {__version__}")
        raise typer.Exit


app = typer.Typer(
    name="genaiops",
    cls=LazyGroup,
    rich_markup_mode=None,  # rich's help would double the time that `--help` takes
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done or pass, 1 gate or bar missed, 2 usage or configuration, 3 inconclusive or an outage.",
)


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, help="Print the version and leave.", callback=_tell_version)
    ] = False,
) -> None:
    """Run retrieval-augmented generation as software: build an index, evaluate prompt variants, gate, release,
    promote, serve. Start with: genaiops demo"""


for module in (
    projects, building, answering, indexes, erasing, scoring, evaluating, explaining, comparing, environments, service,
):  # fmt: skip
    module.register(LazyGroup.registry)
LazyGroup.registry.add_typer(golden.app, name="golden")
LazyGroup.registry.add_typer(judging.app, name="judge")
LazyGroup.registry.add_typer(retrieval.app, name="retrieval")
LazyGroup.registry.add_typer(environments.audit, name="audit")
LazyGroup.registry.add_typer(service.keys, name="keys")
LazyGroup.registry.add_typer(projects.config, name="config")


def main() -> None:
    """Run the command of `sys.argv` and exit with its code."""
    try:
        try:
            app()
        finally:
            sys.stdout.flush()  # now, and not when Python ends, so that a reader who has gone is noticed here
    except GenaiopsError as error:
        note(f"error: {error}")
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
    except SystemExit as leaving:
        if isinstance(leaving.__context__, BrokenPipeError):  # typer's answer to it is 1
            _leave_without_reader()
        raise
    except BrokenPipeError:
        _leave_without_reader()
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        note(f"error: {place}{error.strerror or error}")
        sys.exit(3)  # a full disk, a file that somebody else holds
    except Exception:
        traceback.print_exc()
        print("error: this is a bug in genaiops", file=sys.stderr)
        sys.exit(BUG)


def _leave_without_reader() -> NoReturn:
    """End as a shell's own commands do when `head` has read enough: no 0, for the command may not have passed."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # a place to flush the rest to
    sys.exit(NO_READER)
