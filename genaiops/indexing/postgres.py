"""Connections to PostgreSQL: where it is, what its errors mean, and statements whose names are quoted."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any, cast

from genaiops.errors import ConfigurationError, StoreUnavailable

URL_VARIABLE = "GENAIOPS_PGVECTOR_URL"
_REMEDY = f"start the database, or set {URL_VARIABLE} to another: postgresql://USER:PASSWORD@HOST:5432/NAME"
_CONNECT_SECONDS = 10


def store_url() -> str:
    """The database, from the environment: a password has no place in a file. ConfigurationError without one."""
    url = os.environ.get(URL_VARIABLE, "")
    if not re.match(r"postgres(ql)?://", url):
        given = f"{URL_VARIABLE} is not set" if not url else f"{URL_VARIABLE} is no postgresql:// URL"
        raise ConfigurationError(f"index.store: pgvector needs a database, and {given}", remedy=_REMEDY)
    return url


def masked(url: str) -> str:
    """The URL without its password, for messages."""
    without = re.sub(r"(?<=://)([^/@:]*):.*@", r"\1:***@", url)
    return re.sub(r"(?i)(password=)[^&]*", r"\1***", without)


def sql(text: str, *names: str) -> Any:
    """A statement with its names quoted; values are never part of the text."""
    from psycopg.sql import SQL, Identifier

    return SQL(cast(Any, text)).format(*map(Identifier, names))


def exists(connection: Any, table: str) -> bool:
    """Whether there is such a table."""
    return connection.execute("SELECT to_regclass(%s)", [table]).fetchone()[0] is not None


def has_extension(connection: Any) -> bool:
    """Whether pgvector is there."""
    return connection.execute("SELECT 1 FROM pg_extension WHERE extname = 'vector'").fetchone() is not None


def register(connection: Any) -> None:
    """Let this connection send and receive vectors."""
    from pgvector.psycopg import register_vector

    register_vector(connection)


def psycopg() -> Any:
    """The driver. ConfigurationError where it is not installed."""
    if find_spec("pgvector") is None or find_spec("psycopg") is None:
        raise ConfigurationError(
            "index.store: pgvector needs packages that are not installed", remedy="pip install 'genaiops[pgvector]'"
        )
    import psycopg as module

    return module


def connect(url: str) -> Any:
    """A connection on which every statement is a transaction of its own. Raises what the driver raises."""
    return psycopg().connect(url, autocommit=True, connect_timeout=_CONNECT_SECONDS)


@contextmanager
def connected(url: str) -> Iterator[Any]:
    """A connection, closed at the end. Raises as `explained` does."""
    with explained(url):
        connection = connect(url)
    try:
        yield connection
    finally:
        connection.close()


@contextmanager
def explained(url: str) -> Iterator[None]:
    """Errors of the driver as ours: StoreUnavailable for an outage, ConfigurationError for a refusal."""
    module = psycopg()
    try:
        yield
    except module.Error as error:
        said = masked(" ".join(str(error).split()))[:300]
        if isinstance(error, module.OperationalError):
            raise StoreUnavailable(
                f"the vector database cannot be used: {said}", where=masked(url), remedy=_REMEDY
            ) from None
        remedy = "a database user that may create tables, and the extension: CREATE EXTENSION vector"
        raise ConfigurationError(f"the vector database refused: {said}", where=masked(url), remedy=remedy) from None
