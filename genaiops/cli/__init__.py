"""One verb per arrow. Nothing heavy is imported before a command needs it."""

from genaiops.cli.app import main

__all__ = ["main"]
