"""The command line: joins the commands, turns errors into messages and exit codes."""

from __future__ import annotations

import os
import sys

import typer

from genaiops.cli import answering, environments, evaluating, golden, projects, service
from genaiops.errors import GenaiopsError

app = typer.Typer(
    name="genaiops",
    rich_markup_mode=None,  # rich's help would double the time that `--help` takes
    help="Run retrieval-augmented generation as software: build an index, evaluate prompt variants, gate, "
    "release, promote, serve. Start with: genaiops demo",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done or pass, 1 a gate failed, 2 usage or configuration, 3 inconclusive or an outage.",
)
for module in (projects, answering, evaluating, environments, service):
    module.register(app)
app.add_typer(golden.app, name="golden")
app.add_typer(environments.audit, name="audit")
app.add_typer(service.keys, name="keys")
app.add_typer(projects.config, name="config")


def main() -> None:
    """Run the command of `sys.argv` and exit with its code."""
    try:
        app()
    except GenaiopsError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        # The reader (head, less) has gone; give Python a place to flush the rest to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
